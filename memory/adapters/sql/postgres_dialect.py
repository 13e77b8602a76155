"""PostgreSQL through pg8000, with what pg8000 and SQLAlchemy leave open between them.

Rules:
- A connection that breaks, while it is made or while an answer is read, is a broken connection.
  pg8000 lets that `OSError` through as it is; SQLAlchemy then takes it for no error of the
  database, and neither drops the connection nor tries another.
- Saying goodbye on a broken connection may fail, in silence; its socket is closed all the same.
- Many rows are inserted by one statement, not by one round trip each.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pg8000.exceptions import Error, InterfaceError  # type: ignore[import-untyped]
from pg8000.legacy import Connection  # type: ignore[import-untyped]
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.pg8000 import PGDialect_pg8000


class _Connection(Connection):  # type: ignore[misc]
    """pg8000's, which leaves a socket to the collector where a greeting breaks, and always the file
    over it.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        try:
            super().__init__(*arguments, **options)
        except BaseException:
            if getattr(self, "_usock", None) is not None:
                with suppress(Error, OSError):
                    self.close()
            raise

    def close(self) -> None:
        file = self._sock
        try:
            super().close()
        finally:
            if file is not None:
                with suppress(OSError):
                    file.close()


class PostgresDialect(PGDialect_pg8000):
    """SQLAlchemy's own dialect but for the rules above."""

    supports_statement_cache = True
    use_insertmanyvalues_wo_returning = True

    def connect(self, *arguments: Any, **options: Any) -> Any:
        with _broken_is_broken():
            return _Connection(*arguments, **options)

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        with _broken_is_broken():
            cursor.execute(statement, parameters)

    def do_execute_no_params(self, cursor: Any, statement: str, context: Any = None) -> None:
        with _broken_is_broken():
            cursor.execute(statement)

    def do_executemany(
        self, cursor: Any, statement: str, parameters: Any, context: Any = None
    ) -> None:
        with _broken_is_broken():
            cursor.executemany(statement, parameters)

    def do_commit(self, dbapi_connection: Any) -> None:
        with _broken_is_broken():
            dbapi_connection.commit()

    def do_rollback(self, dbapi_connection: Any) -> None:
        with _broken_is_broken():
            dbapi_connection.rollback()

    def do_ping(self, dbapi_connection: Any) -> bool:
        with _broken_is_broken():
            return super().do_ping(dbapi_connection)

    def do_close(self, dbapi_connection: Any) -> None:
        with suppress(Error, OSError):
            dbapi_connection.close()


@contextmanager
def _broken_is_broken() -> Iterator[None]:
    try:
        yield
    except OSError:
        raise InterfaceError("network error") from None  # the words SQLAlchemy looks for


registry.register("postgresql.tacit", __name__, PostgresDialect.__name__)
