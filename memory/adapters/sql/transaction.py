"""One transaction on one connection: runs statements, commits once, or undoes all of it.

Rules:
- The driver is in autocommit mode, so after `commit()` a statement would stand alone: it is
  refused instead. So it is after a statement that failed, for SQLite may have rolled back by
  itself, and PostgreSQL would take a COMMIT and roll back in silence.
- Every library error leaves as one of `memory.errors` (see `failures.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import Connection, Executable, Row
from sqlalchemy.exc import SQLAlchemyError

from memory.adapters.sql.failures import failure

T = TypeVar("T")

Columns: TypeAlias = Row[*tuple[Any, ...]]
"""A row as the database gives it, in the order of the SELECT."""

BATCH: Final = 500
"""How many values one `IN (…)` holds: far below what either database allows."""


class Transaction:
    """What the topics of a unit of work share."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._open = True

    def commit(self) -> None:
        """Makes it last; raises if it could not, and then nothing was stored."""
        self._refuse_if_over()
        self._open = False
        try:
            self._connection.commit()
        except SQLAlchemyError as error:
            raise failure(error) from None

    def _rows(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Columns]:
        """All rows of the answer: fetched here, since fetching can fail, too."""
        with self._translated():
            return self._connection.execute(statement, parameters).all()

    def _row(self, statement: Executable, parameters: Mapping[str, Any]) -> Columns | None:
        """The one row of the answer, if there is one."""
        with self._translated():
            return self._connection.execute(statement, parameters).one_or_none()

    def _change(
        self,
        statement: Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> int:
        """How many rows the statement added, changed or deleted."""
        with self._translated():
            return self._connection.execute(statement, parameters).rowcount

    @contextmanager
    def _translated(self) -> Iterator[None]:
        self._refuse_if_over()
        try:
            yield
        except SQLAlchemyError as error:
            self._open = False
            raise failure(error) from None

    def _refuse_if_over(self) -> None:
        if not self._open:
            raise RuntimeError("this unit of work was committed, or has failed: open another")


def batches(values: Iterable[T]) -> Iterator[list[T]]:
    """The values without repetition, in lists of at most `BATCH`."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), BATCH):
        yield distinct[start : start + BATCH]
