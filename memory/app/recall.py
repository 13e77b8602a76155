"""Recall: consent gate ▶ same pseudonyms ▶ embed ▶ candidates ▶ open ▶ exact re-rank.

Rules:
- The gate opens twice: before any work, and inside the snapshot that the answer is read from.
- What is committed is found, indexed or not: the unindexed tail is scored beside the candidates.
- The index only proposes. When it does not answer, or holds less than it should, every memory
  of the person is a candidate.
- Which memories may be seen is decided in SQL, never by the index.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from memory.app.candidates import Candidates
from memory.app.gate import Admission, admit
from memory.app.keyring import Keyring
from memory.app.opened import OpenedFeatures
from memory.app.prepare import session_tag
from memory.app.sealing import Remembered, open_memory
from memory.core.dates import query_dates
from memory.core.draft import check_text
from memory.core.embedding_text import embedding_text
from memory.core.keys import PersonKeys
from memory.core.lexical import terms
from memory.core.purposes import Purposes
from memory.core.query_names import candidate_names, masked_spans, query_mentions
from memory.core.ranking import Query, nearest, rank
from memory.core.values import Access, MemoryKind, RawText, Vector
from memory.errors import IndexUnavailableError, InvalidArgumentError
from memory.ports import (
    Clock,
    Encoder,
    MemoryFilter,
    MemoryHead,
    PersonRow,
    Store,
    UnitOfWork,
)

MAX_LIMIT: Final = 100
CANDIDATES: Final = 100
"""How many of the nearest the other parts of the score choose among."""

_WIDEN: Final = 8
"""By how much to ask for more when a filter leaves too few candidates."""


@dataclass(frozen=True, slots=True)
class Narrow:
    """What the caller wants the search narrowed to; empty means no narrowing.

    Event times are aware; the start is in, the end is out.
    """

    kinds: frozenset[MemoryKind] = frozenset()
    sessions: frozenset[str] = frozenset()
    event_start: datetime | None = None
    event_end: datetime | None = None

    @property
    def by_time(self) -> bool:
        """Whether event times narrow the search; they are sealed, so SQL cannot decide it."""
        return self.event_start is not None or self.event_end is not None

    def covers(self, time: datetime) -> bool:
        """Whether `time` lies in the interval asked for."""
        return (self.event_start is None or self.event_start <= time) and (
            self.event_end is None or time < self.event_end
        )

    def to_filter(self, keys: PersonKeys, admission: Admission) -> MemoryFilter:
        """The part that SQL decides, together with what consent lets the caller see."""
        return MemoryFilter(
            purposes=admission.visible,
            kinds=self.kinds,
            session_tags=frozenset(session_tag(keys, s) for s in self.sessions),
        )


@dataclass(frozen=True, slots=True)
class Hit:
    """A memory found, its score, and what that is made of."""

    memory: Remembered
    score: float
    parts: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Recall:
    """The use case behind RecallMemories."""

    store: Store
    keyring: Keyring
    purposes: Purposes
    encoder: Encoder
    candidates: Candidates
    opened: OpenedFeatures
    clock: Clock
    index_failed: Callable[[], None] = field(default=lambda: None)
    """Called when the index did not answer, so that it is looked after."""

    def __call__(
        self, access: Access, query: RawText, limit: int = 10, narrow: Narrow | None = None
    ) -> list[Hit]:
        """The best `limit` memories, best first.

        Raises:
            InvalidArgumentError: a blank, long or malformed query, or a limit out of 1..100.
            UnknownPurposeError, ConsentError, ErasureInProgressError: nothing may be read.
        """
        check_text("query", query.value)
        if not 1 <= limit <= MAX_LIMIT:
            raise InvalidArgumentError("limit", f"must be 1 to {MAX_LIMIT}")
        self.purposes.require(access.purpose)
        narrow = narrow or Narrow()
        ref = self.keyring.ref(access.caller.tenant, access.person)
        with self.store.read() as uow:
            person = admit(uow, ref, access, self.clock()).person
            keys = self.keyring.keys(person)
            names = candidate_names(query, keys.blind_index)
            known = uow.entities(person.subject, names.hashes)
        mentions = query_mentions(names, known)
        text = embedding_text(query, masked_spans(query, names, mentions))
        vector = self.encoder.encode([text])[0]
        wanted = Query(
            vector=vector,
            terms=terms(text.value),
            entities=frozenset(m.entity.pseudonym for m in mentions),
            dates=query_dates(query.value),
        )
        with self.store.read() as uow:
            admission = admit(uow, ref, access, self.clock())
            keys = self.keyring.keys(admission.person)
            filter_ = narrow.to_filter(keys, admission)
            heads = (
                uow.heads(keys.subject, filter_)
                if narrow.by_time
                else self._candidates(uow, admission.person, keys, vector, filter_, limit)
            )
            features = self.opened.open(
                keys, heads, lambda records: uow.memories(keys.subject, records, filter_)
            )
            fitting = (
                [i for i, f in enumerate(features) if narrow.covers(f.time)]
                if narrow.by_time
                else nearest(vector, features, _wanted(limit))
            )
            ranked = rank(
                wanted, [features[i] for i in fitting], [heads[i].seq for i in fitting], limit
            )
            best = [heads[fitting[r.index]].id for r in ranked]
            rows = {row.id: row for row in uow.memories(keys.subject, best, filter_)}
        return [
            Hit(open_memory(keys, rows[record]), r.score, r.parts)
            for record, r in zip(best, ranked, strict=True)
        ]

    def _candidates(
        self,
        uow: UnitOfWork,
        person: PersonRow,
        keys: PersonKeys,
        vector: Vector,
        filter_: MemoryFilter,
        limit: int,
    ) -> list[MemoryHead]:
        """What the index proposes and the caller may see, and the unindexed tail."""
        found = {head.id: head for head in uow.unindexed_heads(keys.subject, filter_)}
        asked = _wanted(limit)
        while True:
            try:
                proposed = self.candidates.propose(uow, person, keys, vector, asked)
            except IndexUnavailableError:
                self.index_failed()
                return uow.heads(keys.subject, filter_)
            heads = uow.heads(keys.subject, filter_, [c.record for c in proposed])
            found |= {head.id: head for head in heads}
            if len(proposed) < asked and len(found) < uow.count_memories(keys.subject, filter_):
                self.index_failed()
                return uow.heads(keys.subject, filter_)
            if len(found) >= limit or len(proposed) < asked:
                return list(found.values())
            asked *= _WIDEN


def _wanted(limit: int) -> int:
    return max(CANDIDATES, 2 * limit)
