"""What Alembic runs: the connection is open and in a transaction, `migrate` owns both."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
