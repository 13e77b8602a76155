"""`open_store(url)`: the truth, opened, migrated and ready.

    store = open_store("sqlite:///data/tacit.db")
    with store.write() as unit:
        unit.add_memories(rows)
        unit.commit()

Rules:
- `read()` is one consistent snapshot that cannot write. `write()` on SQLite is BEGIN IMMEDIATE,
  one at a time; on PostgreSQL READ COMMITTED, where the row lock on the person orders writers.
- A block that ends without `commit()` leaves nothing behind.
- A store that cannot be trusted does not open: a damaged file, a database of a newer program.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, cast

from sqlalchemy import Connection, Engine, event, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from memory.adapters import heap
from memory.adapters.sql.access_log import append, prepare_to_append
from memory.adapters.sql.engine import Engines, connect
from memory.adapters.sql.erasures import release_erasures
from memory.adapters.sql.failures import failure, failures_at_open
from memory.adapters.sql.migrations import migrate
from memory.adapters.sql.outbox import release_claims
from memory.adapters.sql.rotations import release_rotation
from memory.adapters.sql.tables import deployment, metadata
from memory.adapters.sql.unit_of_work import SqlUnitOfWork
from memory.errors import StorageUnavailableError
from memory.ports import AccessEvent, Clock, WrappedKey

_BEGIN_READ: Final = {
    "sqlite": "BEGIN",
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
}
_BEGIN_WRITE: Final = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "BEGIN ISOLATION LEVEL READ COMMITTED",
}
_MIGRATE_ALONE: Final = text("SELECT pg_advisory_xact_lock(hashtext('tacit migrations'))")

VACUUM_BYTES: Final = 256 * 1024 * 1024
"""Some 100,000 memories; writers wait a few seconds for it, and give up after ten."""

_SQLITE_BYTES: Final = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"

_ROOT_KEY: Final = select(deployment.c.epoch, deployment.c.wrapped_key)
_SET_ROOT_KEY: Final = insert(deployment)


def open_store(url: str, *, clock: Clock = lambda: datetime.now(UTC)) -> SqlStore:
    """Opens `sqlite:///path` or `postgresql://user@host/database`, making or upgrading the tables.

    Raises `ConfigurationError` when it cannot ever work as configured, `StorageUnavailableError`
    when it may work later.
    """
    engines = connect(url)
    try:
        with failures_at_open(engines.name), engines.writers.connect() as connection:
            dialect = connection.dialect.name
            connection.exec_driver_sql(_BEGIN_WRITE[dialect])
            if dialect == "postgresql":
                connection.execute(_MIGRATE_ALONE)
            migrate(connection, engines.name)
            if dialect == "sqlite":
                release_claims(connection)
                release_rotation(connection)
                release_erasures(connection)
                prepare_to_append(cast(sqlite3.Connection, connection.connection.driver_connection))
                event.listen(engines.writers, "connect", prepare_to_append)
            connection.commit()
    except BaseException:
        engines.dispose()
        raise
    return SqlStore(engines, clock)


def open_to_read(url: str) -> SqlStore:
    """The same database, in a process beside the one that opened it: only `read` is to be used."""
    return SqlStore(connect(url), lambda: datetime.now(UTC))


class SqlStore:
    """The `Store` of `memory.ports`. May be used by many threads; a unit of work by one."""

    def __init__(self, engines: Engines, clock: Clock) -> None:
        self._engines = engines
        self._clock = clock
        self._dialect = engines.writers.dialect.name

    @contextmanager
    def read(self) -> Iterator[SqlUnitOfWork]:
        with _connection(self._engines.readers, _BEGIN_READ[self._dialect]) as connection:
            yield SqlUnitOfWork(connection, self._clock)

    @contextmanager
    def write(self) -> Iterator[SqlUnitOfWork]:
        with _connection(self._engines.writers, _BEGIN_WRITE[self._dialect]) as connection:
            yield SqlUnitOfWork(connection, self._clock)

    def append_events(self, events: Sequence[tuple[AccessEvent, bytes]]) -> None:
        if self._dialect != "sqlite":
            with self.write() as unit:
                unit.add_access_events(events)
                unit.commit()
            return
        with _translated():
            pooled = self._engines.writers.raw_connection()
        try:
            append(cast(sqlite3.Connection, pooled.driver_connection), events)
        except sqlite3.Error as error:
            raise failure(DBAPIError.instance(None, None, error, sqlite3.Error)) from None
        finally:
            pooled.close()  # which rolls back what was not committed

    def root_key(self) -> WrappedKey | None:
        begin = _BEGIN_READ[self._dialect]
        with _connection(self._engines.readers, begin) as connection, _translated():
            row = connection.execute(_ROOT_KEY).one_or_none()
        return None if row is None else WrappedKey(row.epoch, row.wrapped_key)

    def set_root_key(self, wrapped: WrappedKey) -> None:
        columns = {"id": 1, "epoch": wrapped.epoch, "wrapped_key": wrapped.value}
        begin = _BEGIN_WRITE[self._dialect]
        with _connection(self._engines.writers, begin) as connection, _translated():
            try:
                connection.execute(_SET_ROOT_KEY, columns)
            except IntegrityError:
                return  # another server was faster
            connection.commit()

    def scrub(self) -> bool:
        """Rewrites what deleting leaves behind; whether all of it was.

        SQLite: VACUUM makes the file anew without its free pages, then the log is emptied into it
        and cut to nothing. Readers go on; writers wait; memory as large as the file is needed, and
        given back. So a file past `VACUUM_BYTES` is not made anew: what was deleted is overwritten
        in place (secure_delete), but where pages were reordered before, unused space may keep
        sealed bytes.
        PostgreSQL: VACUUM of every table. Nobody waits; freed rows are overwritten when their
        space is used again, so there, forgetting rests on the destroyed key alone.
        """
        if self._dialect == "postgresql":
            with _translated(), self._engines.writers.connect() as connection:
                connection.exec_driver_sql(f"VACUUM {', '.join(metadata.tables)}")
            return False
        try:
            return self._scrub_file()
        finally:
            heap.give_back()

    def _scrub_file(self) -> bool:
        with _translated(), self._engines.writers.connect() as connection:
            size: int = connection.exec_driver_sql(_SQLITE_BYTES).scalar_one()
            whole = size <= VACUUM_BYTES
            if whole:
                connection.exec_driver_sql("VACUUM")
            blocked, _pages, _moved = connection.exec_driver_sql(
                "PRAGMA wal_checkpoint(TRUNCATE)"
            ).one()
            if blocked:
                raise StorageUnavailableError("a long read holds the database: scrub again later")
        return whole

    def close(self) -> None:
        """Closes every connection; on SQLite the last one folds the log into the file."""
        self._engines.dispose()


@contextmanager
def _connection(engine: Engine, begin: str) -> Iterator[Connection]:
    """A connection in a transaction, which is rolled back unless the block commits it."""
    with _translated():
        connection = engine.connect()
    try:
        with _translated():
            connection.exec_driver_sql(begin)
        yield connection
    finally:
        try:
            connection.close()
        except SQLAlchemyError:  # it cannot even roll back: the database does, on losing it
            if not connection.closed:
                connection.invalidate()
                connection.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise failure(error) from None
