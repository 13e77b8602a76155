"""Recall: consent gate ▶ same pseudonyms ▶ embed ▶ (veil ▶) candidates ▶ open ▶ exact re-rank.

Rules:
- The gate opens twice: before any work, and inside the snapshot that the answer is read from.
- What is found is written down while it is ranked and opened, and leaves only once that is on disk.
- Where it looks, and that nothing committed is missed, is for `app.candidates`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from memory.app.candidates import Candidates
from memory.app.gate import admit
from memory.app.keyring import Keyring
from memory.app.ledger import Ledger, refusals_logged
from memory.app.narrow import Narrow
from memory.app.sealing import Remembered, open_memory
from memory.core.dates import query_dates
from memory.core.draft import check_text
from memory.core.embedding_text import embedding_text
from memory.core.lexical import terms
from memory.core.purposes import Registry
from memory.core.query_names import candidate_names, masked_spans, query_mentions
from memory.core.ranking import Query, rank
from memory.core.validity import asks_of_before
from memory.core.values import Access, RawText, RecordId
from memory.errors import InvalidArgumentError
from memory.ports import AccessAction, Clock, Encoder, Store

MAX_LIMIT: Final = 100


@dataclass(frozen=True, slots=True)
class Hit:
    """A memory found, its score, and what that is made of; `seq` is higher for a later one.

    `until` is since when it holds no more, and `superseded_by` what replaced it.
    """

    memory: Remembered
    score: float
    parts: tuple[tuple[str, float], ...]
    seq: int
    until: datetime | None = None
    superseded_by: RecordId | None = None


@dataclass(frozen=True, slots=True)
class Recall:
    """The use case behind RecallMemories."""

    store: Store
    keyring: Keyring
    registry: Registry
    encoder: Encoder
    candidates: Candidates
    clock: Clock
    ledger: Ledger

    def __call__(
        self,
        access: Access,
        query: RawText,
        limit: int = 10,
        narrow: Narrow | None = None,
        *,
        asked: datetime | None = None,
    ) -> list[Hit]:
        """The best `limit` memories, best first.

        `asked` is what "yesterday" in the query is counted from (aware; the clock when None).

        Raises:
            InvalidArgumentError: a blank, long or malformed query, or a limit out of 1..100.
            UnknownPurposeError, ConsentError, ErasureInProgressError: nothing may be read.
            StorageUnavailableError, StorageFullError: it could not be written down.
        """
        if not 1 <= limit <= MAX_LIMIT:
            raise InvalidArgumentError("limit", f"must be 1 to {MAX_LIMIT}")
        return self.best(access, query, limit, narrow or Narrow(), asked=asked)

    @refusals_logged(AccessAction.READ)
    def best(
        self,
        access: Access,
        query: RawText,
        limit: int,
        narrow: Narrow,
        *,
        asked: datetime | None = None,
    ) -> list[Hit]:
        """The same without a bound on `limit`, for what is packed into a context."""
        wanted = self.wanted(access, query, asked)
        purposes = self.registry.of(access.caller.tenant)
        purpose = purposes.require(access.purpose)
        ref = self.keyring.ref(access.caller.tenant, access.person)
        with self.store.read() as uow:
            admission = admit(uow, ref, purposes, access, self.clock())
            keys = self.keyring.keys(admission.person)
            filter_ = narrow.to_filter(keys, admission)
            found = self.candidates(
                uow, keys, admission.person, wanted.vector, narrow, filter_, limit
            )
            by, count = access.caller.assistant, min(limit, len(found))
            noted = self.ledger.record(keys, by, AccessAction.READ, count, access.purpose)
        ranked = rank(wanted, found.corpus, limit, among=found.among)
        rows = [found.opened[r.index].row for r in ranked]
        shows = admission.shows_affect(access, purpose)
        hits = [
            Hit(
                open_memory(keys, row, affect=shows),
                r.score,
                r.parts,
                row.seq,
                *found.corpus.ended(r.index),
            )
            for row, r in zip(rows, ranked, strict=True)
        ]
        noted.wait()
        return hits

    def wanted(self, access: Access, query: RawText, asked: datetime | None = None) -> Query:
        """What the query looks for, told without names; raises as the call does."""
        check_text("query", query.value)
        purposes = self.registry.of(access.caller.tenant)
        purposes.require(access.purpose)
        ref = self.keyring.ref(access.caller.tenant, access.person)
        at = self.clock()
        with self.store.read() as uow:
            person = admit(uow, ref, purposes, access, at).person
            keys = self.keyring.keys(person)
            names = candidate_names(query, keys.blind_index)
            known = self.candidates.entities(uow, person, names.hashes)
        mentions = query_mentions(names, known)
        text = embedding_text(query, masked_spans(query, names, mentions))
        return Query(
            vector=self.encoder.encode([text])[0],
            terms=terms(text.value),
            entities=frozenset(m.entity.pseudonym for m in mentions),
            dates=query_dates(query.value, (asked or at).date()),
            at=None if asks_of_before(query.value) else at,
            asked=(asked or at).date(),
        )
