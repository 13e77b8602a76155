"""What a database driver raises ▶ what `memory.errors` says.

Rules:
- The driver's own text may quote values: it is neither copied nor chained (`from None`).
- Full is full (nothing was stored). Whatever may pass when the call is repeated is
  `StorageUnavailableError`: a lock, a lost connection, a race with another writer.
- What no repetition cures at open (not a database, no such database, no access) is
  `ConfigurationError`, with the database's name.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from memory.errors import (
    ConfigurationError,
    LostRaceError,
    StorageFullError,
    StorageUnavailableError,
    TacitError,
)

_SQLITE_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY_CODE: Final = 0xFF
"""SQLite's extended result codes carry the primary one in the low byte."""

_DISK_FULL: Final = "53100"
_INTEGRITY: Final = "23"
"""The class; pg8000 has an exception of its own for one of its codes."""

_NO_ACCESS: Final = ("28", "3D", "42501")
"""Wrong credentials, no such database, no privilege."""


def failure(error: SQLAlchemyError) -> TacitError:
    """The error to raise `from None` in place of `error`, while a store is in use."""
    if isinstance(error, PoolTimeoutError):
        return StorageUnavailableError("the database is busy: repeat the call")
    if isinstance(error, IntegrityError) or _sqlstate(error).startswith(_INTEGRITY):
        return LostRaceError("another writer was faster: repeat the call")
    if not isinstance(error, DBAPIError):
        return TacitError(f"the database adapter failed ({type(error).__name__})")
    if _sqlite_code(error) == sqlite3.SQLITE_FULL or _sqlstate(error) == _DISK_FULL:
        return StorageFullError("the database's disk is full: nothing was stored; free some space")
    if _sqlite_code(error) in _SQLITE_DAMAGED:
        return StorageUnavailableError("the database file is damaged: restore it from a backup")
    return StorageUnavailableError("the database does not answer: repeat the call")


@contextmanager
def failures_at_open(database: str) -> Iterator[None]:
    """Translates what goes wrong while the store called `database` is being opened."""
    try:
        yield
    except SQLAlchemyError as error:
        if _sqlite_code(error) in _SQLITE_DAMAGED:
            raise ConfigurationError(
                f"{database} is damaged, or no database of Tacit: restore it from a backup, "
                "or configure another path"
            ) from None
        if _sqlite_code(error) in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
            raise ConfigurationError(f"{database} cannot be opened for writing") from None
        if _sqlstate(error).startswith(_NO_ACCESS):
            raise ConfigurationError(
                f"{database} refuses us: check the user, its rights and the database's name"
            ) from None
        raise failure(error) from None


def _sqlite_code(error: SQLAlchemyError) -> int | None:
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return None if code is None else int(code) & _PRIMARY_CODE


def _sqlstate(error: SQLAlchemyError) -> str:
    """PostgreSQL's five characters; empty if the error came from elsewhere.

    When a server refuses a connection, pg8000 stumbles over closing it: what the server said is
    then further down the chain.
    """
    cause: BaseException | None = getattr(error, "orig", None)
    while cause is not None:
        fields = cause.args[0] if cause.args else None
        if isinstance(fields, dict):
            return str(fields.get("C", ""))
        cause = cause.__cause__ or cause.__context__
    return ""
