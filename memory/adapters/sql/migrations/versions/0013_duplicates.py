"""By what a memory is found when it is told again, and how often it was."""

from memory.adapters.sql.migrations import execute_sql_beside

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """See the SQL files."""
    execute_sql_beside(__file__)
