"""Forget: fence ▶ destroy the key ▶ sweep every copy ▶ done (GDPR Art. 17).

Rules:
- Each step is idempotent and recorded before the next: a crash resumes where it stopped
  (`resume`), never goes back, and never resurrects.
- From the fence on nothing of the person is stored or recalled.
- Forgetting an unknown person succeeds with counts of zero: no existence oracle.
- The erasure outlives the person and says nothing of who they were.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from memory.app.gate import require_erasable
from memory.app.keyring import Keyring
from memory.app.ledger import Ledger
from memory.app.matrices import Matrices
from memory.app.opened import OpenedFeatures
from memory.app.veiling import Veils
from memory.core.requests import Outcome, Right, RightsRequest, received
from memory.core.values import Caller, PersonId, RecordId, SubjectId
from memory.ports import (
    Clock,
    ErasureRow,
    ErasureState,
    MemoryFilter,
    OperatorAction,
    PersonState,
    RandomBytes,
    Store,
)


@dataclass(frozen=True, slots=True)
class Forget:
    """The use case behind ForgetUser."""

    store: Store
    keyring: Keyring
    opened: OpenedFeatures
    veils: Veils
    matrices: Matrices
    sweep_index: Callable[[str], None]
    """Takes a collection out of the index and its files, for good."""
    clock: Clock
    random: RandomBytes
    ledger: Ledger

    def __call__(self, caller: Caller, person: PersonId) -> ErasureRow:
        """Erases everything of the person; returns when it is done.

        Raises:
            LegalHoldError: nothing was erased.
            StorageUnavailableError, StorageFullError, IndexUnavailableError: fenced at least, if
                the fence was acknowledged; call again, or it is finished at the next start.
        """
        return self._finish(self._fence(caller, person))

    def resume(self) -> int:
        """Finishes what a crash interrupted; returns how many erasures that were."""
        with self.store.read() as uow:
            unfinished = uow.unfinished_erasures()
        for erasure in unfinished:
            self._finish(erasure)
        return len(unfinished)

    def _fence(self, caller: Caller, person: PersonId) -> ErasureRow:
        now = self.clock()
        erasure = ErasureRow(
            id=RecordId(self.random(16)),
            tenant=caller.tenant,
            state=ErasureState.FENCED,
            subject=None,
            collection="",
            memories=0,
            consents=0,
            vault_entries=0,
            started_at=now,
            finished_at=None,
        )
        with self.store.write() as uow:
            row = uow.person(self.keyring.ref(caller.tenant, person), lock=True)
            if row is None:
                erasure = replace(erasure, state=ErasureState.DONE, finished_at=now)
                uow.put_erasure(erasure)
                uow.put_rights_request(_request(erasure).finished(Outcome.FULFILLED, now))
            elif row.state is PersonState.ERASING:
                erasure = next(e for e in uow.unfinished_erasures() if e.subject == row.subject)
            else:
                require_erasable(row, now)
                erasure = replace(
                    erasure,
                    subject=row.subject,
                    collection=row.collection,
                    memories=uow.count_memories(row.subject, MemoryFilter()),
                    consents=len(uow.consents(row.subject)),
                    vault_entries=len(uow.vault(row.subject)),
                )
                uow.fence(row.subject, erasure)
                uow.put_rights_request(_request(erasure))
                self.ledger.operate(uow, caller, OperatorAction.FORGET, erasure.memories)
            uow.commit()
        return erasure

    def _finish(self, erasure: ErasureRow) -> ErasureRow:
        subject = erasure.subject
        if erasure.state is ErasureState.DONE or subject is None:
            return erasure
        if erasure.state is ErasureState.FENCED:
            erasure = self._destroy_key(erasure, subject)
        self.sweep_index(erasure.collection)
        done = replace(
            erasure,
            state=ErasureState.DONE,
            subject=None,
            collection="",
            finished_at=self.clock(),
        )
        with self.store.write() as uow:
            uow.delete_person(subject)
            uow.commit()
        self.store.scrub()
        with self.store.write() as uow:
            uow.put_erasure(done)
            request = uow.rights_request(done.tenant, done.id) or _request(done)
            uow.put_rights_request(request.finished(Outcome.FULFILLED, self.clock()))
            uow.commit()
        return done

    def _destroy_key(self, erasure: ErasureRow, subject: SubjectId) -> ErasureRow:
        destroyed = replace(erasure, state=ErasureState.KEY_DESTROYED)
        with self.store.write() as uow:
            uow.destroy_person_key(subject)
            uow.put_erasure(destroyed)
            uow.commit()
        self.keyring.forget(subject)
        self.opened.forget(subject)
        self.veils.forget(subject)
        self.matrices.forget(subject)
        return destroyed


def _request(erasure: ErasureRow) -> RightsRequest:
    """An erasure's entry in the register of requests, under the erasure's own id."""
    return received(erasure.id, erasure.tenant, erasure.subject, Right.ERASURE, erasure.started_at)
