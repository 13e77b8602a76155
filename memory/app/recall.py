"""Recall: consent gate ▶ same pseudonyms ▶ embed ▶ (veil ▶) candidates ▶ open ▶ exact re-rank.

Rules:
- The gate opens before any work, in the snapshot that the answer is read from. Where the index has
  to be asked first, for which the query must be embedded, it opens once more in a later snapshot.
- What is found is written down while the query is embedded, and what was found is ranked and
  opened; it leaves only once that is on disk.
- Where it looks, and that nothing committed is missed, is for `app.candidates`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from memory.app.candidates import Candidates, Found
from memory.app.gate import Admission, admit, purpose_of
from memory.app.keyring import Keyring
from memory.app.ledger import Ledger, refusals_logged
from memory.app.narrow import Narrow
from memory.app.recall_tokens import seal_token
from memory.app.recorder import Recorded
from memory.app.sealing import Remembered, open_memory
from memory.core.consent import TUNING
from memory.core.dates import query_dates
from memory.core.draft import check_text
from memory.core.embedding_text import embedding_text
from memory.core.feedback import standings
from memory.core.keys import PersonKeys
from memory.core.lexical import terms
from memory.core.purposes import Purpose, Registry
from memory.core.query_names import (
    CandidateNames,
    QueryMention,
    candidate_names,
    masked_spans,
    query_mentions,
)
from memory.core.ranking import WEIGHTS, Query, rank
from memory.core.validity import asks_of_before
from memory.core.values import Access, PersonRef, RawText, RecordId
from memory.errors import InvalidArgumentError
from memory.ports import (
    AccessAction,
    Clock,
    Encoder,
    Observer,
    PersonRow,
    RandomBytes,
    Step,
    Store,
    UnitOfWork,
)

MAX_LIMIT: Final = 100

_Names = tuple[CandidateNames, tuple[QueryMention, ...]]
"""What in a query could be a name, and what is one."""


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
class Recalled:
    """What a recall found, best first. `keys` are there where ratings may be learnt from."""

    hits: list[Hit]
    at: datetime
    keys: PersonKeys | None
    random: RandomBytes

    def token(self, shown: Sequence[Hit]) -> str:
        """With which these hits, shown together, can be rated; empty where nothing is learnt."""
        if self.keys is None or not shown:
            return ""
        points = np.array([[points for _, points in hit.parts] for hit in shown])
        stood = [
            (hit.memory.id, standing)
            for hit, standing in zip(shown, standings(points), strict=True)
        ]
        return seal_token(self.keys, stood, self.at, self.random)


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
    observer: Observer
    random: RandomBytes

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
        return self.best(access, query, limit, narrow or Narrow(), asked=asked).hits

    @refusals_logged(AccessAction.READ)
    def best(
        self,
        access: Access,
        query: RawText,
        limit: int,
        narrow: Narrow,
        *,
        asked: datetime | None = None,
    ) -> Recalled:
        """The same without a bound on `limit`, and with what a rating of it will need."""
        ref, purpose = self._checked(access, query)
        at = self.clock()
        with self.store.read() as uow:
            with self.observer.step(Step.RECALL_UNDERSTAND):
                admission, keys = self._admit(uow, ref, access, at)
                names = self._names(uow, keys, admission.person, query)
            filter_ = narrow.to_filter(keys, admission)
            found = self.candidates.all_of(uow, keys, admission.person, narrow, filter_)
        noted = None if found is None else self._note(access, keys, found, limit)
        wanted = self._wanted(query, names, at, asked)
        if found is None:
            with self.store.read() as uow:
                admission, keys = self._admit(uow, ref, access, self.clock())
                filter_ = narrow.to_filter(keys, admission)
                person, vector = admission.person, wanted.vector
                found = self.candidates.near(uow, keys, person, vector, narrow, filter_, limit)
        noted = noted or self._note(access, keys, found, limit)
        with self.observer.step(Step.RECALL_RANK):
            tunes = TUNING in admission.visible
            weights = found.feedback.weights if tunes else WEIGHTS
            ranked = rank(wanted, found.corpus, limit, among=found.among, weights=weights)
        rows = [found.opened[r.index].row for r in ranked]
        shows = admission.shows_affect(access, purpose)
        with self.observer.step(Step.RECALL_OPEN):
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
        with self.observer.step(Step.RECALL_RECORD):
            noted.wait()
        return Recalled(hits, admission.at, keys if tunes else None, self.random)

    def wanted(self, access: Access, query: RawText, asked: datetime | None = None) -> Query:
        """What the query looks for, told without names; raises as the call does."""
        ref, _ = self._checked(access, query)
        at = self.clock()
        with self.store.read() as uow:
            admission, keys = self._admit(uow, ref, access, at)
            names = self._names(uow, keys, admission.person, query)
        return self._wanted(query, names, at, asked)

    def _checked(self, access: Access, query: RawText) -> tuple[PersonRef, Purpose]:
        """What needs no database: a fence holds while that is down."""
        check_text("query", query.value)
        purpose = purpose_of(self.registry.of(access.caller.tenant), access)
        return self.keyring.ref(access.caller.tenant, access.person), purpose

    def _admit(
        self, uow: UnitOfWork, ref: PersonRef, access: Access, at: datetime
    ) -> tuple[Admission, PersonKeys]:
        purposes = self.registry.of(access.caller.tenant)
        admission = admit(uow, ref, purposes, access, at)
        return admission, self.keyring.keys(admission.person)

    def _note(self, access: Access, keys: PersonKeys, found: Found, limit: int) -> Recorded:
        by, count = access.caller.assistant, min(limit, len(found))
        return self.ledger.record(keys, by, AccessAction.READ, count, access.purpose)

    def _names(
        self, uow: UnitOfWork, keys: PersonKeys, person: PersonRow, query: RawText
    ) -> _Names:
        """Who of the person's vault is named."""
        said = candidate_names(query, keys.blind_index)
        known = self.candidates.entities(uow, person, said.hashes)
        return said, query_mentions(said, known)

    def _wanted(self, query: RawText, names: _Names, at: datetime, asked: datetime | None) -> Query:
        said, mentions = names
        text = embedding_text(query, masked_spans(query, said, mentions))
        with self.observer.step(Step.RECALL_ENCODE):
            vector = self.encoder.encode_query(text)
        return Query(
            vector=vector,
            terms=terms(text.value),
            entities=frozenset(m.entity.pseudonym for m in mentions),
            dates=query_dates(query.value, (asked or at).date()),
            at=None if asks_of_before(query.value) else at,
            asked=(asked or at).date(),
        )
