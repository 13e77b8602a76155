"""Where a recall looks: which memories are opened and ranked.

    up to `few` memories    all of them, opened once and kept
    more                    what the index proposes and what it does not have yet: the nearest of
                            these by exact search, and what was said around the very nearest

Rules:
- What is committed is found, indexed or not: the unindexed tail stands beside the candidates.
- The index only proposes. When it does not answer, or holds less than it should, every memory
  of the person is a candidate.
- Which memories may be seen is decided in SQL, never by the index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np

from memory.app.narrow import Narrow
from memory.app.nearest import Nearest
from memory.app.opened import Load, Opened, OpenedFeatures
from memory.core.corpus import Corpus, corpus, in_order
from memory.core.feedback import Feedback
from memory.core.keys import PersonKeys
from memory.core.pseudonyms import Entity
from memory.core.ranking import nearest
from memory.core.values import RecordId, SubjectId, Vector
from memory.errors import IndexUnavailableError
from memory.ports import (
    MemoryFilter,
    MemoryHead,
    MemoryRow,
    Observer,
    PersonRow,
    Step,
    UnitOfWork,
)

NEAREST: Final = 100
"""How many to rank; the other parts of the score then choose among them."""

CENTRES: Final = 40
"""Of so many of the nearest, what was said right before and after is ranked too."""

_WIDEN: Final = 8
"""By how much to ask for more when a filter leaves too few candidates."""


@dataclass(frozen=True, slots=True)
class Found:
    """Memories to rank: all of the corpus, or its rows `among`. Row i is `opened[i]`. `feedback` is
    what the person's ratings say.
    """

    corpus: Corpus
    opened: Sequence[Opened]
    feedback: Feedback
    among: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.corpus if self.among is None else self.among)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the filter lets through, read in one transaction."""

    uow: UnitOfWork
    subject: SubjectId
    filter: MemoryFilter

    def heads(self) -> Sequence[MemoryHead]:
        return self.uow.heads(self.subject, self.filter)

    def load(self, records: Sequence[RecordId]) -> Sequence[MemoryRow]:
        return self.uow.memories(self.subject, records, self.filter)

    def next_expiry(self) -> datetime | None:
        return self.uow.next_expiry(self.subject, self.filter)

    def added(self, after: int, limit: int) -> Sequence[MemoryRow]:
        return self.uow.page_memories(self.subject, self.filter, after, limit)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Finds what to rank."""

    index: Nearest
    opened: OpenedFeatures
    index_failed: Callable[[], None]
    """Called when the index did not answer, so that it is looked after."""
    few: int
    observer: Observer

    def entities(
        self, uow: UnitOfWork, person: PersonRow, hashes: Iterable[bytes]
    ) -> Mapping[bytes, Entity]:
        """Which of these aliases the person's vault knows."""
        if person.numbered > self.few:
            return uow.entities(person.subject, hashes)
        subject = person.subject
        known = self.opened.aliases(subject, person.revision, lambda: uow.aliases(subject))
        return {alias: known[alias] for alias in hashes if alias in known}

    def all_of(
        self,
        uow: UnitOfWork,
        keys: PersonKeys,
        person: PersonRow,
        narrow: Narrow,
        filter_: MemoryFilter,
    ) -> Found | None:
        """All that `filter_` and `narrow` let through; None of a person with more than `few`."""
        if person.numbered > self.few:
            return None
        with self.observer.step(Step.RECALL_CANDIDATES):
            feedback = self._feedback(uow, keys, person)
            reading = _Reading(uow, person.subject, filter_)
            whole = self.opened.whole(keys, person, filter_, reading, feedback)
            return _narrowed(Found(whole.corpus, whole.opened, feedback), narrow)

    def near(
        self,
        uow: UnitOfWork,
        keys: PersonKeys,
        person: PersonRow,
        vector: Vector,
        narrow: Narrow,
        filter_: MemoryFilter,
        limit: int,
    ) -> Found:
        """What is near to `vector` of what `filter_` and `narrow` let through.

        Of a narrowing in time, all: event times are sealed, so that nothing can choose before.
        """
        load = _Reading(uow, keys.subject, filter_).load
        with self.observer.step(Step.RECALL_CANDIDATES):
            heads = in_order(
                uow.heads(keys.subject, filter_)
                if narrow.by_time
                else self._near(uow, keys, person, vector, filter_, limit, load)
            )
            opened = self.opened.open(keys, heads, load)
            feedback = self._feedback(uow, keys, person)
            made = corpus(heads, [one.features for one in opened], feedback.doubted(heads))
            return _narrowed(Found(made, opened, feedback), narrow)

    def _feedback(self, uow: UnitOfWork, keys: PersonKeys, person: PersonRow) -> Feedback:
        return self.opened.feedback(keys, person.revision, lambda: uow.feedback(keys.subject))

    def _near(
        self,
        uow: UnitOfWork,
        keys: PersonKeys,
        person: PersonRow,
        vector: Vector,
        filter_: MemoryFilter,
        limit: int,
        load: Load,
    ) -> list[MemoryHead]:
        """The nearest memories, and those stored right before and after the very nearest."""
        wanted = max(NEAREST, 2 * limit)
        heads = self._proposed(uow, keys, person, vector, filter_, wanted, limit)
        vectors = np.array([one.features.vector for one in self.opened.open(keys, heads, load)])
        near = [heads[i] for i in nearest(vectors, vector, wanted)]
        centres = [heads[i] for i in nearest(vectors, vector, CENTRES)]
        beside = {head.seq + step for head in centres if head.session_tag for step in (-1, 1)}
        beside -= {head.seq for head in near}
        return [*near, *uow.heads_numbered(keys.subject, filter_, sorted(beside))]

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


def _narrowed(found: Found, narrow: Narrow) -> Found:
    if not narrow.by_time:
        return found
    among = [i for i, time in enumerate(found.corpus.times) if narrow.covers(time)]
    return replace(found, among=among)
