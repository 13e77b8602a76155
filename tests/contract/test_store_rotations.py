"""Which key lies under which epoch, and who may change that: the store's part of a rotation."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from memory.adapters.sql.rotations import LEASE
from memory.adapters.sql.store import SqlStore
from memory.core.pseudonyms import Entity
from memory.core.values import SealedRecord
from memory.errors import KeyMovedError, StorageUnavailableError
from memory.ports import KeyEpoch, RotationRow, RotationState, WrappedKey
from tests.contract.conftest import MovableClock
from tests.contract.rows import (
    ANY,
    THEN,
    a_person,
    a_record,
    add_memory,
    an_erasure,
    stored_person,
)


def _rotation(**changes: object) -> RotationRow:
    return replace(RotationRow(a_record(), RotationState.BEGUN, 0, 0, THEN), **changes)  # type: ignore[arg-type]


def _begin(store: SqlStore) -> RotationRow:
    rotation = _rotation()
    with store.write() as uow:
        uow.add_rotation(rotation)
        uow.commit()
    return rotation


def test_a_key_is_replaced_only_where_it_is_what_was_read(store: SqlStore) -> None:
    person = stored_person(store)
    new, newer = WrappedKey(2, os.urandom(60)), WrappedKey(3, os.urandom(60))
    with store.write() as uow:
        assert uow.replace_key(person, new)
        assert not uow.replace_key(person, newer)
        uow.commit()
    with store.read() as uow:
        assert uow.person(person.ref) == replace(person, wrapped_key=new)


def test_a_destroyed_key_is_not_replaced(store: SqlStore) -> None:
    person = stored_person(store)
    with store.write() as uow:
        uow.fence(person.subject, an_erasure(person))
        assert not uow.replace_key(person, WrappedKey(2, b"x"))
        uow.commit()


def test_the_root_is_replaced_only_where_it_is_what_was_read(store: SqlStore) -> None:
    old, new = WrappedKey(1, b"old"), WrappedKey(2, b"new")
    store.set_root_key(old)
    with store.write() as uow:
        assert uow.replace_root_key(old, new)
        assert not uow.replace_root_key(old, WrappedKey(3, b"newer"))
        uow.commit()
    assert store.root_key() == new


def test_keys_are_counted_by_epoch_with_the_root_and_without_the_forgotten(
    store: SqlStore,
) -> None:
    store.set_root_key(WrappedKey(2, b"root"))
    people = [a_person(wrapped_key=WrappedKey(epoch, b"key")) for epoch in (2, 2, 3, 4)]
    with store.write() as uow:
        for person in people:
            uow.add_person(person)
        uow.fence(people[-1].subject, an_erasure(people[-1]))
        uow.commit()
    with store.read() as uow:
        assert uow.keys_by_epoch() == {2: 3, 3: 1}
        below = uow.people_after(None, 10, below_epoch=3)
        assert {p.subject for p in below} == {p.subject for p in people[:2]}
        everyone = uow.people_after(None, 10)
        assert [p.subject.value for p in everyone] == sorted(p.subject.value for p in people[:3])
        assert uow.people_after(everyone[0].subject, 1) == everyone[1:2]


def test_no_key_under_an_older_epoch_than_the_roots_is_let_in(store: SqlStore) -> None:
    store.set_root_key(WrappedKey(2, b"root"))
    with store.write() as uow:
        with pytest.raises(KeyMovedError):
            uow.add_person(a_person(wrapped_key=WrappedKey(1, b"old")))
        person = a_person(wrapped_key=WrappedKey(2, b"new"))
        uow.add_person(person)
        with pytest.raises(KeyMovedError):
            uow.rekey_person(replace(person, wrapped_key=WrappedKey(1, b"old")))
        uow.commit()


def test_a_root_does_not_move_past_a_key_that_is_being_let_in(store: SqlStore) -> None:
    """Either the key is there for the rotator to see, or it is refused."""
    old = WrappedKey(1, b"root")
    store.set_root_key(old)
    moved = threading.Event()

    def move() -> None:
        with store.write() as uow:
            uow.replace_root_key(old, WrappedKey(2, b"root"))
            uow.commit()
        moved.set()

    with ThreadPoolExecutor(1) as threads:
        with store.write() as uow:
            uow.add_person(a_person(wrapped_key=WrappedKey(1, b"key")))
            mover = threads.submit(move)
            assert not moved.wait(0.3)
            uow.commit()
        mover.result(10)
    with store.read() as uow:
        assert uow.keys_by_epoch() == {1: 1, 2: 1}


def test_one_rotation_at_a_time(store: SqlStore) -> None:
    first = _begin(store)
    with store.write() as uow, pytest.raises(StorageUnavailableError):
        uow.add_rotation(_rotation(state=RotationState.MOVING))
    done = replace(first, state=RotationState.DONE, epoch=2, keys=7, finished_at=THEN)
    with store.write() as uow:
        assert uow.unfinished_rotation() == first
        uow.put_rotation(done)
        uow.add_rotation(_rotation())
        uow.commit()
    with store.read() as uow:
        assert uow.rotation(first.id) == done
        assert uow.rotation(a_record()) is None


def test_a_rotation_is_led_by_one_worker_until_its_lease_runs_out(
    store: SqlStore, clock: MovableClock
) -> None:
    rotation = _begin(store)

    def claim(worker: bytes) -> RotationRow | None:
        with store.write() as uow:
            claimed = uow.claim_rotation(worker)
            uow.commit()
        return claimed

    assert claim(b"one") == rotation
    assert claim(b"other") is None
    clock.advance(LEASE - timedelta(seconds=1))
    assert claim(b"one") == rotation
    clock.advance(LEASE - timedelta(seconds=1))
    assert claim(b"other") is None
    clock.advance(timedelta(seconds=2))
    assert claim(b"other") == rotation
    assert claim(b"one") is None


def test_epochs_are_written_down_once(store: SqlStore) -> None:
    with store.write() as uow:
        for number in (1, 2, 1):
            uow.add_key_epoch(KeyEpoch(number, THEN + timedelta(days=number)))
        uow.key_epoch_destroyed(1, THEN + timedelta(days=5))
        uow.key_epoch_destroyed(1, THEN + timedelta(days=6))
        uow.commit()
    with store.read() as uow:
        assert list(uow.key_epochs()) == [
            KeyEpoch(1, THEN + timedelta(days=1), THEN + timedelta(days=5)),
            KeyEpoch(2, THEN + timedelta(days=2)),
        ]


def test_a_person_is_sealed_anew_where_nothing_changed_meanwhile(store: SqlStore) -> None:
    person = stored_person(store)
    same, changed = add_memory(store, person.subject), add_memory(store, person.subject)
    anew = SealedRecord(b"anew")
    rows = [
        replace(same, body=anew, key_version=2, session_tag=b"t" * 16),
        replace(changed, body=anew, version=changed.version + 1),
    ]
    with store.write() as uow:
        uow.reseal_memories(rows)
        now = uow.person(person.ref)
        assert now is not None
        rekeyed = replace(
            now, key_version=2, wrapped_key=WrappedKey(5, b"new"), collection="another"
        )
        uow.rekey_person(rekeyed)
        uow.commit()
    with store.read() as uow:
        after = now.revision + 1
        assert uow.person(person.ref) == replace(rekeyed, revision=after, rearranged=after)
        assert uow.memory(person.subject, same.id) == rows[0]
        assert uow.memory(person.subject, changed.id) == changed
        assert uow.count_memories(person.subject, ANY) == 2


def test_a_vault_is_replaced_whole(store: SqlStore) -> None:
    person, other = stored_person(store), stored_person(store)
    one, two = Entity("PERSON", 1), Entity("PERSON", 2)
    with store.write() as uow:
        for subject in (person.subject, other.subject):
            uow.add_entities(subject, [(one, SealedRecord(b"a"))], {b"x": one, b"y": one})
        sealed = [(one, SealedRecord(b"b")), (two, SealedRecord(b"c"))]
        uow.replace_vault(person.subject, sealed, {b"z": two})
        uow.commit()
    with store.read() as uow:
        assert uow.vault(person.subject) == sealed
        assert uow.aliases(person.subject) == {b"z": two}
        assert uow.aliases(other.subject) == {b"x": one, b"y": one}


def test_a_retired_collection_is_owed_until_it_is_gone(store: SqlStore) -> None:
    name = os.urandom(16).hex()
    with store.write() as uow:
        uow.retire_collection(name, THEN)
        uow.commit()
    with store.write() as uow:
        assert uow.retired_collections()[name] == THEN
        uow.collection_is_gone(name)
        uow.commit()
    with store.read() as uow:
        assert name not in uow.retired_collections()
