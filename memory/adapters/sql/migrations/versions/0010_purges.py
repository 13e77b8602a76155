"""Collections that hold vectors of deleted memories."""

from memory.adapters.sql.migrations import execute_sql_beside

revision = "0010"
down_revision = "0008"


def upgrade() -> None:
    """See the SQL files."""
    execute_sql_beside(__file__)
