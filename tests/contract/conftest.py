"""Real databases for the contract of the store: a SQLite file each, one PostgreSQL a session."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url

from memory.adapters.checkpoint_file import CheckpointFile
from memory.adapters.sql.store import SqlStore, open_store
from memory.adapters.sql.tables import metadata
from memory.app.sequencer import Sequencer
from tests.contract.ledger import SIGNER
from tests.contract.postgres_server import PostgresProcess


class MovableClock:
    """A clock that moves when a test says so."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server's own database."""
    with (
        tempfile.TemporaryDirectory(prefix="tacit-pg-", ignore_cleanup_errors=True) as folder,
        PostgresProcess(Path(folder)) as server,
    ):
        # Nothing here kills the server or the machine, and shared disks are slow.
        server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
        yield server.url


def administer(url: str) -> Engine:
    """An engine of our own beside the store's: to look into the tables and to break things."""
    parsed = make_url(url)
    if parsed.drivername == "sqlite":
        return create_engine(parsed)
    socket = f"{parsed.query['host']}/.s.PGSQL.5432"
    return create_engine(
        parsed.set(drivername="postgresql+pg8000", query={}),
        connect_args={"unix_sock": socket},
        isolation_level="AUTOCOMMIT",
    )


@pytest.fixture(scope="session")
def shared_postgres_url(new_postgres_database: Callable[[], str]) -> str:
    url = new_postgres_database()
    open_store(url).close()
    return url


@pytest.fixture(scope="session")
def new_postgres_database(postgres: str) -> Callable[[], str]:
    """Makes an empty database; returns its URL."""

    def make() -> str:
        name = f"t{uuid.uuid4().hex}"
        engine = administer(postgres)
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return make_url(postgres).set(database=name).render_as_string(hide_password=False)

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with the tables and nothing in them."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/tacit.db"
    url: str = request.getfixturevalue("shared_postgres_url")
    engine = administer(url)
    with engine.connect() as connection:
        for table in (
            *("persons", "erasures", "deployment", "key_epochs", "rotations", "operator_events"),
            *("ledger_waiting", "ledger_head", "ledger_tiles", "ledger_places"),
            "rights_requests",
        ):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    engine.dispose()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that no program of ours has opened."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/tacit.db"
    make: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return make()


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def store(url: str, clock: MovableClock) -> Iterator[SqlStore]:
    store = open_store(url, clock=clock)
    yield store
    store.close()


@pytest.fixture
def row_counts(url: str) -> Callable[[], dict[str, int]]:
    """How many rows each table holds, seen from outside the store."""

    def count() -> dict[str, int]:
        engine = administer(url)
        with engine.connect() as connection:
            counts = {
                table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
                for table in metadata.tables
            }
        engine.dispose()
        return counts

    return count


@pytest.fixture
def file(tmp_path: Path) -> CheckpointFile:
    return CheckpointFile(tmp_path / "ledger-checkpoint")


@pytest.fixture
def sequencer(store: SqlStore, file: CheckpointFile) -> Sequencer:
    return Sequencer(store, SIGNER, file, lambda: datetime.now(UTC))
