"""What goes wrong has one clear error, says nothing of the content, and loses nothing."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import sqlite3
import ssl
import subprocess
import tempfile
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import InvalidRequestError

from memory.adapters.sql.engine import _tls
from memory.adapters.sql.failures import failure
from memory.adapters.sql.store import SqlStore, open_store
from memory.core.values import PersonRef, SealedRecord
from memory.errors import ConfigurationError, StorageFullError, StorageUnavailableError
from tests.contract.conftest import administer
from tests.contract.rows import ANY, a_memory, a_person, add_memory, stored_person

MEGABYTE = 1 << 20

only_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("url", ["postgresql"], indirect=True)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A folder on a disk of one megabyte."""
    with tempfile.TemporaryDirectory(prefix="tacit-disk-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
        if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
            pytest.skip("mounting needs privileges")
        yield Path(folder)
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def lost_sockets() -> Iterator[None]:
    """pg8000 leaves the socket of a lost connection to the garbage collector, which remarks."""
    yield
    gc.collect()


allow_lost_sockets = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


def fill(store: SqlStore) -> int:
    """Stores memories until the disk is full; returns how many were acknowledged."""
    person = stored_person(store)
    stored = 0

    def store_on_and_on() -> None:
        nonlocal stored
        while stored < 1_000:
            add_memory(store, person.subject, body=SealedRecord(os.urandom(20_000)))
            stored += 1

    with pytest.raises(StorageFullError, match="nothing was stored"):
        store_on_and_on()
    with store.read() as unit:
        assert unit.count_memories(person.subject, ANY) == stored
        assert unit.index_backlog() == stored
    return stored


@only_sqlite
def test_a_full_database_stores_nothing_and_goes_on_when_there_is_room(store: SqlStore) -> None:
    with store._engines.writers.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 60")
    assert fill(store) > 0
    with store._engines.writers.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    stored_person(store, memories=1)


def test_a_full_disk_loses_nothing_that_was_acknowledged(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk}/tacit.db"
    store = open_store(url)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(MEGABYTE // 4))
    stored = fill(store)
    assert stored > 0
    ballast.unlink()
    person = stored_person(store, memories=1)
    store.close()
    again = open_store(url)
    with again.read() as unit:
        assert unit.totals() == (2, stored + 1)
        assert unit.person(person.ref) == person
    again.close()


def test_a_full_disk_under_postgresql_stores_nothing(
    new_postgres_database: Callable[[], str], small_disk: Path
) -> None:
    url = new_postgres_database()
    store = open_store(url)
    engine = administer(url)
    shutil.chown(small_disk, "pgserver")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE TABLESPACE small_disk LOCATION '{small_disk}'")
        connection.exec_driver_sql("ALTER TABLE memories SET TABLESPACE small_disk")
    assert fill(store) > 0
    with engine.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE memories SET TABLESPACE pg_default")
        connection.exec_driver_sql("DROP TABLESPACE small_disk")
    engine.dispose()
    stored_person(store, memories=1)
    store.close()


@pytest.mark.parametrize("content", [b"not a database at all" * 1_000, b"SQLite format 3\0" * 900])
def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tacit.db"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        open_store(f"sqlite:///{path}")
    assert str(path) in refused.value.message
    assert path.read_bytes() == content


def test_a_truncated_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tacit.db"
    store = open_store(f"sqlite:///{path}")
    stored_person(store, memories=20)
    store.close()
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(ConfigurationError, match="damaged") as refused:
        open_store(f"sqlite:///{path}")
    assert str(path) in refused.value.message


def test_damage_that_shows_later_is_said_and_ends_only_that_call(tmp_path: Path) -> None:
    path = tmp_path / "tacit.db"
    store = open_store(f"sqlite:///{path}")
    person = stored_person(store, memories=50)
    store.close()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 100_000)
        file.write(os.urandom(100_000))
    store = open_store(f"sqlite:///{path}")
    with store.read() as unit, pytest.raises(StorageUnavailableError, match="damaged"):
        unit.page_memories(person.subject, ANY, 0, 100)
    assert store.root_key() is None
    store.close()


def test_a_database_whose_files_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "tacit.db-shm").mkdir()
    with pytest.raises(ConfigurationError, match=r"tacit\.db cannot be opened"):
        open_store(f"sqlite:///{tmp_path}/tacit.db")


@only_sqlite
def test_a_writer_that_waits_too_long_is_told_to_repeat_the_call(store: SqlStore) -> None:
    store._engines.writers.pool._timeout = 0.05  # type: ignore[attr-defined]
    with store.write(), pytest.raises(StorageUnavailableError, match="busy"), store.write():
        pass


def test_a_mistake_of_the_program_is_no_reason_to_repeat_the_call() -> None:
    error = failure(InvalidRequestError("a text that quotes secret values"))
    assert error.status == "INTERNAL"
    assert "secret" not in error.message


