"""The outbox owes the index each change until it is finished, whatever happens in between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from memory.adapters.sql.outbox import LEASE
from memory.adapters.sql.store import SqlStore, open_store
from memory.core.values import RecordId, SubjectId
from memory.ports import IndexOp, IndexTask
from tests.contract.conftest import MovableClock
from tests.contract.rows import ANY, add_memory, stored_person


def claim(store: SqlStore, limit: int = 100) -> list[IndexTask]:
    with store.write() as unit:
        tasks = unit.claim_index_tasks(limit)
        unit.commit()
    return tasks


def finish(store: SqlStore, tasks: list[IndexTask]) -> None:
    with store.write() as unit:
        unit.finish_index_tasks([task.id for task in tasks])
        unit.commit()


def backlog(store: SqlStore) -> int:
    with store.read() as unit:
        return unit.index_backlog()


def unindexed(store: SqlStore, subject: SubjectId) -> list[RecordId]:
    with store.read() as unit:
        return [row.id for row in unit.unindexed_heads(subject, ANY)]


def oldest(store: SqlStore) -> datetime | None:
    with store.read() as unit:
        return unit.oldest_unindexed()


def owed(tasks: list[IndexTask]) -> list[tuple[RecordId, IndexOp]]:
    return [(task.record, task.op) for task in tasks]


def test_a_stored_memory_is_owed_to_the_index_until_it_is_finished(store: SqlStore) -> None:
    subject = stored_person(store).subject
    memory = add_memory(store, subject)
    tasks = claim(store)
    assert [(task.subject, task.record, task.op) for task in tasks] == [
        (subject, memory.id, IndexOp.UPSERT)
    ]
    assert (unindexed(store, subject), backlog(store)) == ([memory.id], 1)
    finish(store, tasks)
    assert (unindexed(store, subject), backlog(store)) == ([], 0)
    finish(store, tasks)
    finish(store, [])


def test_the_memory_owed_for_longest_is_the_oldest_unindexed(store: SqlStore) -> None:
    subject = stored_person(store).subject
    assert oldest(store) is None
    first, second = add_memory(store, subject), add_memory(store, subject)
    assert first.updated_at < second.updated_at
    assert oldest(store) == first.updated_at
    finish(store, claim(store, limit=1))
    assert oldest(store) == second.updated_at
    finish(store, claim(store))
    with store.write() as unit:
        unit.delete_memory(subject, first.id)
        unit.commit()
    assert (backlog(store), oldest(store)) == (1, None)


def test_what_is_rolled_back_is_not_owed(store: SqlStore) -> None:
    person = stored_person(store, memories=1)
    finish(store, claim(store))
    with store.write() as unit:
        row = unit.page_memories(person.subject, ANY, 0, 1)[0]
        unit.delete_memory(person.subject, row.id)
    assert backlog(store) == 0


def test_tasks_come_in_the_order_of_the_changes_up_to_the_limit(store: SqlStore) -> None:
    subject = stored_person(store).subject
    first, second = add_memory(store, subject), add_memory(store, subject)
    with store.write() as unit:
        unit.replace_memory(replace(first, version=2), expected_version=1)
        unit.delete_memory(subject, second.id)
        unit.commit()
    tasks = claim(store, limit=3)
    assert owed(tasks) == [
        (first.id, IndexOp.UPSERT),
        (second.id, IndexOp.UPSERT),
        (first.id, IndexOp.UPSERT),
    ]
    finish(store, tasks)
    assert owed(claim(store)) == [(second.id, IndexOp.DELETE)]


def test_an_update_between_claim_and_finish_stays_owed(store: SqlStore) -> None:
    subject = stored_person(store).subject
    memory = add_memory(store, subject)
    tasks = claim(store)
    with store.write() as unit:
        assert unit.replace_memory(replace(memory, version=2), expected_version=1)
        unit.commit()
    finish(store, tasks)
    assert unindexed(store, subject) == [memory.id]
    assert owed(claim(store)) == [(memory.id, IndexOp.UPSERT)]


def test_a_memory_that_waits_twice_is_one_unindexed_memory(store: SqlStore) -> None:
    subject = stored_person(store).subject
    memory = add_memory(store, subject)
    with store.write() as unit:
        unit.replace_memory(replace(memory, version=2), expected_version=1)
        unit.commit()
    assert unindexed(store, subject) == [memory.id]


def test_a_deleted_memory_is_owed_but_no_longer_found(store: SqlStore) -> None:
    subject = stored_person(store).subject
    memory = add_memory(store, subject)
    with store.write() as unit:
        unit.delete_memory(subject, memory.id)
        unit.commit()
    assert unindexed(store, subject) == []
    assert owed(claim(store)) == [(memory.id, IndexOp.UPSERT), (memory.id, IndexOp.DELETE)]


def test_a_claimed_task_is_not_given_to_another_worker(store: SqlStore) -> None:
    stored_person(store, memories=2)
    assert len(claim(store)) == 2
    assert claim(store) == []
    assert backlog(store) == 2


def test_a_worker_that_fails_releases_its_tasks_at_once(store: SqlStore) -> None:
    stored_person(store, memories=2)
    tasks = claim(store)
    with store.write() as unit:
        unit.release_index_tasks([task.id for task in tasks])
        unit.release_index_tasks([])
        unit.commit()
    assert claim(store) == tasks


def test_a_dead_worker_gives_its_tasks_back_after_the_lease(
    store: SqlStore, clock: MovableClock
) -> None:
    stored_person(store, memories=2)
    tasks = claim(store)
    clock.advance(LEASE - timedelta(seconds=1))
    assert claim(store) == []
    clock.advance(timedelta(seconds=1))
    assert claim(store) == tasks


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_one_process_of_sqlite_takes_its_claims_up_at_once(
    store: SqlStore, url: str, clock: MovableClock
) -> None:
    stored_person(store, memories=2)
    tasks = claim(store)
    store.close()
    again = open_store(url, clock=clock)
    assert claim(again) == tasks
    again.close()


def test_one_worker_at_a_time_has_the_tasks_of_a_person(store: SqlStore) -> None:
    """Or one worker's late upsert would bring back what another has already deleted."""
    mine, yours = stored_person(store).subject, stored_person(store).subject
    memory = add_memory(store, mine)
    mine_first = claim(store)
    with store.write() as unit:
        unit.delete_memory(mine, memory.id)
        unit.commit()
    other = add_memory(store, yours)
    assert owed(claim(store)) == [(other.id, IndexOp.UPSERT)]
    finish(store, mine_first)
    assert owed(claim(store)) == [(memory.id, IndexOp.DELETE)]


