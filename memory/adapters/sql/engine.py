"""Connections: one `create_engine` per database, with everything that makes commits durable.

Rules:
- The driver runs in autocommit mode and never begins anything by itself; `transaction.py` says
  BEGIN, so that every transaction has exactly the kind it needs.
- SQLite: write-ahead log, a commit is on disk when it returns (synchronous = FULL), foreign keys,
  freed content is overwritten (secure_delete), nothing temporary touches the disk. Readers have
  connections that cannot write. Writers share one connection: waiting for it serializes them.
- PostgreSQL: a waiting lock and an idle transaction give up by themselves. Over the network, TLS
  with a verified certificate, unless the URL says `sslmode=disable`.
- Statement parameters never enter an error text or a log (`hide_parameters`).
"""

from __future__ import annotations

import os
import sqlite3
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from memory.adapters.sql import postgres_dialect as _registered  # noqa: F401
from memory.errors import ConfigurationError

WAIT_SECONDS: Final = 10
"""How long to wait for a lock or a free connection before giving up."""

SQLITE_ENDINGS: Final = ("", "-wal", "-shm", "-journal")
"""Of the files that SQLite keeps for one database."""

_RETRY_SECONDS: Final = 0.005

_READERS: Final = 32
"""More than the server has threads, so that a reader never waits for another."""

_IDLE_TRANSACTION_SECONDS: Final = 60
"""A replica that died while its connection lives must not hold locks for longer."""

_PAGE_BYTES: Final = 8192
"""A memory takes 2 to 3 KB: three to a page, where SQLite's default wastes almost half."""

_CACHE_KB: Final = 8192
"""Of each connection; the upper pages of the indices of a million memories."""

_PRAGMAS: Final = (
    f"PRAGMA page_size = {_PAGE_BYTES}",
    f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    f"PRAGMA cache_size = -{_CACHE_KB}",
)


@dataclass(frozen=True)
class Engines:
    """Where readers and writers get their connections. `name` is safe to print."""

    name: str
    readers: Engine
    writers: Engine

    def dispose(self) -> None:
        self.readers.dispose()
        self.writers.dispose()


def connect(url: str) -> Engines:
    """Engines for `sqlite:///path` or `postgresql://user@host/database`; opens nothing yet."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError("the database URL cannot be read") from None
    if parsed.drivername == "sqlite":
        return _sqlite(parsed)
    if parsed.drivername in {"postgresql", "postgres"}:
        return _postgresql(parsed)
    raise ConfigurationError(
        f"the database URL must begin with sqlite:/// or postgresql://, not {parsed.drivername}:"
    )


def _sqlite(url: URL) -> Engines:
    if not url.database or url.database == ":memory:" or url.query:
        raise ConfigurationError("the SQLite URL must be sqlite:///PATH, and nothing else")
    path = Path(url.database)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise ConfigurationError(
            f"the database file {path} cannot be opened for writing: {error.strerror}"
        ) from None
    readers = _engine(url, pool_size=_READERS, max_overflow=0)
    writers = _engine(url, pool_size=1, max_overflow=0)
    event.listen(readers, "connect", _prepare_sqlite_reader)
    event.listen(writers, "connect", _prepare_sqlite)
    return Engines(f"the database file {path}", readers, writers)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    if _write_ahead(cursor) != ("wal",):
        raise ConfigurationError(
            "SQLite cannot keep a write-ahead log there: use a local disk for the database file"
        )
    cursor.close()


def _write_ahead(cursor: Any) -> Any:
    """The journal mode that holds; SQLite itself does not wait for others that change it too."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return cursor.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_RETRY_SECONDS)


def _prepare_sqlite_reader(connection: Any, record: object) -> None:
    _prepare_sqlite(connection, record)
    connection.execute("PRAGMA query_only = ON")


def _postgresql(url: URL) -> Engines:
    query = dict(url.query)
    host = str(query.pop("host", "") or url.host or "localhost")
    arguments: dict[str, Any] = {
        "application_name": "tacit",
        "startup_params": {
            "lock_timeout": f"{WAIT_SECONDS}s",
            "idle_in_transaction_session_timeout": f"{_IDLE_TRANSACTION_SECONDS}s",
        },
    }
    if host.startswith("/"):  # a folder with PostgreSQL's socket, as in libpq's URLs
        arguments["unix_sock"] = f"{host}/.s.PGSQL.{url.port or 5432}"
        arguments["ssl_context"] = False
    else:
        arguments["ssl_context"] = _tls(host, query)
    if query.keys() - {"sslmode", "sslrootcert"}:
        raise ConfigurationError(f"the database URL has an unknown option among {', '.join(query)}")
    engine = _engine(
        url.set(drivername="postgresql+tacit", host=host, query={}),
        connect_args=arguments,
        pool_size=_READERS,
        max_overflow=0,
        pool_pre_ping=True,
    )
    return Engines(f"the PostgreSQL database {url.database} on {host}", engine, engine)


def _tls(host: str, query: dict[str, Any]) -> ssl.SSLContext | Literal[False]:
    """With None, pg8000 would take what the server offers, unverified."""
    mode = query.get("sslmode", "disable" if host in {"localhost", "127.0.0.1", "::1"} else "")
    if mode == "disable":
        return False
    if mode in {"", "verify-full"}:
        return ssl.create_default_context(cafile=query.get("sslrootcert"))
    raise ConfigurationError("sslmode in the database URL must be verify-full or disable")


def _engine(url: URL, **options: Any) -> Engine:
    return create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        pool_timeout=WAIT_SECONDS,
        pool_use_lifo=True,
        **options,
    )
