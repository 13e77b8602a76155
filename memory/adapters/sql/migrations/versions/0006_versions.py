"""Older versions of memories."""

from memory.adapters.sql.migrations import execute_sql_beside

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """See the SQL files."""
    execute_sql_beside(__file__)
