"""A person's ratings of recalled memories, sealed."""

from memory.adapters.sql.migrations import execute_sql_beside

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """See the SQL files."""
    execute_sql_beside(__file__)
