"""The store keeps each person's pseudonyms, and what was answered to which request."""

from __future__ import annotations

import pytest

from memory.adapters.sql.store import SqlStore
from memory.core.pseudonyms import Entity
from memory.core.values import SealedRecord
from memory.errors import StorageUnavailableError
from tests.contract.rows import a_record, add_memory, stored_person

ANNA, ROME = Entity("PERSON", 1), Entity("LOCATION", 1)
BOB = Entity("PERSON", 2)


def test_an_entity_is_found_by_each_of_its_aliases(store: SqlStore) -> None:
    subject = stored_person(store).subject
    with store.write() as unit:
        unit.add_entities(
            subject,
            [(ANNA, SealedRecord(b"anna")), (ROME, SealedRecord(b"rome"))],
            {b"a" * 16: ANNA, b"b" * 16: ANNA, b"c" * 16: ROME},
        )
        unit.commit()
    with store.read() as unit:
        hashes = [b"a" * 16, b"c" * 16, b"unknown", b"a" * 16]
        assert unit.entities(subject, hashes) == {b"a" * 16: ANNA, b"c" * 16: ROME}
        assert unit.entities(subject, []) == {}
        assert unit.vault(subject) == [(ROME, SealedRecord(b"rome")), (ANNA, SealedRecord(b"anna"))]


def test_an_alias_may_come_later_than_its_entity(store: SqlStore) -> None:
    subject = stored_person(store).subject
    with store.write() as unit:
        unit.add_entities(subject, [(ANNA, SealedRecord(b"anna"))], {})
        unit.add_entities(subject, [], {b"a": ANNA})
        unit.add_entities(subject, [], {})
        assert unit.entities(subject, [b"a"]) == {b"a": ANNA}


def test_numbers_go_on_per_type(store: SqlStore) -> None:
    subject = stored_person(store).subject
    with store.write() as unit:
        assert unit.next_entity_numbers(subject) == {}
        values = [(entity, SealedRecord(b"")) for entity in (ANNA, BOB, ROME)]
        unit.add_entities(subject, values, {})
        assert unit.next_entity_numbers(subject) == {"PERSON": 3, "LOCATION": 2}


def test_vaults_of_two_people_have_nothing_in_common(store: SqlStore) -> None:
    mine, yours = stored_person(store).subject, stored_person(store).subject
    with store.write() as unit:
        unit.add_entities(mine, [(ANNA, SealedRecord(b"anna"))], {b"a": ANNA})
        unit.add_entities(yours, [(ANNA, SealedRecord(b"other"))], {b"a": ANNA})
        unit.commit()
    with store.read() as unit:
        assert unit.vault(mine) == [(ANNA, SealedRecord(b"anna"))]
        assert unit.vault(yours) == [(ANNA, SealedRecord(b"other"))]


def test_an_alias_is_given_once_and_never_moves(store: SqlStore) -> None:
    subject = stored_person(store).subject
    with store.write() as unit:
        unit.add_entities(subject, [(ANNA, SealedRecord(b"anna"))], {b"a": ANNA})
        unit.commit()
    with store.write() as unit, pytest.raises(StorageUnavailableError):
        unit.add_entities(subject, [(BOB, SealedRecord(b"bob"))], {b"a": BOB})
    with store.read() as unit:
        assert unit.entities(subject, [b"a"]) == {b"a": ANNA}
        assert unit.vault(subject) == [(ANNA, SealedRecord(b"anna"))]


def test_a_request_is_answered_once(store: SqlStore) -> None:
    mine, yours = stored_person(store).subject, stored_person(store).subject
    first, second = a_record(), a_record()
    with store.write() as unit:
        unit.add_requests(mine, {b"one": first, b"two": second})
        unit.add_requests(mine, {})
        unit.commit()
    with store.write() as unit, pytest.raises(StorageUnavailableError):
        unit.add_requests(mine, {b"one": second})
    with store.read() as unit:
        assert unit.seen_requests(mine, [b"one", b"three"]) == {b"one": first}
        assert unit.seen_requests(mine, []) == {}
        assert unit.seen_requests(yours, [b"one"]) == {}


def test_a_request_stays_known_after_its_memory_is_deleted(store: SqlStore) -> None:
    subject = stored_person(store).subject
    memory = add_memory(store, subject)
    with store.write() as unit:
        unit.add_requests(subject, {b"one": memory.id})
        unit.delete_memory(subject, memory.id)
        unit.commit()
    with store.read() as unit:
        assert unit.seen_requests(subject, [b"one"]) == {b"one": memory.id}


def test_a_vault_is_read_in_pages_in_an_order_of_no_language(store: SqlStore) -> None:
    subject = stored_person(store).subject
    entities = [Entity(kind, n) for kind in ("AB", "A_B", "B") for n in (1, 2, 10)]
    with store.write() as unit:
        unit.add_entities(subject, [(e, SealedRecord(b"x")) for e in entities[::-1]], {})
        unit.commit()
    seen: list[Entity] = []
    with store.read() as unit:
        while page := unit.page_vault(subject, seen[-1] if seen else Entity("", 0), 2):
            seen += [entity for entity, _ in page]
        assert [entity for entity, _ in unit.vault(subject)] == entities
    assert seen == entities
