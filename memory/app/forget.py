"""Forget a person: fence ▶ destroy the key; the sweep follows (GDPR Art. 17).

    `app.intake`      ONE transaction: fenced, with the signed intent and the counts
    ONE transaction   the wrapped key is overwritten
    `app.erase`       sweep ▶ scrub ▶ scan ▶ certificate ▶ key epoch

Rules:
- From the fence on nothing of the person is stored or recalled; what was in hand is waited for.
- Forgetting an unknown person succeeds with counts of zero: no existence oracle.
- Whatever happens after the fence, the erasure is finished without anybody asking again.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from memory.app.erase import Eraser
from memory.app.intake import Intake
from memory.app.residue import Residue
from memory.core.values import Caller, PersonId, RecordId
from memory.errors import NotFoundError, TacitError
from memory.ports import ErasureRow, ErasureState, MemoryFilter, RandomBytes, Store

WAIT_SECONDS: Final = 15.0
"""How long a call waits for the certificate; then it answers with how far the erasure is."""


@dataclass(frozen=True, slots=True)
class Forget:
    """The use cases behind ForgetUser, GetErasureCertificate and ListErasures."""

    store: Store
    intake: Intake
    eraser: Eraser
    random: RandomBytes
    residue: Residue

    def __call__(
        self, caller: Caller, person: PersonId, *, at_once: bool = False, wait: float = WAIT_SECONDS
    ) -> ErasureRow:
        """Forgets the person; returns when it is done, or after `wait` seconds, or when
        something that it needs does not answer.

        Args:
            at_once: roll the key epoch for this erasure alone, before the certificate.

        Raises:
            LegalHoldError: nothing was erased.
            StorageFullError: nothing was accepted; call again.
        """
        id_ = RecordId(self.random(16))
        with self.eraser.in_hand(id_):
            erasure = self.intake.accept(caller, person, id_, at_once=at_once)
            if erasure.waits_for:
                return erasure
            self._look_for(erasure, person)
            with suppress(TacitError):  # then the worker goes on with it
                erasure = self.eraser.steps.destroy_key(erasure)
        return self.eraser.wait(erasure, wait)

    def _look_for(self, erasure: ErasureRow, person: PersonId) -> None:
        """Tells the scan what to look for, while the keys still open it."""
        if erasure.subject is None or erasure.state is not ErasureState.FENCED:
            return
        with suppress(TacitError):  # then there is none, and the certificate says so
            with self.store.read() as uow:
                row = uow.person_by_subject(erasure.subject)
            if row is not None:
                self.eraser.look_for(erasure.id, self.residue.gather(row, person))

    def get(self, caller: Caller, erasure: RecordId) -> ErasureRow:
        """How far an erasure is; raises `NotFoundError`, also for another tenant's."""
        row = self.intake.waiting(caller.tenant.value, erasure)
        if row is None:
            with self.store.read() as uow:
                row = uow.erasure(erasure)
        if row is None or row.tenant != caller.tenant:
            raise NotFoundError("no such erasure", resource="erasure")
        return row

    def remaining(self, erasure: ErasureRow) -> int:
        """How many memories of a fenced person are still to be swept."""
        if erasure.subject is None or not erasure.scope.whole:
            return 0
        with self.store.read() as uow:
            return uow.count_memories(erasure.subject, MemoryFilter())

    def page(
        self, caller: Caller, before: RecordId | None, limit: int
    ) -> tuple[list[ErasureRow], RecordId | None]:
        """The tenant's erasures, newest first, behind `before`; and what to go on behind."""
        with self.store.read() as uow:
            rows = uow.erasures(caller.tenant, before, limit + 1)
        return rows[:limit], rows[limit - 1].id if len(rows) > limit else None
