"""Sealed mode's segments of vectors."""

from memory.adapters.sql.migrations import execute_sql_beside

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """See the SQL files."""
    execute_sql_beside(__file__)
