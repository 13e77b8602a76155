"""Where a recall looks: which memories are opened and ranked.

    up to `few` memories    all of them, opened once and kept; if they are over `AT_ONCE`, in the
                            background, and until then as for
    more                    what the index proposes and what it does not have yet: the nearest of
                            these by exact search, and what was said around the very nearest

Rules:
- What is committed is found, indexed or not: the unindexed tail stands beside the candidates.
- The index only proposes. When it does not answer, or holds less than it should, every memory
  of the person is a candidate.
- Which memories may be seen is decided in SQL, never by the index.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from memory.app.narrow import Narrow
from memory.app.nearest import Nearest
from memory.app.opened import Load, Opened, OpenedFeatures, Reading
from memory.core.corpus import Corpus, corpus, in_order
from memory.core.feedback import Feedback
from memory.core.keys import PersonKeys
from memory.core.pseudonyms import Entity
from memory.core.ranking import nearest
from memory.core.values import Vector
from memory.errors import IndexUnavailableError
from memory.ports import (
    MemoryFilter,
    MemoryHead,
    Observer,
    PersonRow,
    Step,
    UnitOfWork,
)

NEAREST: Final = 100
"""How many to rank; the other parts of the score then choose among them."""

CENTRES: Final = 40
"""Of so many of the nearest, what was said right before and after is ranked too."""

AT_ONCE: Final = 2_000
"""Of so many, nobody waits for long until they are opened: 0.1 s of a processor for 1,000."""

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
class Candidates:
    """Finds what to rank."""

    index: Nearest
    opened: OpenedFeatures
    index_failed: Callable[[], None]
    """Called when the index did not answer, so that it is looked after."""
    lay_out: Callable[[PersonKeys, MemoryFilter], None]
    """Called for a person whose memories could be laid out and are not, with what it takes."""
    few: int
    observer: Observer

    def entities(
        self, uow: UnitOfWork, person: PersonRow, hashes: Collection[bytes]
    ) -> Mapping[bytes, Entity]:
        """Which of these aliases the person's vault knows."""
        if person.numbered > self.few:
            return uow.entities(person.subject, hashes)
        subject = person.subject
        return self.opened.aliases(
            person,
            hashes,
            lambda: uow.aliases(subject),
            lambda some: uow.entities(subject, some),
        )

    def all_of(
        self,
        uow: UnitOfWork,
        keys: PersonKeys,
        person: PersonRow,
        narrow: Narrow,
        filter_: MemoryFilter,
    ) -> Found | None:
        """All that `filter_` and `narrow` let through; None of a person with more than `few`, or
        with many that are not laid out yet.
        """
        if person.numbered > self.few:
            return None
        if person.numbered > AT_ONCE and not self.opened.ready(person, filter_):
            self.lay_out(keys, filter_)
            return None
        return self.whole(uow, keys, person, narrow, filter_)

    def whole(
        self,
        uow: UnitOfWork,
        keys: PersonKeys,
        person: PersonRow,
        narrow: Narrow,
        filter_: MemoryFilter,
    ) -> Found:
        """The same of any person, however long it takes."""
        with self.observer.step(Step.RECALL_CANDIDATES):
            whole = self.opened.whole(keys, person, Reading(uow, person.subject, filter_))
            return _narrowed(Found(whole.corpus, whole.opened, whole.feedback), narrow)

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
        reading = Reading(uow, keys.subject, filter_)
        with self.observer.step(Step.RECALL_CANDIDATES):
            heads = in_order(
                uow.heads(keys.subject, filter_)
                if narrow.by_time
                else self._near(uow, keys, person, vector, filter_, limit, reading.load)
            )
            opened = self.opened.open(keys, heads, reading.load)
            feedback = self.opened.feedback(keys, person.revision, reading.feedback)
            made = corpus(heads, [one.features for one in opened], feedback.doubted(heads))
            return _narrowed(Found(made, opened, feedback), narrow)

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
