"""What someone sees who takes the disk: tables and bytes, without a key."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Disk:
    """The database as its file shows it."""

    rows: dict[str, int]
    sealed_memory: bytes
    person: bytes


def look(database: Path) -> Disk:
    """Reads the SQLite file beside the running server, as a thief would read a copy."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as sql:
        names = [n for (n,) in sql.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        # The names come from the database's own catalogue.
        rows = {n: sql.execute(f'SELECT count(*) FROM "{n}"').fetchone()[0] for n in names}  # noqa: S608
        memory = sql.execute("SELECT body FROM memories ORDER BY seq LIMIT 1").fetchone()
        person = sql.execute("SELECT ref FROM persons LIMIT 1").fetchone()
    return Disk(rows, memory[0] if memory else b"", person[0] if person else b"")