def test_workers_at_once_share_the_tasks_without_overlap(store: SqlStore) -> None:
    people = [stored_person(store, memories=5) for _ in range(8)]

    def work(_: int) -> list[IndexTask]:
        done = []
        while tasks := claim(store, limit=3):
            finish(store, tasks)
            done += tasks
        return done

    with ThreadPoolExecutor(4) as threads:
        shares = list(threads.map(work, range(4)))
    ids = [task.id for share in shares for task in share]
    assert len(ids) == len(set(ids)) == 5 * len(people) - backlog(store)
    # A worker may have stopped while another held the rest; the last one takes it.
    assert len(ids) + len(work(0)) == 5 * len(people)


def test_a_rebuild_owes_every_memory_of_the_person_again(store: SqlStore) -> None:
    subject = stored_person(store, memories=3).subject
    stored_person(store, memories=2)
    finish(store, claim(store))
    with store.write() as unit:
        assert unit.queue_all(subject) == 3
        assert unit.queue_all(SubjectId(bytes(16))) == 0
        unit.commit()
    tasks = claim(store)
    assert len(tasks) == 3
    assert {(task.subject, task.op) for task in tasks} == {(subject, IndexOp.UPSERT)}


def test_a_finished_id_never_names_a_later_task(store: SqlStore) -> None:
    person = stored_person(store, memories=1)
    old = claim(store)
    with store.write() as unit:
        unit.delete_person(person.subject)
        unit.commit()
    stored_person(store, memories=1)
    finish(store, old)
    assert backlog(store) == 1
