"""How a decision was made; restriction of processing and legal hold."""

from memory.adapters.sql.migrations import execute_sql_beside

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """See the SQL files."""
    execute_sql_beside(__file__)
