"""Which memories were derived from which."""

from memory.adapters.sql.migrations import execute_sql_beside

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """See the SQL files."""
    execute_sql_beside(__file__)
