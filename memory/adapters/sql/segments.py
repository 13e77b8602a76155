"""Segments of sealed mode: a person's vectors in few large sealed pieces.

Rules:
- A segment is written once and never changed: a changed one is another one, under a new id, so
  that whoever holds it open need only compare ids.
- They go with the person (foreign key), and can all be dropped: the memories make them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import bindparam, delete, insert, select

from memory.adapters.sql.tables import vector_segments
from memory.adapters.sql.transaction import Transaction, batches
from memory.core.segment import SegmentHead
from memory.core.values import RecordId, SealedRecord, SubjectId

_OF_PERSON: Final = vector_segments.c.subject == bindparam("of")
_NAMED: Final = vector_segments.c.id.in_(bindparam("ids", expanding=True))
_HEADS: Final = (
    select(vector_segments.c.id, vector_segments.c.vectors)
    .where(_OF_PERSON)
    .order_by(vector_segments.c.id)
)
_SEALED: Final = select(vector_segments.c.id, vector_segments.c.sealed).where(_OF_PERSON, _NAMED)
_ADD: Final = insert(vector_segments)
_DROP: Final = delete(vector_segments).where(_OF_PERSON, _NAMED)


class Segments(Transaction):
    """The part of a unit of work that sealed mode's search lives on."""

    def segments(self, subject: SubjectId) -> list[SegmentHead]:
        rows = self._rows(_HEADS, {"of": subject.value})
        return [SegmentHead(RecordId(id_), vectors) for id_, vectors in rows]

    def sealed_segments(
        self, subject: SubjectId, ids: Iterable[RecordId]
    ) -> Mapping[RecordId, SealedRecord]:
        return {
            RecordId(id_): SealedRecord(sealed)
            for batch in batches(one.value for one in ids)
            for id_, sealed in self._rows(_SEALED, {"of": subject.value, "ids": batch})
        }

    def add_segment(self, subject: SubjectId, head: SegmentHead, sealed: SealedRecord) -> None:
        columns = {
            "subject": subject.value,
            "id": head.id.value,
            "vectors": head.vectors,
            "sealed": sealed.value,
        }
        self._change(_ADD, columns)

    def drop_segments(self, subject: SubjectId, segments: Iterable[RecordId]) -> None:
        for batch in batches(segment.value for segment in segments):
            self._change(_DROP, {"of": subject.value, "ids": batch})
