"""Erasures with their scope, evidence, signed intent and certificate, and who works on them."""

from memory.adapters.sql.migrations import execute_sql_beside

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """See the SQL files."""
    execute_sql_beside(__file__)
