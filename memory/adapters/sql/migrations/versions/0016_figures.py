"""What is due, and what a tenant has, is counted without reading everything."""

from memory.adapters.sql.migrations import execute_sql_beside

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """See the SQL files."""
    execute_sql_beside(__file__)
