"""Migrations: plain SQL per database, in `versions/`, run by Alembic when a store is opened.

Rules:
- Forward only. A migration that was released is never changed; the next one repairs it.
- All missing migrations run in one transaction that the caller holds: all or nothing.
- A database that a newer program has written is refused, untouched.
- Each migration is `NNNN_name.py`, with `NNNN_name.sqlite.sql` and `NNNN_name.postgresql.sql`
  beside it. A statement ends with ';' at the end of a line.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from memory.errors import ConfigurationError

_STATEMENT_END: Final = re.compile(r";\s*$", re.MULTILINE)
_COMMENT: Final = re.compile(r"^\s*--.*$", re.MULTILINE)


def migrate(connection: Connection, database: str) -> None:
    """Brings the tables to this program's version, inside the transaction of `connection`.

    `database` is how errors name it. Raises `ConfigurationError` if it is newer than the program.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    if current == scripts.get_current_head():
        return
    if current is not None and current not in {
        script.revision for script in scripts.walk_revisions()
    }:
        raise ConfigurationError(
            f"{database} was written by a newer version of Tacit (schema {current}): "
            "upgrade the program, or open another database"
        )
    command.upgrade(config, "head")


def execute_sql_beside(migration: str) -> None:
    """Runs the SQL file that belongs to a migration, for the database at hand."""
    dialect = op.get_context().dialect.name
    script = Path(migration).with_suffix(f".{dialect}.sql").read_text(encoding="utf-8")
    for statement in _STATEMENT_END.split(_COMMENT.sub("", script)):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
