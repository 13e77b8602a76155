"""Where a recall looks: which memories are opened and ranked.

    up to `few` memories    all of them, opened once and kept: the nearest by exact search
    more                    what the index proposes, and what it does not have yet

Rules:
- What is committed is found, indexed or not: the unindexed tail stands beside the candidates.
- The index only proposes. When it does not answer, or holds less than it should, every memory
  of the person is a candidate.
- Which memories may be seen is decided in SQL, never by the index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from memory.app.narrow import Narrow
from memory.app.nearest import Nearest
from memory.app.opened import OpenedFeatures
from memory.core.content import Features
from memory.core.keys import PersonKeys
from memory.core.pseudonyms import Entity
from memory.core.ranking import nearest
from memory.core.values import RecordId, Vector
from memory.errors import IndexUnavailableError
from memory.ports import (
    MemoryFilter,
    MemoryHead,
    MemoryRow,
    PersonRow,
    UnitOfWork,
)

NEAREST: Final = 100
"""How many to rank; the other parts of the score then choose among them."""

_WIDEN: Final = 8
"""By how much to ask for more when a filter leaves too few candidates."""


@dataclass(frozen=True, slots=True)
class Found:
    """Memories to rank, and what ranking needs of each, in the same order."""

    heads: Sequence[MemoryHead]
    features: Sequence[Features]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Finds what to rank."""

    index: Nearest
    opened: OpenedFeatures
    index_failed: Callable[[], None]
    """Called when the index did not answer, so that it is looked after."""
    few: int

    def entities(
        self, uow: UnitOfWork, person: PersonRow, hashes: Iterable[bytes]
    ) -> Mapping[bytes, Entity]:
        """Which of these aliases the person's vault knows."""
        if person.numbered > self.few:
            return uow.entities(person.subject, hashes)
        subject = person.subject
        known = self.opened.aliases(subject, person.revision, lambda: uow.aliases(subject))
        return {alias: known[alias] for alias in hashes if alias in known}

    def __call__(
        self,
        uow: UnitOfWork,
        keys: PersonKeys,
        person: PersonRow,
        vector: Vector,
        narrow: Narrow,
        filter_: MemoryFilter,
        limit: int,
    ) -> Found:
        """The memories nearest to `vector` that `filter_` and `narrow` let through.

        Of a narrowing in time, all: event times are sealed, so that nothing can choose before.
        """

        def load(records: Sequence[RecordId]) -> Sequence[MemoryRow]:
            return uow.memories(keys.subject, records, filter_)

        def all_heads() -> list[MemoryHead]:
            return uow.heads(keys.subject, filter_)

        def until() -> datetime | None:
            return uow.next_expiry(keys.subject, filter_)

        wanted = max(NEAREST, 2 * limit)
        if person.numbered <= self.few:
            whole = self.opened.whole(keys, person.revision, filter_, all_heads, load, until)
            places = whole.nearest(vector, len(whole.heads) if narrow.by_time else wanted)
            found = Found([whole.heads[i] for i in places], [whole.features[i] for i in places])
        else:
            heads = (
                all_heads()
                if narrow.by_time
                else self._proposed(uow, keys, person, vector, filter_, wanted, limit)
            )
            features = self.opened.open(keys, heads, load)
            count = len(heads) if narrow.by_time else wanted
            places = nearest(np.array([f.vector for f in features]), vector, count)
            found = Found([heads[i] for i in places], [features[i] for i in places])
        if not narrow.by_time:
            return found
        fitting = [i for i, f in enumerate(found.features) if narrow.covers(f.time)]
        return Found([found.heads[i] for i in fitting], [found.features[i] for i in fitting])

    def _proposed(
        self,
        uow: UnitOfWork,
        keys: PersonKeys,
        person: PersonRow,
        vector: Vector,
        filter_: MemoryFilter,
        asked: int,
        enough: int,
    ) -> list[MemoryHead]:
        """What the index proposes and the caller may see, and the unindexed tail."""
        found = {head.id: head for head in uow.unindexed_heads(keys.subject, filter_)}
        while True:
            try:
                proposed = self.index.propose(uow, person, keys, vector, asked)
            except IndexUnavailableError:
                self.index_failed()
                return uow.heads(keys.subject, filter_)
            heads = uow.heads(keys.subject, filter_, [c.record for c in proposed])
            found |= {head.id: head for head in heads}
            if len(proposed) < asked and len(found) < uow.count_memories(keys.subject, filter_):
                self.index_failed()
                return uow.heads(keys.subject, filter_)
            if len(found) >= enough or len(proposed) < asked:
                return list(found.values())
            asked *= _WIDEN
