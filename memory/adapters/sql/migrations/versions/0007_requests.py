"""The register of requests by which people exercised their rights."""

from memory.adapters.sql.migrations import execute_sql_beside

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """See the SQL files."""
    execute_sql_beside(__file__)
