"""What a deletion or correction leaves in the index's files is owed until it is purged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from memory.adapters.sql.store import SqlStore
from memory.core.values import SubjectId
from memory.ports import Purge
from tests.contract.conftest import MovableClock
from tests.contract.rows import add_memory, stored_person

BOUND = timedelta(minutes=5)


def due(store: SqlStore, clock: MovableClock) -> list[Purge]:
    with store.read() as unit:
        return unit.due_purges(clock() - BOUND)


def work_off(store: SqlStore) -> None:
    with store.write() as unit:
        unit.finish_index_tasks([task.id for task in unit.claim_index_tasks(100)])
        unit.commit()


def delete(store: SqlStore, subject: SubjectId) -> None:
    memory = add_memory(store, subject)
    with store.write() as unit:
        assert unit.delete_memory(subject, memory.id)
        unit.commit()
    work_off(store)


def test_a_purge_is_due_when_the_first_deletion_is_old_enough(
    store: SqlStore, clock: MovableClock
) -> None:
    subject = stored_person(store).subject
    delete(store, subject)
    assert due(store, clock) == []
    clock.advance(BOUND / 2)
    delete(store, subject)
    clock.advance(BOUND / 2)
    assert [purge.subject for purge in due(store, clock)] == [subject]


def test_a_correction_owes_a_purge_and_a_new_memory_does_not(
    store: SqlStore, clock: MovableClock
) -> None:
    subject = stored_person(store).subject
    memory = add_memory(store, subject)
    work_off(store)
    clock.advance(BOUND)
    assert due(store, clock) == []
    with store.write() as unit:
        assert unit.replace_memory(replace(memory, version=memory.version + 1), memory.version)
        unit.commit()
    work_off(store)
    clock.advance(BOUND)
    assert len(due(store, clock)) == 1


def test_what_is_deleted_during_a_purge_stays_owed(store: SqlStore, clock: MovableClock) -> None:
    subject = stored_person(store).subject
    delete(store, subject)
    clock.advance(BOUND)
    (purge,) = due(store, clock)
    delete(store, subject)
    with store.write() as unit:
        unit.purged(purge)
        unit.commit()
    assert due(store, clock) == []
    clock.advance(BOUND)
    (again,) = due(store, clock)
    with store.write() as unit:
        unit.purged(again)
        unit.commit()
    clock.advance(BOUND)
    assert due(store, clock) == []


def test_nobody_is_purged_whose_vectors_an_indexer_has_in_hand(
    store: SqlStore, clock: MovableClock
) -> None:
    subject = stored_person(store).subject
    delete(store, subject)
    add_memory(store, subject)
    clock.advance(BOUND)
    with store.write() as unit:
        tasks = unit.claim_index_tasks(100)
        unit.commit()
    assert due(store, clock) == []
    with store.write() as unit:
        unit.finish_index_tasks([task.id for task in tasks])
        unit.commit()
    assert len(due(store, clock)) == 1


def test_the_forgotten_owe_nothing(store: SqlStore, clock: MovableClock) -> None:
    subject = stored_person(store).subject
    delete(store, subject)
    with store.write() as unit:
        unit.delete_person(subject)
        unit.commit()
    clock.advance(BOUND)
    assert due(store, clock) == []
