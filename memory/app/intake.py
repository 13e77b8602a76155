"""Intake: where the forgetting of a person is accepted, whether or not the database answers.

    it answers       ONE transaction: the person is fenced, intent and counts are written down
    it does not      the intent is written to this server's own disk, the person fenced in this
                     server; once the database is back, the transaction follows (`replay`)

Rules:
- What was accepted is on a disk when this returns.
- While the database is away nothing can be stored or recalled by any server. When it is back, this
  server lets nothing through for the person before the fence stands; the others, until it does.
- A legal hold refuses it. One that was placed while the database was away keeps the intent waiting
  until the hold ends; this server uses nothing of the person meanwhile.
- An intent is carried out once: under its own id, however often it is replayed.
- It stands in the register of requests under that id, and is fulfilled with the certificate.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from memory.app.certify import Certify
from memory.app.gate import require_erasable
from memory.app.keyring import Keyring
from memory.app.ledger import Ledger
from memory.core.erasure import PERSON, ErasureCall
from memory.core.requests import Outcome, Right, RightsRequest, received
from memory.core.values import Caller, PersonId, RecordId
from memory.errors import LegalHoldError, StorageUnavailableError, TacitError
from memory.ports import (
    Clock,
    ErasureRow,
    ErasureState,
    Intent,
    Intents,
    MemoryFilter,
    OperatorAction,
    PersonState,
    Store,
)


@dataclass(frozen=True, slots=True)
class Intake:
    """Accepts erasures of whole people."""

    store: Store
    keyring: Keyring
    certify: Certify
    intents: Intents
    clock: Clock
    ledger: Ledger

    def accept(
        self, caller: Caller, person: PersonId, id_: RecordId, *, at_once: bool = False
    ) -> ErasureRow:
        """The erasure under way; `waits_for` says so if the database was away.

        Raises:
            LegalHoldError, StorageUnavailableError, StorageFullError: nothing was accepted.
        """
        ref = self.keyring.deployment.person_ref(caller.tenant, person)
        intent = Intent(
            id=id_,
            tenant=caller.tenant,
            assistant=caller.assistant,
            ref=ref,
            at_once=at_once,
            by_person=caller.person is not None,
            at=self.clock(),
        )
        try:
            return self._fence(intent)
        except StorageUnavailableError:
            self.intents.put(intent)
            self.keyring.fence(ref)
            return self._waiting(intent)

    def replay(self) -> int:
        """Carries over what was accepted while the database was away; returns how many."""
        waiting = self.intents.all()
        for intent in waiting:
            self.keyring.fence(intent.ref)
            with suppress(LegalHoldError):
                if self._fence(intent).id == intent.id:  # else another one is under way: after it
                    self.intents.remove(intent.id)
                    self.keyring.unfence(intent.ref)
        return len(waiting)

    def waiting(self, tenant: str, erasure: RecordId) -> ErasureRow | None:
        """An erasure that is accepted and not in the database yet."""
        for intent in self.intents.all():
            if intent.id == erasure and intent.tenant.value == tenant:
                return replace(self._waiting(intent), waits_for=self._reason(intent))
        return None

    def _fence(self, intent: Intent) -> ErasureRow:
        erasure = self._erasure(intent)
        with self.store.write() as uow:
            if (known := uow.erasure(intent.id)) is not None:
                return known
            row = uow.person(intent.ref, lock=True)
            if row is None:
                erasure = self.certify.nothing_there(erasure)
                uow.put_erasure(erasure)
                uow.put_rights_request(
                    rights_request(erasure).finished(Outcome.FULFILLED, intent.at)
                )
            elif row.state is PersonState.ERASING:
                under_way = uow.unfinished_erasures()
                return next(e for e in under_way if e.subject == row.subject and e.scope.whole)
            else:
                require_erasable(row, self.clock())
                erasure = replace(
                    erasure,
                    subject=row.subject,
                    collection=row.collection,
                    memories=uow.count_memories(row.subject, MemoryFilter()),
                    consents=len(uow.consents(row.subject)),
                    vault_entries=len(uow.vault(row.subject)),
                    key_version=row.key_version,
                    epoch=row.wrapped_key.epoch,
                    before=uow.rows_of(row.subject),
                )
                uow.fence(row.subject, erasure)
                uow.put_rights_request(rights_request(erasure))
                by = Caller(intent.tenant, intent.assistant, frozenset())
                self.ledger.operate(uow, by, OperatorAction.FORGET, erasure.memories)
            uow.commit()
        return erasure

    def _waiting(self, intent: Intent) -> ErasureRow:
        return replace(self._erasure(intent), waits_for=StorageUnavailableError.reason)

    def _reason(self, intent: Intent) -> str:
        with suppress(TacitError), self.store.read() as uow:
            row = uow.person(intent.ref)
            if row is not None and row.held(self.clock()):
                return LegalHoldError.reason
        return StorageUnavailableError.reason

    def _erasure(self, intent: Intent) -> ErasureRow:
        erasure = ErasureRow(
            id=intent.id,
            tenant=intent.tenant,
            state=ErasureState.FENCED,
            subject=None,
            collection="",
            memories=0,
            consents=0,
            vault_entries=0,
            started_at=intent.at,
            finished_at=None,
            call=ErasureCall.FORGET_USER,
            scope=PERSON,
            at_once=intent.at_once,
        )
        return self.certify.named(erasure, intent.ref, by_person=intent.by_person)


def rights_request(erasure: ErasureRow) -> RightsRequest:
    """An erasure's entry in the register of requests, under the erasure's own id."""
    return received(erasure.id, erasure.tenant, erasure.subject, Right.ERASURE, erasure.started_at)
