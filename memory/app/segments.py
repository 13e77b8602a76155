"""Writes the segments of sealed mode: what the index is to veiled vectors.

Rules:
- A memory is in one segment at most. Deleted or corrected, its old vector is gone with the
  transaction that writes the segment anew; nothing is marked and left behind.
- New vectors join the segments before them that are no larger (and fit), so that a person has few
  segments and each vector is written a few times, not once for every later memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from memory.app.matrices import FIELD, Matrices, Segments
from memory.core.keys import PersonKeys
from memory.core.record_format import SALT_BYTES, Place, seal
from memory.core.segment import SegmentHead, encode, rows_at_most
from memory.core.values import RecordId, SubjectId, Vector
from memory.ports import RandomBytes, UnitOfWork


def write_segments(
    uow: UnitOfWork,
    keys: PersonKeys,
    matrices: Matrices,
    touched: Sequence[RecordId],
    vectors: Mapping[RecordId, Vector],
    random: RandomBytes,
) -> None:
    """Makes the segments hold `vectors`, shape (d,) each, and nothing else of `touched`.

    Raises:
        IndexUnavailableError: what is there does not open.
    """
    segments = matrices.open(uow, keys)
    changed = set(touched)
    replaced = [id_ for id_, s in segments.items() if not changed.isdisjoint(s.records)]
    pool = dict(vectors)
    for id_ in replaced:
        pool |= _kept(segments, id_, changed)
    if not pool:
        uow.drop_segments(keys.subject, replaced)
        return
    room = rows_at_most(len(next(iter(pool.values()))))
    by_size = sorted(set(segments) - set(replaced), key=lambda id_: len(segments[id_].records))
    for id_ in by_size:
        if len(segments[id_].records) > len(pool) or len(segments[id_].records) + len(pool) > room:
            break
        pool |= _kept(segments, id_, changed)
        replaced.append(id_)
    uow.drop_segments(keys.subject, replaced)
    records = list(pool)
    for start in range(0, len(records), room):
        part = records[start : start + room]
        head = SegmentHead(RecordId(random(16)), len(part))
        content = encode(part, np.stack([pool[record] for record in part]))
        place = Place(head.id.value, FIELD)
        sealed = seal(keys, keys.record, place, content, random(SALT_BYTES))
        uow.add_segment(keys.subject, head, sealed)


def drop_all(uow: UnitOfWork, subject: SubjectId) -> None:
    """The person has no segments any more."""
    uow.drop_segments(subject, [head.id for head in uow.segments(subject)])


def _kept(segments: Segments, id_: RecordId, changed: set[RecordId]) -> dict[RecordId, Vector]:
    segment = segments[id_]
    return {
        record: row
        for record, row in zip(segment.records, segment.vectors, strict=True)
        if record not in changed
    }
