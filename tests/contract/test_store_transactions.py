"""A unit of work is all or nothing, and a read is one moment."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import make_url

from memory.adapters.sql.store import SqlStore, open_store
from memory.core.values import SealedRecord
from memory.errors import StorageUnavailableError
from memory.ports import WrappedKey
from tests.contract.rows import (
    ANY,
    a_memory,
    a_person,
    add_memory,
    everything_of,
    stored_person,
)


def test_a_block_without_commit_leaves_nothing(store: SqlStore) -> None:
    person = stored_person(store)
    with store.write() as unit:
        unit.add_memories([a_memory(person.subject, unit.next_seq(person.subject, 1))])
        unit.add_person(a_person())
    with store.read() as unit:
        assert unit.totals() == (1, 0)
        assert unit.index_backlog() == 0
    with store.write() as unit:
        assert unit.next_seq(person.subject, 1) == 1


def test_an_exception_in_the_block_leaves_nothing_and_passes_through(store: SqlStore) -> None:
    def fail() -> None:
        with store.write() as unit:
            unit.add_person(a_person())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with store.read() as unit:
        assert unit.totals() == (0, 0)


def test_what_is_committed_is_there_after_opening_again(store: SqlStore, url: str) -> None:
    person = stored_person(store, memories=2)
    store.close()
    again = open_store(url)
    with again.read() as unit:
        assert unit.person(person.ref) == person
        assert unit.count_memories(person.subject, ANY) == 2
    again.close()


def test_a_read_sees_one_moment(store: SqlStore) -> None:
    person = stored_person(store, memories=1)
    with store.read() as unit:
        assert unit.count_memories(person.subject, ANY) == 1
        add_memory(store, person.subject)
        other = stored_person(store)
        assert unit.count_memories(person.subject, ANY) == 1
        assert unit.person(other.ref) is None
    with store.read() as unit:
        assert unit.count_memories(person.subject, ANY) == 2


def test_a_write_sees_its_own_changes_and_others_only_after_the_commit(store: SqlStore) -> None:
    person = a_person()
    with store.write() as unit:
        unit.add_person(person)
        assert unit.person(person.ref) == person
        with store.read() as other:
            assert other.person(person.ref) is None
        unit.commit()
    with store.read() as other:
        assert other.person(person.ref) == person


def test_a_read_cannot_write(store: SqlStore) -> None:
    with store.read() as unit, pytest.raises(StorageUnavailableError):
        unit.add_person(a_person())
    with store.read() as unit:
        assert unit.totals() == (0, 0)


def test_nothing_can_follow_a_commit(store: SqlStore) -> None:
    with store.write() as unit:
        unit.commit()
        with pytest.raises(RuntimeError, match="open another"):
            unit.add_person(a_person())
        with pytest.raises(RuntimeError, match="open another"):
            unit.commit()


def test_a_failed_statement_fails_the_commit_too(store: SqlStore) -> None:
    """Or an error that is caught within the block would acknowledge what was rolled back."""
    person = stored_person(store)
    with store.write() as unit:
        unit.add_person(a_person())
        with pytest.raises(StorageUnavailableError):
            unit.add_person(a_person(ref=person.ref))
        with pytest.raises(RuntimeError, match="open another"):
            unit.commit()
    with store.read() as unit:
        assert unit.totals() == (1, 0)


def test_readers_do_not_wait_for_a_writer(store: SqlStore) -> None:
    person = stored_person(store)
    with store.write() as unit, ThreadPoolExecutor(1) as threads:
        unit.person(person.ref, lock=True)
        unit.next_seq(person.subject, 1)

        def read() -> bool:
            with store.read() as other:
                return other.person(person.ref) == person

        assert threads.submit(read).result(5)


def test_writers_in_many_threads_lose_nothing(store: SqlStore) -> None:
    people = [stored_person(store) for _ in range(4)]
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait(10)
        for _ in range(10):
            add_memory(store, people[number % 4].subject)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))
    with store.read() as unit:
        for person in people:
            page = unit.page_memories(person.subject, ANY, 0, 100)
            assert [row.seq for row in page] == list(range(1, 21))


def test_the_root_key_is_set_once(store: SqlStore) -> None:
    assert store.root_key() is None
    store.set_root_key(WrappedKey(3, b"wrapped"))
    store.set_root_key(WrappedKey(3, b"of the slower server"))
    assert store.root_key() == WrappedKey(3, b"wrapped")


def test_servers_that_start_at_once_agree_on_the_root_key(store: SqlStore) -> None:
    def start(number: int) -> WrappedKey | None:
        store.set_root_key(WrappedKey(1, bytes([number])))
        return store.root_key()

    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(start, range(6)))) == 1


def test_a_large_database_is_overwritten_in_place_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'tacit.db'}")
    stored_person(store, memories=3)
    assert store.scrub()
    monkeypatch.setattr("memory.adapters.sql.store.VACUUM_BYTES", 0)
    assert not store.scrub()
    assert (tmp_path / "tacit.db-wal").stat().st_size == 0
    store.close()


def test_scrubbing_keeps_what_is_there(store: SqlStore) -> None:
    person = stored_person(store, memories=3)
    store.scrub()
    with store.read() as unit:
        assert unit.count_memories(person.subject, ANY) == 3


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_after_forgetting_and_scrubbing_the_files_hold_nothing_of_the_person(
    store: SqlStore, url: str
) -> None:
    person, other = stored_person(store), stored_person(store)
    secret = SealedRecord(os.urandom(64) * 40)
    first = add_memory(store, person.subject, body=secret)
    for _ in range(30):  # enough for pages to split and cells to move
        add_memory(store, person.subject, body=secret)
        add_memory(store, other.subject)
    everything_of(store, person)
    sought = [secret.value[:64], first.id.value, person.subject.value, person.ref]
    sought += [person.wrapped_key.value, person.collection.encode()]
    assert all(needle in _files(url) for needle in sought)

    with store.write() as unit:
        unit.destroy_person_key(person.subject)
        unit.delete_person(person.subject)
        unit.commit()
    store.scrub()

    assert not any(needle in _files(url) for needle in sought)
    assert other.subject.value in _files(url)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_long_read_makes_scrubbing_fail_and_not_lie(store: SqlStore) -> None:
    stored_person(store)
    with store._engines.writers.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    with store.read() as unit:
        unit.totals()
        stored_person(store)
        with pytest.raises(StorageUnavailableError, match="long read"):
            store.scrub()
    store.scrub()


def _files(url: str) -> bytes:
    path = Path(str(make_url(url).database))
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
