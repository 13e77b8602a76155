"""The one way in which single memories are erased: on request, with a consent, or when expired.

    the caller's transaction   the rows go, the erasure with its signed intent is written down
    `app.erase`                the rest, when `follow` was called after the commit

Rules:
- What was derived from a memory goes with it, to any depth: it may repeat what is erased.
- A legal hold refuses it.
- It leaves an event of the person's; an operator event where the person's key does not open now, so
  that a key provider that is down delays no erasure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from memory.app.certify import Certify
from memory.app.gate import require_erasable
from memory.app.keyring import Keyring
from memory.app.ledger import ENGINE, Ledger
from memory.core.erasure import ErasureCall, ErasureRow, ErasureState, Scope
from memory.core.values import AssistantId, Caller, PersonRef, RecordId, SubjectId, TenantId
from memory.errors import KeyUnavailableError, SealError
from memory.ports import (
    AccessAction,
    Clock,
    OperatorAction,
    PersonRow,
    RandomBytes,
    UnitOfWork,
)


@dataclass(frozen=True, slots=True)
class Erasing:
    """Erases memories of one person within a transaction."""

    keyring: Keyring
    certify: Certify
    clock: Clock
    random: RandomBytes
    ledger: Ledger
    follow: Callable[[SubjectId], None]
    """Called after the commit: nothing of the person's stays open, and the engine goes on."""

    def begin(
        self,
        tenant: TenantId,
        ref: PersonRef,
        call: ErasureCall,
        scope: Scope,
        *,
        by_person: bool,
        at_once: bool = False,
    ) -> ErasureRow:
        """An erasure with its signed intent, of nothing yet."""
        erasure = ErasureRow(
            id=RecordId(self.random(16)),
            tenant=tenant,
            state=ErasureState.FENCED,
            subject=None,
            collection="",
            memories=0,
            consents=0,
            vault_entries=0,
            started_at=self.clock(),
            finished_at=None,
            call=call,
            scope=scope,
            at_once=at_once,
        )
        return self.certify.named(erasure, ref, by_person=by_person)

    def __call__(
        self,
        uow: UnitOfWork,
        person: PersonRow,
        erasure: ErasureRow,
        records: Sequence[RecordId],
        by: AssistantId,
    ) -> ErasureRow:
        """Erases memories of a person who is locked; commit it. Raises `LegalHoldError`."""
        require_erasable(person, self.clock())
        gone = [*records, *uow.derived(person.subject, records)]
        erasure = replace(
            erasure,
            subject=person.subject,
            collection=person.collection,
            memories=uow.erase_memories(person.subject, gone),
            key_version=person.key_version,
            epoch=person.wrapped_key.epoch,
        )
        uow.put_erasure(erasure)
        self._note(uow, person, by, erasure.memories)
        return erasure

    def expired(self, uow: UnitOfWork, subject: SubjectId, records: Sequence[RecordId]) -> int:
        """Erases memories whose time is over; returns how many went, with what was derived."""
        person = uow.person_by_subject(subject)
        if person is None:
            return 0
        scope = Scope(whole=False, narrowed_by=("expiry",))
        erasure = self.begin(
            person.tenant, person.ref, ErasureCall.RETENTION, scope, by_person=False
        )
        return self(uow, person, erasure, records, ENGINE).memories

    def _note(self, uow: UnitOfWork, person: PersonRow, by: AssistantId, count: int) -> None:
        try:
            keys = self.keyring.keys(person)
        except (KeyUnavailableError, SealError):
            caller = Caller(person.tenant, by, frozenset())
            self.ledger.operate(uow, caller, OperatorAction.FORGET, count)
        else:
            self.ledger.write(uow, keys, by, AccessAction.ERASE, count)
