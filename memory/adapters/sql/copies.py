"""Copies of the tables: out into SQLite files of a backup, and back into a database of either kind.

    records.db   what was said, sealed: memories with their sources and versions, and the vault; all
                 wrapped keys are zeros
    keys.db      who is left, and what is: wrapped keys, consents, erasures, the ledger with its
                 events, and the ids of all memories; of a refreshed copy also what is said by those
                 whose key was renewed since `records.db`

Rules:
- Both come from one snapshot. What the index derives, and what is under way, is left out.
- Restoring takes from `records.db` only what `keys.db` still names: a person or a memory that it
  does not name was erased since, and stays erased. So the newest `keys.db` goes with the oldest
  `records.db`, and is the one that must be kept up to date.
- A person who has another key version by now cannot open older records: they are taken from
  `keys.db`, or, where that was not refreshed, left out.
- Restored is all of it or nothing, in one transaction, and into an empty database only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Table, func, insert, select, text

from memory.adapters.sql.engine import connect
from memory.adapters.sql.failures import failures_at_open
from memory.adapters.sql.store import open_store
from memory.adapters.sql.tables import (
    deployment,
    index_outbox,
    ledger_waiting,
    memories,
    memory_sources,
    memory_versions,
    metadata,
    persons,
    requests,
    retired_collections,
    rotations,
    vault_aliases,
    vault_entities,
    vector_segments,
)
from memory.errors import ConfigurationError
from memory.ports import WrappedKey

RECORDS: Final = "records.db"
KEYS: Final = "keys.db"

_SAID: Final = (
    memories,
    memory_sources,
    memory_versions,
    vault_entities,
    vault_aliases,
    requests,
)
_DERIVED: Final = (index_outbox, vector_segments, rotations, retired_collections)
_CURRENT: Final = tuple(t for t in metadata.tables.values() if t not in _SAID + _DERIVED)
"""Taken from the newest copy: what they say now holds, whatever was said before."""

_OF_MEMORY: Final = {
    memories: ("id",),
    memory_versions: ("id",),
    memory_sources: ("source", "derived"),
}
"""Which columns name memories that must be left for a row to be."""

_KEPT: Final = "CREATE TABLE kept_memories (subject BLOB, id BLOB, PRIMARY KEY (subject, id))"
_ADD_KEPT: Final = text("INSERT INTO kept_memories (subject, id) VALUES (:subject, :id)")
_READ_KEPT: Final = text("SELECT subject, id FROM kept_memories")
_REVISION: Final = text("SELECT version_num FROM alembic_version")
_BATCH: Final = 500

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds; of a restored one also what was left out because it was erased since."""

    schema: str
    key_epoch: int
    people: int
    memories: int
    erased_people: int = 0
    erased_memories: int = 0
    rekeyed_people: int = 0


def copy_out(url: str, folder: Path, *, beside: Path | None = None) -> Copied:
    """Writes `keys.db` and `records.db` into the folder while a server serves; only `keys.db`, if
    it is to stand `beside` the `records.db` of before.

    Raises:
        ConfigurationError: nothing is there, or it is of another version of the program.
        StorageUnavailableError: the database does not answer.
    """
    with _reading(url) as source, _made(folder / KEYS) as keys:
        if _schema(source) != _schema(keys):
            raise ConfigurationError(
                "the database is of another version of Tacit than this command: use that version"
            )
        for table in _CURRENT:
            _write(keys, table, _read(source, table))
        keys.exec_driver_sql(_KEPT)
        _write_kept(keys, source)
        if beside is None:
            with _made(folder / RECORDS) as kept:
                for table in (persons, *_SAID):
                    _write(kept, table, map(_without_key, _read(source, table)))
        else:
            with _reading(f"sqlite:///{beside}") as then:
                renewed = _versions(then).keys() - _same(_versions(source), _versions(then))
            for table in _SAID:
                _write(keys, table, (r for r in _read(source, table) if r["subject"] in renewed))
        root = _root(source)
        if root is None:
            raise ConfigurationError(
                "there is nothing to back up: no server has used this database"
            )
        return Copied(
            _schema(source), root.epoch, _count(source, persons), _count(source, memories)
        )


def root_of(keys: Path) -> WrappedKey:
    """The deployment's root in a `keys.db`: its epoch must be alive at the provider."""
    with _reading(f"sqlite:///{keys}") as source:
        root = _root(source)
    if root is None:
        raise ConfigurationError(f"{keys} holds no keys")
    return root


