"""What Tacit does to the files of an in-process Chroma behind Chroma's back.

    python chroma_files.py examine|index|survey|unlink|scrub FOLDER

Written against chromadb 1.5.9; the facts are in `docs/adr/0006-chroma.md`.

Rules:
- Whatever opens the database runs as a process of its own. Chroma brings its own SQLite: two
  copies of SQLite in one process void each other's POSIX locks (sqlite.org/howtocorrupt.html,
  2.2.1), and even after `close()` Chroma's shrinks the WAL index under the other's feet (SIGBUS).
- Standard library only, so that the process starts in some 50 ms.
- Vectors are never read, written or printed; nothing leaves but collection names and counts.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import struct
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

DATABASE: Final = "chroma.sqlite3"

_BUSY_SECONDS: Final = 30.0
"""How long to wait for a transaction of Chroma's to end."""

_CHECKPOINT_TRIES: Final = 50
_CHECKPOINT_PAUSE: Final = 0.1

_HEADER: Final = struct.Struct("=iQQQQQQ")
"""hnswlib: version, offset, capacity, elements, bytes an element, label offset, data offset."""

_LINKS: Final = struct.Struct("=I")

_ANY_SEGMENT: Final = "*-*-*-*-*"

DAMAGED: Final = 3
"""Exit status: the database is not whole, and no passing trouble explains it."""

_PASSING: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
    }
)

_QUEUE_INDEX: Final = "CREATE INDEX IF NOT EXISTS tacit_queue_topic ON embeddings_queue (topic)"

_TOPIC_ID_CHARS: Final = 36
"""A queue row's topic ends in the collection's UUID."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A collection as it lies on disk. `sound` is False where its HNSW files do not fit."""

    name: str
    segment: str
    vectors: int
    sound: bool


def examine(folder: Path) -> list[Kept]:
    """Makes the folder ready for Chroma to open. Raises `sqlite3.DatabaseError` on damage.

    Reads all of the database. Puts it in WAL mode: Chroma keeps to it, and one upsert takes some
    4 ms in place of 40.
    """
    (folder / DATABASE).touch(mode=0o600)
    with _opened(folder) as database:
        if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("quick_check failed")
        database.execute("PRAGMA journal_mode = WAL")
        empty = database.execute("SELECT 1 FROM sqlite_schema").fetchone() is None
    if empty and not any(folder.glob(_ANY_SEGMENT)):
        return []
    index(folder)
    unlink_orphans(folder)
    return survey(folder)


def index(folder: Path) -> None:
    """Lets Chroma find a collection's part of its queue. By itself it reads all of the queue, with
    every collection's newest vectors in it, for each upsert: 45 ms in place of 4 at 160,000.
    """
    with _opened(folder) as database:
        database.execute(_QUEUE_INDEX)


def survey(folder: Path) -> list[Kept]:
    """Every collection, without loading any vector."""
    with _opened(folder) as database:
        rows = database.execute(
            """
            SELECT c.name, v.id, s.seq_id,
                   (SELECT COUNT(*) FROM embeddings e WHERE e.segment_id = m.id)
            FROM collections c
            JOIN segments v ON v.collection = c.id AND v.scope = 'VECTOR'
            JOIN segments m ON m.collection = c.id AND m.scope = 'METADATA'
            LEFT JOIN max_seq_id s ON s.segment_id = v.id
            """
        ).fetchall()
    return [
        Kept(name, segment, vectors, sound=not persisted or _is_sound(folder / segment))
        for name, segment, persisted, vectors in rows
    ]


def unlink_orphans(folder: Path) -> int:
    """Removes the HNSW folders that no collection owns; `delete_collection` leaves them."""
    # Listed first: a folder made meanwhile has its row already and is not in the list.
    folders = [entry for entry in folder.iterdir() if entry.is_dir() and _is_uuid(entry.name)]
    with _opened(folder) as database:
        owned = {segment for (segment,) in database.execute("SELECT id FROM segments")}
    orphans = [entry for entry in folders if entry.name not in owned]
    for orphan in orphans:
        shutil.rmtree(orphan)
    if orphans:
        _sync(folder)
    return len(orphans)


def scrub(folder: Path) -> None:
    """Purges what dropped collections left, and rewrites the database without its free pages."""
    with _opened(folder) as database:
        database.execute("PRAGMA secure_delete = ON")
        database.execute("BEGIN IMMEDIATE")
        database.execute(
            "DELETE FROM embeddings_queue WHERE substr(topic, ?) NOT IN"
            " (SELECT id FROM collections)",
            (-_TOPIC_ID_CHARS,),
        )
        for table in ("embeddings", "max_seq_id", "segment_metadata"):
            database.execute(
                f"DELETE FROM {table} WHERE segment_id NOT IN (SELECT id FROM segments)"  # noqa: S608
            )
        database.execute("COMMIT")
        database.execute("VACUUM")
        _empty_log(database)
    unlink_orphans(folder)


@contextmanager
def _opened(folder: Path) -> Iterator[sqlite3.Connection]:
    path = (folder / DATABASE).absolute()
    database = sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
    )
    try:
        yield database
    finally:
        database.close()


def _empty_log(database: sqlite3.Connection) -> None:
    """Brings the write-ahead log into the database and truncates it, once no reader is left."""
    for _ in range(_CHECKPOINT_TRIES):
        (busy, _, _) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            return
        time.sleep(_CHECKPOINT_PAUSE)
    raise sqlite3.OperationalError("the write-ahead log is in use")


def _is_sound(segment: Path) -> bool:
    """Whether the files of a persisted HNSW index are there and of the size its header states."""
    try:
        version, _, capacity, elements, stride, label_at, data_at = _HEADER.unpack(
            (segment / "header.bin").read_bytes()[: _HEADER.size]
        )
        return bool(
            version == 1
            and capacity >= elements
            and data_at < label_at < stride
            and (segment / "data_level0.bin").stat().st_size >= elements * stride
            and (segment / "length.bin").stat().st_size >= elements * 4
            and _links_end(segment / "link_lists.bin", elements)
            and (segment / "index_metadata.pickle").stat().st_size
        )
    except (OSError, struct.error):
        return False


def _links_end(path: Path, elements: int) -> bool:
    """Whether the list of each element, behind its length in bytes, ends inside the file."""
    data, at = path.read_bytes(), 0
    for _ in range(elements):
        (length,) = _LINKS.unpack_from(data, at)
        at += _LINKS.size + length
    return at <= len(data)


def _is_uuid(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_all(folder: Path) -> None:
    """Removes what Chroma wrote into the folder, and nothing else."""
    for entry in folder.iterdir():
        if entry.is_dir() and _is_uuid(entry.name):
            shutil.rmtree(entry)
        elif entry.name.startswith(DATABASE):
            entry.unlink()
    _sync(folder)


def _main(work: str, folder: Path) -> int:
    try:
        if work in {"examine", "survey"}:
            kept = examine(folder) if work == "examine" else survey(folder)
            json.dump([asdict(each) for each in kept], sys.stdout)
        elif work == "index":
            index(folder)
        elif work == "unlink":
            unlink_orphans(folder)
        else:
            scrub(folder)
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        return 1 if code & 0xFF in _PASSING else DAMAGED
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], Path(sys.argv[2])))
