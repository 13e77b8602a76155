"""When a memory ends."""

from memory.adapters.sql.migrations import execute_sql_beside

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """See the SQL files."""
    execute_sql_beside(__file__)
