"""The store knows people by a keyed hash, counts their memories, and locks them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from memory.adapters.sql.store import SqlStore
from memory.core.values import PersonRef, SubjectId
from memory.errors import ErasureInProgressError, StorageUnavailableError
from tests.contract.rows import a_person, an_erasure, stored_person


def test_a_person_comes_back_as_they_went_in(store: SqlStore) -> None:
    person = stored_person(store)
    with store.read() as unit:
        assert unit.person(person.ref) == person
        assert unit.person_by_subject(person.subject) == person
        assert list(unit.people()) == [person]


def test_everybodys_memories_are_counted(store: SqlStore) -> None:
    three, none, one = (stored_person(store, memories=count) for count in (3, 0, 1))
    with store.read() as unit:
        assert unit.memory_counts() == {three.subject: 3, one.subject: 1}
        everybody = {person.subject for person in unit.people()}
    assert everybody == {person.subject for person in (three, none, one)}


def test_restriction_and_hold_stay_until_they_are_lifted(store: SqlStore) -> None:
    person = stored_person(store)
    with store.write() as unit:
        unit.restrict(person.subject, person.created_at)
        unit.hold(person.subject, person.created_at, "case/1")
        unit.commit()
    with store.read() as unit:
        found = unit.person(person.ref)
    assert found is not None
    assert (found.restricted_at, found.held_until) == (person.created_at, person.created_at)
    assert found.hold_reference == "case/1"
    with store.write() as unit:
        unit.restrict(person.subject, None)
        unit.hold(person.subject, None, "")
        unit.commit()
    with store.read() as unit:
        assert unit.person(person.ref) == person


def test_an_unknown_person_is_none(store: SqlStore) -> None:
    with store.write() as unit:
        assert unit.person(PersonRef(bytes(32))) is None
        assert unit.person(PersonRef(bytes(32)), lock=True) is None
        assert unit.person_by_subject(SubjectId(bytes(16))) is None


def test_totals_count_people_and_memories(store: SqlStore) -> None:
    with store.read() as unit:
        assert unit.totals() == (0, 0)
    stored_person(store, memories=2)
    stored_person(store, memories=3)
    with store.read() as unit:
        assert unit.totals() == (2, 5)


def test_a_person_is_added_once_the_slower_server_repeats_its_call(store: SqlStore) -> None:
    person = stored_person(store)
    with store.write() as unit, pytest.raises(StorageUnavailableError):
        unit.add_person(a_person(ref=person.ref))
    with store.read() as unit:
        assert unit.person(person.ref) == person


def test_numbers_are_reserved_in_a_row(store: SqlStore) -> None:
    subject = stored_person(store).subject
    with store.write() as unit:
        assert unit.next_seq(subject, 3) == 1
        assert unit.next_seq(subject, 1) == 4
        unit.commit()
    with store.write() as unit:
        assert unit.next_seq(subject, 1) == 5


def test_eight_threads_reserve_every_number_once(store: SqlStore) -> None:
    subject = stored_person(store).subject

    def reserve(_: int) -> int:
        with store.write() as unit:
            seq = unit.next_seq(subject, 1)
            unit.commit()
        return seq

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(reserve, range(80))) == list(range(1, 81))


def test_nothing_is_numbered_for_a_fenced_or_unknown_person(store: SqlStore) -> None:
    person = stored_person(store)
    with store.write() as unit:
        unit.fence(person.subject, an_erasure(person))
        unit.commit()
    for subject in (person.subject, SubjectId(bytes(16))):
        with store.write() as unit, pytest.raises(ErasureInProgressError):
            unit.next_seq(subject, 1)


def test_a_locked_person_waits_for_the_end_of_the_transaction(store: SqlStore) -> None:
    person = stored_person(store)
    started, entered = threading.Event(), threading.Event()

    def second() -> None:
        started.set()
        with store.write() as unit:
            unit.person(person.ref, lock=True)
            entered.set()

    with ThreadPoolExecutor(1) as threads:
        with store.write() as unit:
            unit.person(person.ref, lock=True)
            other = threads.submit(second)
            assert started.wait(10)
            assert not entered.wait(0.3)
        assert entered.wait(10)
        other.result()


def test_a_lock_keeps_a_fence_out_until_the_memory_is_stored(store: SqlStore) -> None:
    """Store and Forget at once: either the memory is fenced out, or it is there to be erased."""
    person = stored_person(store)

    def forget() -> None:
        with store.write() as unit:
            unit.fence(person.subject, an_erasure(person))
            unit.commit()

    with ThreadPoolExecutor(1) as threads:
        with store.write() as unit:
            unit.next_seq(person.subject, 1)
            fence = threads.submit(forget)
            assert not fence.done()
            unit.commit()
        fence.result(10)
    with store.write() as unit, pytest.raises(ErasureInProgressError):
        unit.next_seq(person.subject, 1)
