"""The ledger: operator events, and the tree over all events."""

from memory.adapters.sql.migrations import execute_sql_beside

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """See the SQL files."""
    execute_sql_beside(__file__)
