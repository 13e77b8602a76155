"""Since when nothing of a person's memories has changed but that more were added."""

from memory.adapters.sql.migrations import execute_sql_beside

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """See the SQL files."""
    execute_sql_beside(__file__)
