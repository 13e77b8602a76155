"""Store: detect ▶ embed ▶ pseudonymize ▶ seal ▶ ONE SQL transaction ▶ acknowledge ▶ index.

Rules:
- Refused before any work without consent, and checked again inside the transaction that writes.
- A batch is stored whole or not at all.
- Mood is inferred outside the transaction and kept only if consent and purpose allow it inside.
- A `request_id` seen before stores nothing and answers with the memory it made.
- The same memory told again (`core.duplicates`) is seen once more, and not stored twice.
- When this returns, the memory survives a crash and is found by the next Recall; the index
  follows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from memory.app.derive import derive
from memory.app.duplicates import Sightings
from memory.app.gate import Admission, admit
from memory.app.keyring import Keyring
from memory.app.ledger import Ledger, refusals_logged
from memory.app.prepare import Prepared, Preparer, seal_row
from memory.app.room import Room
from memory.app.sealing import Remembered, open_memory
from memory.core.draft import Draft
from memory.core.keys import PersonKeys
from memory.core.purposes import Purpose, Registry
from memory.core.retention import end
from memory.core.values import Access, RecordId
from memory.errors import ErasureInProgressError, InvalidArgumentError, RequestIdReusedError
from memory.ports import (
    AccessAction,
    Clock,
    MemoryFilter,
    MemoryRow,
    Observer,
    RandomBytes,
    Step,
    Store,
    UnitOfWork,
)

MAX_BATCH: Final = 256
"""Memories in one call; keeps the write transaction short for everyone else."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A memory that is stored; `repeated` when an earlier call with its request id did it, `merged`
    when it was there and is told again.

    `derived` are the facts and preferences stored beside it, if it asked for them. `hidden` counts
    what was replaced in text and speaker, by entity type; empty when repeated.
    """

    memory: Remembered
    repeated: bool
    derived: tuple[Remembered, ...] = ()
    merged: bool = False
    hidden: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Remember:
    """The use case behind StoreMemory and BatchStoreMemories."""

    store: Store
    keyring: Keyring
    registry: Registry
    preparer: Preparer
    room: Room
    clock: Clock
    random: RandomBytes
    stored: Callable[[], None]
    """Called after each commit, so that the indexer wakes."""
    ledger: Ledger
    observer: Observer

    @refusals_logged(AccessAction.STORE)
    def __call__(self, access: Access, drafts: Sequence[Draft]) -> list[Acknowledged]:
        """Stores the drafts, and answers in their order.

        Raises:
            InvalidArgumentError: no drafts, more than `MAX_BATCH`, a request id used twice, an end
                that has passed or lies behind the purpose's, or sources that this call may not
                read.
            UnknownPurposeError, ConsentError, ErasureInProgressError: nothing may be stored.
            RequestIdReusedError: a request id whose memory was deleted.
            QuotaError: nothing was stored.
            StorageFullError, StorageUnavailableError, KeyUnavailableError: nothing was stored.
        """
        _check(drafts)
        purposes = self.registry.of(access.caller.tenant)
        purpose = purposes.require(access.purpose)
        ref = self.keyring.ref(access.caller.tenant, access.person)
        with self.observer.step(Step.STORE_ADMIT), self.store.read() as uow:
            admission = admit(uow, ref, purposes, access, self.clock())
            keys = self.keyring.keys(admission.person)
            seen = _seen(uow, keys, access, drafts)
        fresh = [i for i in range(len(drafts)) if i not in seen]
        _check_ends(purpose, [drafts[i] for i in fresh], admission.at)
        ready = self.preparer.prepare(
            access.caller.tenant,
            [drafts[i] for i in fresh],
            affect=admission.infers_affect(purpose),
        )
        prepared = dict(zip(fresh, ready, strict=True))
        facts = {i: derive(one, self.preparer.encoder) for i, one in prepared.items()}
        with self.observer.step(Step.STORE_WRITE), self.store.write() as uow:
            admission = admit(uow, ref, purposes, access, self.clock(), lock=True)
            keys = self.keyring.keys(admission.person)
            seen = _seen(uow, keys, access, drafts)
            if any(i not in seen and i not in prepared for i in range(len(drafts))):
                raise ErasureInProgressError("this person was forgotten meanwhile; call again")
            new = {i: prepared[i] for i in fresh if i not in seen}
            _check_named(uow, admission, {i: one.draft for i, one in new.items()})
            with self.observer.step(Step.STORE_SEAL):
                rows, derived, merged = self._write(
                    uow, keys, access, purpose, admission, new, facts
                )
            rows |= {i: _stored_row(uow, keys, record, self.clock()) for i, record in seen.items()}
            shows = admission.shows_affect(access, purpose)
            with self.observer.step(Step.STORE_COMMIT):
                uow.commit()
        self.stored()
        return [
            Acknowledged(
                open_memory(keys, rows[i], affect=shows),
                i in seen,
                tuple(open_memory(keys, row) for row in derived.get(i, ())),
                i in merged,
                {} if i in seen else _hidden(prepared[i]),
            )
            for i in range(len(drafts))
        ]

    def _write(
        self,
        uow: UnitOfWork,
        keys: PersonKeys,
        access: Access,
        purpose: Purpose,
        admission: Admission,
        prepared: dict[int, Prepared],
        facts: Mapping[int, Sequence[Prepared]],
    ) -> tuple[dict[int, MemoryRow], dict[int, list[MemoryRow]], frozenset[int]]:
        """The row of each draft, those of what was derived from it, and which were there before."""
        if not prepared:
            return {}, {}, frozenset()
        beside = [(i, fact) for i in prepared for fact in facts[i]]
        told = [*prepared.values(), *(fact for _, fact in beside)]
        named = self.preparer.name(uow, keys, told, self.random)
        count, now = len(prepared), self.clock()
        sightings = Sightings(uow, keys, access, purpose, now, self.random)
        said = dict(zip(prepared, sightings.sort(named[:count]), strict=True))
        derived = sightings.sort(
            [
                one.derived_from(said[i].id)
                for (i, _), one in zip(beside, named[count:], strict=True)
            ]
        )
        new = [one for one in (*said.values(), *derived) if one.id not in sightings.rows]
        self.room.require(uow, admission.person, len(new))
        seq = uow.next_seq(keys.subject, len(new)) if new else 0
        stored = [
            seal_row(
                keys,
                one.named,
                access,
                one.id,
                seq + offset,
                now,
                self.random,
                affect=admission.infers_affect(purpose),
                expires_at=end(now, purpose.retention, one.draft.expire_time, now),
                content_tag=one.tag,
            )
            for offset, one in enumerate(new)
        ]
        uow.add_memories(stored)
        sightings.write(new)
        uow.add_sources(keys.subject, {one.id: one.draft.sources for one in new})
        requests = {
            _request_key(keys, access, one.draft.request_id): one.id
            for one in said.values()
            if one.draft.request_id
        }
        uow.add_requests(keys.subject, requests)
        by, count = access.caller.assistant, len(said) + len(derived)
        self.ledger.write(uow, keys, by, AccessAction.STORE, count, access.purpose)
        rows = {row.id: row for row in stored} | sightings.rows
        facts_of: dict[int, list[MemoryRow]] = {}
        for (i, _), one in zip(beside, derived, strict=True):
            facts_of.setdefault(i, []).append(rows[one.id])
        merged = frozenset(i for i, one in said.items() if one.id in sightings.rows)
        return {i: rows[one.id] for i, one in said.items()}, facts_of, merged


def _check(drafts: Sequence[Draft]) -> None:
    if not 0 < len(drafts) <= MAX_BATCH:
        raise InvalidArgumentError("requests", f"1 to {MAX_BATCH} memories in one call")
    given = [d.request_id for d in drafts if d.request_id]
    if len(set(given)) != len(given):
        raise InvalidArgumentError("requests", "each request_id may stand only once in a batch")


def _check_ends(purpose: Purpose, drafts: Sequence[Draft], now: datetime) -> None:
    """Refuses what would be refused after the work."""
    for draft in drafts:
        end(now, purpose.retention, draft.expire_time, now)


def _check_named(uow: UnitOfWork, admission: Admission, drafts: Mapping[int, Draft]) -> None:
    """Whoever derives or replaces must have been able to read: a missing memory and an unseen one
    are alike.
    """
    named = {one for draft in drafts.values() for one in (*draft.sources, *draft.supersedes)}
    if not named:
        return
    readable = MemoryFilter(purposes=admission.visible, alive_at=admission.at)
    there = {head.id for head in uow.heads(admission.person.subject, readable, named)}
    for place, draft in drafts.items():
        for name, meant in (("sources", draft.sources), ("supersedes", draft.supersedes)):
            if not there.issuperset(meant):
                raise InvalidArgumentError(
                    f"requests[{place}].memory.{name}", "must be memories of this person"
                )


def _hidden(prepared: Prepared) -> Mapping[str, int]:
    return Counter(span.entity_type for span in (*prepared.speaker_spans, *prepared.spans))


def _request_key(keys: PersonKeys, access: Access, request_id: str) -> bytes:
    return keys.request_tag(f"{access.caller.assistant}/{request_id}")


def _seen(
    uow: UnitOfWork, keys: PersonKeys, access: Access, drafts: Sequence[Draft]
) -> dict[int, RecordId]:
    """Which drafts an earlier call stored, by their place, and as what."""
    asked = {
        _request_key(keys, access, d.request_id): i for i, d in enumerate(drafts) if d.request_id
    }
    if not asked:
        return {}
    return {asked[key]: record for key, record in uow.seen_requests(keys.subject, asked).items()}


def _stored_row(uow: UnitOfWork, keys: PersonKeys, record: RecordId, now: datetime) -> MemoryRow:
    row = next(iter(uow.memories(keys.subject, [record], MemoryFilter(alive_at=now))), None)
    if row is None:
        raise RequestIdReusedError(
            "this request_id stored a memory that was deleted since; use a new request_id"
        )
    return row