def test_over_the_network_the_servers_certificate_must_verify() -> None:
    context = _tls("db.example", {})
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert _tls("db.example", {"sslmode": "disable"}) is False
    assert _tls("localhost", {}) is False


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere/tacit\.db"):
        open_store(f"sqlite:///{tmp_path}/nowhere/tacit.db")


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/tacit.db")
    stored_person(store)
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    store.close()
    assert modes == {"tacit.db": 0o600, "tacit.db-wal": 0o600, "tacit.db-shm": 0o600}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file?mode=ro",
        "mysql://user@host/db",
        "postgresql://user@host/db?sslmode=prefer",
        "postgresql://user@localhost/db?target_session_attrs=any",
    ],
)
def test_a_url_that_cannot_work_is_a_setting_to_correct(url: str) -> None:
    with pytest.raises(ConfigurationError):
        open_store(url)


@allow_lost_sockets
@pytest.mark.usefixtures("lost_sockets")
def test_a_database_that_does_not_exist_is_named_without_the_password(postgres: str) -> None:
    url = make_url(postgres).set(database="missing", password="hunter2")
    with pytest.raises(ConfigurationError, match="missing") as refused:
        open_store(url.render_as_string(hide_password=False))
    assert "hunter2" not in _everything_said(refused)


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    for url in ("postgresql://user@127.0.0.1:9/db", f"postgresql://user@/db?host={tmp_path}"):
        with pytest.raises(StorageUnavailableError):
            open_store(url)


def test_a_server_that_dies_while_one_connects_is_unavailable(tmp_path: Path) -> None:
    def die() -> None:
        connection, _ = listener.accept()
        connection.recv(1, socket.MSG_PEEK)  # the greeting is here, and is never read
        connection.close()

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / ".s.PGSQL.5432"))
        listener.listen()
        dying = Thread(target=die)
        dying.start()
        with pytest.raises(StorageUnavailableError):
            open_store(f"postgresql://postgres@/any?host={tmp_path}")
        dying.join()


def test_an_error_says_nothing_of_what_was_to_be_stored(store: SqlStore) -> None:
    person = stored_person(store)
    secret = b"a sealed body nobody should read"
    row = a_memory(person.subject, 1, body=SealedRecord(secret))
    with store.write() as unit, pytest.raises(StorageUnavailableError) as refused:
        unit.add_memories([row, row])
    said = _everything_said(refused)
    for value in (secret, row.id.value, person.subject.value):
        assert repr(value)[2:-1] not in said
        assert value.hex() not in said


@only_sqlite
def test_a_database_locked_by_another_process_is_unavailable(store: SqlStore, url: str) -> None:
    with store._engines.writers.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(str(make_url(url).database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailableError, match="repeat"), store.write():
        pass
    other.execute("ROLLBACK")
    other.close()
    stored_person(store)


@only_postgresql
@allow_lost_sockets
@pytest.mark.usefixtures("lost_sockets")
def test_a_lost_connection_is_unavailable_and_the_next_call_works(
    store: SqlStore, url: str
) -> None:
    person = a_person()
    with store.write() as unit:
        unit.add_person(person)
        _disconnect_everyone(url)
        with pytest.raises(StorageUnavailableError):
            unit.person(person.ref)
    with store.read() as unit:
        assert unit.person(person.ref) is None
    with store.write() as unit:
        unit.add_person(person)
        _disconnect_everyone(url)
        with pytest.raises(StorageUnavailableError):
            unit.commit()
    with store.read() as unit:
        assert unit.person(person.ref) is None
        _disconnect_everyone(url)  # what was read is read
    assert store.root_key() is None
    with store.read() as unit:
        assert unit.person(person.ref) is None


@only_postgresql
def test_a_deadlock_is_unavailable_for_one_and_the_other_goes_on(store: SqlStore) -> None:

    first, second = stored_person(store), stored_person(store)
    both_hold_one = Barrier(2)

    def lock(mine: PersonRef, yours: PersonRef) -> str:
        try:
            with store.write() as unit:
                unit.person(mine, lock=True)
                both_hold_one.wait(10)
                unit.person(yours, lock=True)
                unit.commit()
        except StorageUnavailableError:
            return "unavailable"
        return "went on"

    with ThreadPoolExecutor(2) as threads:
        pair = [threads.submit(lock, first.ref, second.ref)]
        pair.append(threads.submit(lock, second.ref, first.ref))
        assert sorted(each.result(30) for each in pair) == ["unavailable", "went on"]


def _disconnect_everyone(url: str) -> None:
    engine = administer(url)
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'tacit' AND datname = current_database()"
        )
    engine.dispose()


def _everything_said(refused: pytest.ExceptionInfo[BaseException]) -> str:
    return "".join(traceback.format_exception(refused.value))
