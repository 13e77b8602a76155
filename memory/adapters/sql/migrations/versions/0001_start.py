"""The first tables."""

from memory.adapters.sql.migrations import execute_sql_beside

revision = "0001"
down_revision = None


def upgrade() -> None:
    """See the SQL files."""
    execute_sql_beside(__file__)
