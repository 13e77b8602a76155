"""The store forgets: a fence, a dead key, and everything that hung on the person gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import make_url

from memory.adapters.sql.erasures import LEASE
from memory.adapters.sql.store import SqlStore
from memory.adapters.sql.tables import metadata
from memory.core.values import SubjectId, TenantId
from memory.ports import ErasureCall, ErasureRow, ErasureState, PersonState, Scope, WrappedKey
from tests.contract.conftest import MovableClock, administer
from tests.contract.rows import (
    ANY,
    THEN,
    a_record,
    an_erasure,
    as_stored,
    everything_of,
    stored_person,
)


def test_a_fence_holds_the_person_and_opens_an_erasure(store: SqlStore) -> None:
    person = stored_person(store)
    erasure = an_erasure(person)
    with store.write() as unit:
        unit.fence(person.subject, erasure)
        unit.commit()
    with store.read() as unit:
        assert unit.person(person.ref) == replace(person, state=PersonState.ERASING)
        assert unit.unfinished_erasures() == [erasure]


def test_an_erasure_goes_on_until_it_is_done(store: SqlStore) -> None:
    person = stored_person(store)
    later = an_erasure(person, started_at=THEN + timedelta(hours=1))
    erasure = an_erasure(person)
    with store.write() as unit:
        unit.put_erasure(later)
        unit.put_erasure(erasure)
        erasure = replace(erasure, state=ErasureState.KEY_DESTROYED)
        unit.put_erasure(erasure)
        assert unit.unfinished_erasures() == [erasure, later]
        done = replace(
            erasure, state=ErasureState.DONE, subject=None, collection="", finished_at=THEN
        )
        unit.put_erasure(done)
        assert unit.unfinished_erasures() == [later]


def test_a_destroyed_key_is_zeros_of_the_same_length(store: SqlStore) -> None:
    person, other = stored_person(store), stored_person(store)
    with store.write() as unit:
        unit.destroy_person_key(person.subject)
        unit.destroy_person_key(SubjectId(bytes(16)))
        unit.commit()
    with store.read() as unit:
        zeros = WrappedKey(1, bytes(len(person.wrapped_key.value)))
        assert unit.person(person.ref) == replace(person, wrapped_key=zeros)
        assert unit.person(other.ref) == other


def test_deleting_a_person_empties_every_table_of_them_but_the_erasure(
    store: SqlStore, row_counts: Callable[[], dict[str, int]]
) -> None:
    person, other = stored_person(store), stored_person(store)
    everything_of(store, person)
    kept = everything_of(store, other)
    other = as_stored(store, other)
    knows_nobody = {"deployment", "erasures", "key_epochs", "rotations", "retired_collections"}
    knows_nobody |= {"rights_requests"}  # outlives the person: see test_store_requests.py
    knows_nobody |= {name for name in metadata.tables if name.startswith(("ledger_", "operator_"))}
    hangs = [name for name in metadata.tables if name not in knows_nobody]
    assert [row_counts()[name] for name in hangs] == [2] * len(hangs)

    erasure = an_erasure(person)
    with store.write() as unit:
        unit.fence(person.subject, erasure)
        unit.delete_person(person.subject)
        unit.delete_person(person.subject)
        unit.commit()

    assert [row_counts()[name] for name in hangs] == [1] * len(hangs)
    with store.read() as unit:
        assert unit.person(person.ref) is None
        assert unit.person(other.ref) == other
        assert unit.memory(other.subject, kept) is not None
        assert unit.unfinished_erasures() == [erasure]


def test_no_table_holds_a_subject_without_a_cascade(store: SqlStore, url: str) -> None:
    """A table that is added later and knows the person must go with them, too."""
    engine = administer(url)
    if make_url(url).drivername == "sqlite":
        query = (
            "SELECT m.name FROM sqlite_master m, pragma_foreign_key_list(m.name) f "
            "WHERE f.\"table\" = 'persons' AND f.on_delete = 'CASCADE'"
        )
    else:
        query = (
            "SELECT conrelid::regclass::text FROM pg_constraint "
            "WHERE contype = 'f' AND confrelid = 'persons'::regclass AND confdeltype = 'c'"
        )
    with engine.connect() as connection:
        cascading = set(connection.exec_driver_sql(query).scalars())
    engine.dispose()
    knowing = {name for name, table in metadata.tables.items() if "subject" in table.c}
    # The register of requests outlives the person, and then names nobody.
    assert knowing - cascading == {"persons", "erasures", "rights_requests"}


def test_someone_who_was_forgotten_may_come_back_as_someone_new(store: SqlStore) -> None:
    person = stored_person(store)
    with store.write() as unit:
        unit.delete_person(person.subject)
        again = replace(person, subject=SubjectId(b"n" * 16), collection="another")
        unit.add_person(again)
        unit.commit()
    with store.read() as unit:
        assert unit.person(person.ref) == again
        assert unit.person_by_subject(person.subject) is None


def test_an_erasure_reads_back_as_it_was_written(store: SqlStore) -> None:
    person = stored_person(store)
    erasure = an_erasure(
        person,
        call=ErasureCall.ERASE_MEMORIES,
        scope=Scope(False, ("care",), ("fact",), ("time",)),
        at_once=True,
        pseudonym=b"p" * 16,
        key_version=2,
        epoch=3,
        key_destroyed_at=THEN,
        swept_at=THEN,
        before={"memories": 2},
        after={"memories": 0},
        scan={"performed": False},
        intent=b"intent",
        certificate=b"certificate",
        waits_for="INDEX_UNAVAILABLE",
    )
    with store.write() as unit:
        unit.put_erasure(erasure)
        unit.commit()
    with store.read() as unit:
        assert unit.erasure(erasure.id) == erasure
        assert unit.erasure(a_record()) is None


def test_a_worker_that_comes_late_changes_nothing(store: SqlStore) -> None:
    erasure = an_erasure(stored_person(store))
    swept = replace(erasure, state=ErasureState.SWEPT)
    with store.write() as unit:
        unit.put_erasure(erasure)
        assert unit.advance_erasure(swept, ErasureState.FENCED)
        late = replace(erasure, state=ErasureState.KEY_DESTROYED)
        assert not unit.advance_erasure(late, ErasureState.FENCED)
        assert unit.erasure(erasure.id) == swept


def test_one_that_is_done_stays_owed_until_its_epoch_is_destroyed(store: SqlStore) -> None:
    person = stored_person(store)
    done = an_erasure(person, state=ErasureState.DONE, epoch=3)
    with store.write() as unit:
        unit.put_erasure(done)
        unit.put_erasure(an_erasure(person, state=ErasureState.DONE))
        assert unit.unfinished_erasures() == []
        assert unit.unsettled_erasures() == [done]
        unit.put_erasure(replace(done, epoch_destroyed_at=THEN))
        assert unit.unsettled_erasures() == []


def test_one_worker_at_a_time_holds_an_erasure(store: SqlStore, clock: MovableClock) -> None:
    erasure = an_erasure(stored_person(store))
    with store.write() as unit:
        unit.put_erasure(erasure)
        assert unit.hold_erasure(erasure.id, b"one")
        assert unit.hold_erasure(erasure.id, b"one")
        assert not unit.hold_erasure(erasure.id, b"two")
        clock.advance(LEASE)
        assert unit.hold_erasure(erasure.id, b"two")
        assert not unit.hold_erasure(erasure.id, b"one")


def test_erasures_are_paged_newest_first_within_their_tenant(store: SqlStore) -> None:
    person = stored_person(store)
    rows = [an_erasure(person, started_at=THEN + timedelta(hours=n // 2)) for n in range(5)]
    rival = an_erasure(replace(person, tenant=TenantId("rival")))
    with store.write() as unit:
        for row in (*rows, rival):
            unit.put_erasure(row)
        unit.commit()
    seen: list[ErasureRow] = []
    with store.read() as unit:
        before = None
        while page := unit.erasures(person.tenant, before, 2):
            seen += page
            before = page[-1].id
        assert unit.erasures(person.tenant, a_record(), 2) == []
    assert sorted(seen, key=lambda e: (e.started_at, e.id.value), reverse=True) == seen
    assert {e.id for e in seen} == {e.id for e in rows}


def test_the_rows_of_a_person_are_counted_and_deleted_batch_by_batch(store: SqlStore) -> None:
    person, other = stored_person(store, memories=5), stored_person(store, memories=2)
    everything_of(store, person)
    with store.write() as unit:
        counted = unit.rows_of(person.subject)
        assert (counted["memories"], counted["persons"], counted["consents"]) == (6, 1, 1)
        assert "erasures" not in counted
        assert [unit.delete_rows(person.subject, 4) for _ in range(3)] == [4, 2, 0]
        unit.delete_person(person.subject)
        assert set(unit.rows_of(person.subject).values()) == {0}
        assert unit.rows_of(other.subject)["memories"] == 2


def test_what_an_indexer_has_in_hand_is_waited_for_and_the_rest_dropped(
    store: SqlStore, clock: MovableClock
) -> None:
    person = stored_person(store, memories=3)
    with store.write() as unit:
        unit.claim_index_tasks(1)
        assert unit.drop_tasks(person.subject) == 0
        assert (unit.claimed_tasks(person.subject), unit.index_backlog()) == (1, 1)
        clock.advance(timedelta(minutes=5))
        assert unit.claimed_tasks(person.subject) == 0
        assert unit.drop_tasks(person.subject) == 1
        assert unit.index_backlog() == 0


def test_the_fenced_and_the_gone_are_told_from_the_active(store: SqlStore) -> None:
    active, fenced = stored_person(store), stored_person(store)
    gone = SubjectId(bytes(16))
    with store.write() as unit:
        unit.fence(fenced.subject, an_erasure(fenced))
        everyone = [active.subject, fenced.subject, gone]
        assert unit.still_active(everyone) == {active.subject}


def test_memories_are_erased_once_and_owed_to_the_index(store: SqlStore) -> None:
    person = stored_person(store, memories=3)
    with store.write() as unit:
        ids = [head.id for head in unit.heads(person.subject, ANY)]
        assert unit.erase_memories(person.subject, [ids[0], ids[0], ids[1], a_record()]) == 2
        assert [head.id for head in unit.heads(person.subject, ANY)] == ids[2:]
