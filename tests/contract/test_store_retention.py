"""What is due stands in SQL, and is claimed by one worker at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from memory.adapters.sql.store import SqlStore
from memory.core.values import PurposeId, SubjectId, TenantId
from memory.ports import ErasureState, MemoryFilter, MemoryRow, PersonRow
from tests.contract.conftest import MovableClock
from tests.contract.rows import THEN, a_person, add_memory, an_erasure, as_stored, stored_person

DAY = timedelta(days=1)
SUPPORT = PurposeId("support")


def _claimed(store: SqlStore, now: datetime, limit: int = 100) -> list[MemoryRow | None]:
    with store.write() as uow:
        return [uow.memory(*found) for found in uow.claim_expired(now, limit)]


def _heads(store: SqlStore, subject: SubjectId, at: datetime | None) -> set[bytes]:
    with store.read() as uow:
        return {head.id.value for head in uow.heads(subject, MemoryFilter(alive_at=at))}


def test_what_has_expired_is_in_no_answer_from_that_instant_on(store: SqlStore) -> None:
    subject = stored_person(store).subject
    kept = add_memory(store, subject)
    short = add_memory(store, subject, expires_at=THEN + DAY)
    at, both = MemoryFilter(alive_at=THEN + DAY), {kept.id.value, short.id.value}
    assert _heads(store, subject, THEN + DAY - timedelta(microseconds=1)) == both
    assert _heads(store, subject, THEN + DAY) == {kept.id.value}
    assert _heads(store, subject, None) == both
    with store.read() as uow:
        assert uow.count_memories(subject, at) == 1
        assert uow.memories(subject, [short.id, kept.id], at) == [kept]
        assert uow.page_memories(subject, at, -1, 10) == [kept]
        assert [h.id for h in uow.unindexed_heads(subject, at)] == [kept.id]
        assert uow.memory(subject, short.id) == short
        assert uow.next_expiry(subject, at) is None
        assert uow.next_expiry(subject, MemoryFilter(alive_at=THEN)) == THEN + DAY


def test_an_end_can_be_moved_and_taken_away(store: SqlStore) -> None:
    memory = add_memory(store, stored_person(store).subject, expires_at=THEN + DAY)
    for end in (THEN + 2 * DAY, None):
        memory = replace(memory, expires_at=end, version=memory.version + 1)
        with store.write() as uow:
            assert uow.replace_memory(memory, memory.version - 1)
            uow.commit()
        with store.read() as uow:
            assert uow.memory(memory.subject, memory.id) == memory


def test_the_longest_expired_are_claimed_first(store: SqlStore) -> None:
    subject = stored_person(store).subject
    made = [add_memory(store, subject, expires_at=THEN + n * DAY) for n in (3, 1, 2)]
    add_memory(store, subject)
    assert _claimed(store, THEN) == []
    assert _claimed(store, THEN + 2 * DAY) == [made[1], made[2]]
    assert _claimed(store, THEN + 9 * DAY, 1) == [made[1]]
    with store.read() as uow:
        assert uow.expired(THEN) == (0, None)
        assert uow.expired(THEN + 2 * DAY) == (2, THEN + DAY)


def test_a_person_being_forgotten_or_held_is_left_out(store: SqlStore, clock: MovableClock) -> None:
    fenced, held = stored_person(store), stored_person(store)
    for person in (fenced, held):
        add_memory(store, person.subject, expires_at=THEN + DAY)
    with store.write() as uow:
        uow.fence(fenced.subject, an_erasure(fenced, state=ErasureState.FENCED))
        uow.hold(held.subject, THEN + 9 * DAY, "case-1")
        uow.commit()
    assert _claimed(store, THEN + 8 * DAY) == []
    assert len(_claimed(store, THEN + 9 * DAY)) == 1
    with store.read() as uow:
        assert uow.expired(THEN + 8 * DAY)[0] == 2


def test_what_one_worker_has_in_hand_another_passes_over(store: SqlStore, url: str) -> None:
    if url.startswith("sqlite"):
        return  # one writer at a time: there is no other worker
    one, two = stored_person(store), stored_person(store)
    for person in (one, two):
        add_memory(store, person.subject, expires_at=THEN)
    with store.write() as here, store.write() as there:
        ((first, _),) = here.claim_expired(THEN, 1)
        ((second, _),) = there.claim_expired(THEN, 10)
        assert {first, second} == {one.subject, two.subject}
        assert here.claim_expired(THEN, 10) == here.claim_expired(THEN, 1)


def test_a_shortened_retention_reaches_what_is_stored(store: SqlStore) -> None:
    person = stored_person(store)
    endless, early, other = (
        add_memory(store, person.subject, **fields)
        for fields in ({}, {"expires_at": THEN + DAY}, {"purpose": PurposeId("else")})
    )
    assert _shorten(store, person, 30 * DAY) == 1
    with store.read() as uow:
        ended = uow.memory(person.subject, endless.id)
        assert ended is not None
        assert ended.expires_at == endless.stored_at + 30 * DAY
        assert uow.memory(person.subject, early.id) == early
        assert uow.memory(person.subject, other.id) == other


def test_a_lengthened_retention_does_not(store: SqlStore) -> None:
    person = stored_person(store)
    add_memory(store, person.subject, expires_at=THEN + DAY)
    before = as_stored(store, person)
    assert _shorten(store, person, 30 * DAY) == 0
    assert as_stored(store, person) == before


def test_shortening_tells_who_opened_it_before(store: SqlStore) -> None:
    person, other = stored_person(store, 1), stored_person(store, 1)
    _shorten(store, person, DAY)
    assert as_stored(store, person).revision > person.revision
    assert as_stored(store, other).revision > other.revision
    assert _shorten(store, person, DAY) == 0


def test_another_tenant_keeps_its_own_retention(store: SqlStore) -> None:
    theirs = a_person(tenant=TenantId("globex"))
    with store.write() as uow:
        uow.add_person(theirs)
        uow.commit()
    memory = add_memory(store, theirs.subject)
    assert _shorten(store, stored_person(store, 1), DAY) == 1
    with store.read() as uow:
        assert uow.memory(theirs.subject, memory.id) == memory
        assert set(uow.tenants()) == {TenantId("acme"), TenantId("globex")}


def _shorten(store: SqlStore, person: PersonRow, retention: timedelta) -> int:
    with store.write() as uow:
        changed = uow.shorten_retention(person.tenant, SUPPORT, retention)
        uow.commit()
    return changed
