"""The matrices of people whose vectors are sealed: opened on first use, searched exactly.

Rules:
- What is open follows SQL: each search asks which segments there are, opens new ones and drops
  those that are gone.
- A matrix is dropped when nobody searched it for `idle_seconds`, when others need its room (least
  recently used first, past `budget` bytes), and at once when its person is forgotten.
- It holds vectors in the clear, in this process only. Before that they exist sealed only.
- A segment that does not open is as good as none: the person is `broken` until written again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from memory.app.tombstones import Tombstones
from memory.core.keys import PersonKeys
from memory.core.ranking import cosines
from memory.core.record_format import Place, unseal
from memory.core.segment import Segment, decode
from memory.core.values import RecordId, SubjectId, Vector
from memory.errors import IndexUnavailableError, SealError
from memory.ports import CacheUse, Candidate, UnitOfWork

FIELD: Final = "vectors"
"""Of the place a segment is sealed for; the record is the segment's id."""

Segments = dict[RecordId, Segment]


@dataclass(slots=True)
class _Open:
    segments: Segments
    used: float

    @property
    def size(self) -> int:
        return sum(s.vectors.nbytes for s in self.segments.values())


class Matrices:
    """Safe to use from several threads."""

    def __init__(self, monotonic: Callable[[], float], budget: int, idle_seconds: float) -> None:
        """`budget` is in bytes; `monotonic` tells seconds that never go back."""
        self._monotonic = monotonic
        self._budget = budget
        self._idle = idle_seconds
        self._lock = threading.Lock()
        self._people: OrderedDict[SubjectId, _Open] = OrderedDict()
        self._broken: set[SubjectId] = set()
        self._gone = Tombstones()
        self._evicted = 0

    def query(
        self, uow: UnitOfWork, keys: PersonKeys, vector: Vector, limit: int
    ) -> list[Candidate]:
        """The nearest, best first, by exact cosine.

        Raises:
            IndexUnavailableError: a segment does not open.
        """
        parts = [s for s in self.open(uow, keys).values() if s.records]
        if not parts:
            return []
        scores = np.concatenate([cosines(part.vectors, vector) for part in parts])
        near = np.arange(len(scores))
        if limit < len(scores):
            near = np.argpartition(-scores, limit)[:limit]
        best = near[np.argsort(-scores[near], kind="stable")]
        starts = np.cumsum([0, *(len(part.records) for part in parts)])
        which = np.searchsorted(starts, best, side="right") - 1
        return [
            Candidate(parts[part].records[row - starts[part]], float(scores[row]))
            for row, part in zip(best.tolist(), which.tolist(), strict=True)
        ]

    def open(self, uow: UnitOfWork, keys: PersonKeys) -> Segments:
        """The person's segments as SQL has them now; raises `IndexUnavailableError`."""
        there = [head.id for head in uow.segments(keys.subject)]
        with self._lock:
            held = self._people.get(keys.subject)
            known = {} if held is None else held.segments
        if missing := [id_ for id_ in there if id_ not in known]:
            sealed = uow.sealed_segments(keys.subject, missing)
            try:
                fresh = {
                    id_: decode(unseal(keys, keys.record, Place(id_.value, FIELD), sealed[id_]))
                    for id_ in missing
                }
            except SealError:
                with self._lock:
                    self._broken.add(keys.subject)
                raise IndexUnavailableError(
                    "sealed vectors do not open; they are rebuilt"
                ) from None
            known = known | fresh
        segments = {id_: known[id_] for id_ in there}
        self._keep(keys.subject, segments)
        return segments

    def broken(self) -> set[SubjectId]:
        """Who needs new segments; telling it once is enough."""
        with self._lock:
            broken, self._broken = self._broken, set()
        return broken

    def evict_idle(self) -> None:
        """Drops what nobody searched for a while."""
        limit = self._monotonic() - self._idle
        with self._lock:
            for subject in [s for s, held in self._people.items() if held.used <= limit]:
                del self._people[subject]
                self._evicted += 1

    def forget(self, subject: SubjectId) -> None:
        """Drops what is held of this person, and keeps nothing of them again."""
        with self._lock:
            self._gone.add(subject)
            self._people.pop(subject, None)
            self._broken.discard(subject)

    def drop(self, subject: SubjectId) -> None:
        """Drops what is held of this person: it is written anew."""
        with self._lock:
            self._people.pop(subject, None)
            self._broken.discard(subject)

    def subjects(self) -> set[SubjectId]:
        """Whose vectors lie open."""
        with self._lock:
            return set(self._people)

    def held(self) -> int:
        """Bytes of vectors that lie open."""
        with self._lock:
            return sum(held.size for held in self._people.values())

    def use(self) -> CacheUse:
        """Whose vectors lie open, counted, and their bytes."""
        size = self.held()
        with self._lock:
            return CacheUse(len(self._people), self._evicted, size)

    def _keep(self, subject: SubjectId, segments: Segments) -> None:
        with self._lock:
            if subject in self._gone:
                return
            self._people[subject] = _Open(segments, self._monotonic())
            self._people.move_to_end(subject)
            size = sum(held.size for held in self._people.values())
            while size > self._budget:
                _, dropped = self._people.popitem(last=False)
                size -= dropped.size
                self._evicted += 1