def copy_in(
    url: str, records: Path, keys: Path, forgotten: Callable[[Row], bool] = lambda _: False
) -> Copied:
    """Fills an empty database; makes its tables. Rows of `persons` that are `forgotten` are left
    out with all that is theirs, though `keys` names them.

    Raises:
        ConfigurationError: it is not empty, or a copy is of another version of the program.
        StorageUnavailableError, StorageFullError: nothing was restored.
    """
    store = open_store(url)
    empty = store.root_key() is None
    store.close()
    if not empty:
        raise ConfigurationError("there is data already: restore into another folder or database")
    engines = connect(url)
    try:
        with (
            failures_at_open(engines.name),
            _reading(f"sqlite:///{keys}") as now,
            _reading(f"sqlite:///{records}") as then,
            engines.writers.connect() as target,
        ):
            if not _schema(now) == _schema(then) == _schema(target):
                raise ConfigurationError(
                    "the backup is of another version of Tacit: restore it with that version"
                )
            target.exec_driver_sql("BEGIN")
            copied = _merge(target, now, then, forgotten)
            target.commit()
            return copied
    finally:
        engines.dispose()


def _merge(
    target: Connection, now: Connection, then: Connection, forgotten: Callable[[Row], bool]
) -> Copied:
    gone = {row["subject"] for row in _read(now, persons) if forgotten(row)}
    for table in _CURRENT:
        _write(target, table, (r for r in _read(now, table) if r.get("subject") not in gone))
    versions, before = _versions(target), _versions(then)
    same = _same(versions, before)
    left = {(subject, id_) for subject, id_ in now.execute(_READ_KEPT)}
    for table in _SAID:
        named = _OF_MEMORY.get(table, ())
        rows = (
            row
            for row in _read(then, table)
            if row["subject"] in same and all((row["subject"], row[name]) in left for name in named)
        )
        renewed = (row for row in _read(now, table) if row["subject"] in versions)
        _write(target, table, chain(rows, renewed))
    stored = {(row["subject"], row["id"]) for row in _read(then, memories, "subject", "id")}
    known = {one for one in stored if one[0] in versions}
    restored = {(row["subject"], row["id"]) for row in _read(target, memories, "subject", "id")}
    root = _root(now)
    assert root is not None
    return Copied(
        schema=_schema(target),
        key_epoch=root.epoch,
        people=len(versions),
        memories=len(restored),
        erased_people=len(before.keys() - versions.keys()),
        erased_memories=len(known - left),
        rekeyed_people=len({subject for subject, _ in (known & left) - restored}),
    )


def _versions(connection: Connection) -> dict[bytes, int]:
    """Which key each person has."""
    rows = _read(connection, persons, "subject", "key_version")
    return {row["subject"]: row["key_version"] for row in rows}


def _same(now: Mapping[bytes, int], then: Mapping[bytes, int]) -> set[bytes]:
    """Who has the key of then."""
    return {subject for subject, version in then.items() if now.get(subject) == version}


@contextmanager
def _reading(url: str) -> Iterator[Connection]:
    """One snapshot, which no writer waits for."""
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise ConfigurationError(f"there is no database at {url.removeprefix('sqlite:///')}")
    engines = connect(url)
    begin = "BEGIN"
    if engines.readers.dialect.name == "postgresql":
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    try:
        with failures_at_open(engines.name), engines.readers.connect() as connection:
            connection.exec_driver_sql(begin)
            yield connection
            connection.rollback()
    finally:
        engines.dispose()


@contextmanager
def _made(file: Path) -> Iterator[Connection]:
    """A new SQLite file with the tables of this program; one transaction."""
    url = f"sqlite:///{file}"
    open_store(url).close()
    engines = connect(url)
    try:
        with failures_at_open(engines.name), engines.writers.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection
            connection.commit()
    finally:
        engines.dispose()


def _read(connection: Connection, table: Table, *columns: str) -> Iterator[Row]:
    """All rows, in the order of their keys; numbers that the database gives are left to it."""
    numbered = {"id"} if table is ledger_waiting else set[str]()
    names = columns or tuple(name for name in table.columns.keys() if name not in numbered)  # noqa: SIM118
    chosen = select(*(table.c[name] for name in names)).order_by(*table.primary_key)
    found = connection.execute(chosen, execution_options={"yield_per": _BATCH})
    for row in found.mappings():
        yield dict(row)


def _write(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    statement, batch = insert(table), []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            connection.execute(statement, batch)
            batch = []
    if batch:
        connection.execute(statement, batch)


def _write_kept(keys: Connection, source: Connection) -> None:
    rows = list(_read(source, memories, "subject", "id"))
    for start in range(0, len(rows), _BATCH):
        keys.execute(_ADD_KEPT, rows[start : start + _BATCH])


def _without_key(row: Row) -> Row:
    if "wrapped_key" in row:
        return row | {"wrapped_key": bytes(len(row["wrapped_key"]))}
    return row


def _schema(connection: Connection) -> str:
    return str(connection.execute(_REVISION).scalar_one())


def _root(connection: Connection) -> WrappedKey | None:
    row = connection.execute(select(deployment.c.epoch, deployment.c.wrapped_key)).one_or_none()
    return None if row is None else WrappedKey(row.epoch, row.wrapped_key)


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
