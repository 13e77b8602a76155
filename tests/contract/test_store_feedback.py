"""The store keeps each person's ratings as one sealed value, and tells that it has changed."""

from __future__ import annotations

from memory.adapters.sql.store import SqlStore
from memory.core.values import SealedRecord
from tests.contract.rows import as_stored, stored_person


def test_feedback_is_one_value_a_person_and_a_change_is_a_new_revision(store: SqlStore) -> None:
    person, other = stored_person(store, memories=1), stored_person(store)
    for value in (SealedRecord(b"one"), SealedRecord(b"two"), None):
        before = as_stored(store, person).revision
        with store.write() as unit:
            unit.put_feedback(person.subject, value)
            unit.commit()
        with store.read() as unit:
            assert unit.feedback(person.subject) == value
            assert unit.feedback(other.subject) is None
        assert as_stored(store, person).revision == before + 1
    assert as_stored(store, other).revision == other.revision


def test_feedback_goes_with_the_person(store: SqlStore) -> None:
    person, other = stored_person(store), stored_person(store)
    with store.write() as unit:
        for each in (person, other):
            unit.put_feedback(each.subject, SealedRecord(b"sealed"))
        unit.delete_person(person.subject)
        unit.commit()
    with store.read() as unit:
        assert unit.feedback(person.subject) is None
        assert unit.feedback(other.subject) == SealedRecord(b"sealed")
