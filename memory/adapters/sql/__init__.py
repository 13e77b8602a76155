"""The SQL store: the truth, on SQLite (embedded) or PostgreSQL (by URL), with the same code.

store.py         `open_store(url)`: connects, migrates, hands out transactions, scrubs
engine.py        one `create_engine` per database: pragmas, sessions, TLS
postgres_dialect.py
                 what pg8000 and SQLAlchemy leave open between them
failures.py      what a driver raises ▶ what `memory.errors` says
transaction.py   one transaction: runs statements, commits once, else undoes all
people.py, memories.py, vault.py, consents.py, access_log.py, ledger.py, erasures.py, outbox.py
                 what a `UnitOfWork` can do, one file a topic
unit_of_work.py  all of these as the port
tables.py        the tables as SQLAlchemy Core sees them
migrations/      the tables as the databases see them: plain SQL, forward only
"""
