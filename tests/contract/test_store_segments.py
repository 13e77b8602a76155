"""The store keeps each person's segments of vectors, and tells how many there are in each."""

from __future__ import annotations

from memory.adapters.sql.store import SqlStore
from memory.core.segment import SegmentHead
from memory.core.values import RecordId, SealedRecord
from tests.contract.rows import stored_person

ONE, TWO = SegmentHead(RecordId(b"1" * 16), 3), SegmentHead(RecordId(b"2" * 16), 5)


def test_segments_are_listed_opened_and_dropped_by_id(store: SqlStore) -> None:
    subject, other = stored_person(store).subject, stored_person(store).subject
    with store.write() as unit:
        unit.add_segment(subject, ONE, SealedRecord(b"one"))
        unit.add_segment(subject, TWO, SealedRecord(b"two"))
        unit.add_segment(other, ONE, SealedRecord(b"another's"))
        unit.commit()
    with store.write() as unit:
        assert unit.segments(subject) == [ONE, TWO]
        assert unit.sealed_segments(subject, [TWO.id, RecordId(b"3" * 16)]) == {
            TWO.id: SealedRecord(b"two")
        }
        unit.drop_segments(subject, [ONE.id])
        unit.commit()
    with store.read() as unit:
        assert unit.segments(subject) == [TWO]
        assert unit.sealed_segments(other, [ONE.id]) == {ONE.id: SealedRecord(b"another's")}


def test_a_collection_can_be_named_anew(store: SqlStore) -> None:
    person = stored_person(store)
    with store.write() as unit:
        unit.name_collection(person.subject, "another")
        unit.commit()
    with store.read() as unit:
        found = unit.person(person.ref)
        assert found is not None
        assert found.collection == "another"
