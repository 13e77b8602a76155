"""Give, withdraw and list consents. Withdrawing is as easy as giving (GDPR Art. 7(3)).

Rules:
- A grant or a withdrawal holds for the very next call: it is committed when it returns.
- The first grant makes the person known: only then do they get keys.
- Withdrawing what was never given succeeds and changes nothing: no existence oracle.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from memory.app.keyring import Keyring
from memory.app.ledger import Ledger
from memory.app.veiling import Veils
from memory.core.consent import Consent, ConsentState, covered_purposes
from memory.core.purposes import Purposes
from memory.core.values import AssistantId, Caller, PersonId, PersonRef, PurposeId, RecordId
from memory.errors import ErasureInProgressError, InvalidArgumentError, KeyMovedError
from memory.ports import AccessAction, Clock, PersonState, RandomBytes, Store

_TRIES: Final = 2
"""More, where the keys' epoch moves between wrapping a new person's key and storing it."""


@dataclass(frozen=True, slots=True)
class Consents:
    """The use cases behind ConsentService."""

    store: Store
    keyring: Keyring
    veils: Veils
    purposes: Purposes
    clock: Clock
    random: RandomBytes
    ledger: Ledger

    def grant(
        self,
        caller: Caller,
        person: PersonId,
        purpose: PurposeId,
        assistant: AssistantId | None,
        expires_at: datetime | None = None,
    ) -> Consent:
        """Records the person's yes; `assistant` None covers every assistant of the tenant.

        Raises:
            UnknownPurposeError, InvalidArgumentError (an expiry that has passed),
            ErasureInProgressError.
        """
        self.purposes.require(purpose)
        now = self.clock()
        if expires_at is not None and expires_at <= now:
            raise InvalidArgumentError("expire_time", "must lie in the future")
        ref = self.keyring.ref(caller.tenant, person)
        for _ in range(_TRIES):
            with suppress(KeyMovedError):
                return self._grant(caller, ref, purpose, assistant, now, expires_at)
        return self._grant(caller, ref, purpose, assistant, now, expires_at)

    def _grant(
        self,
        caller: Caller,
        ref: PersonRef,
        purpose: PurposeId,
        assistant: AssistantId | None,
        now: datetime,
        expires_at: datetime | None,
    ) -> Consent:
        with self.store.read() as uow:
            known = uow.person(ref)
        fresh = None if known else self.keyring.new_person(caller.tenant, ref, now)
        with self.store.write() as uow:
            row = uow.person(ref, lock=True)
            if row is None:
                if fresh is None:
                    raise ErasureInProgressError("this person was forgotten meanwhile; call again")
                row = replace(fresh, collection=self.veils.collection(fresh))
                uow.add_person(row)
            if row.state is PersonState.ERASING:
                raise ErasureInProgressError("this person is being forgotten; try again after it")
            id_ = RecordId(self.random(16))
            consent = Consent(id_, row.subject, purpose, assistant, now, expires_at)
            uow.put_consent(consent)
            keys = self.keyring.keys(row)
            self.ledger.write(uow, keys, caller.assistant, AccessAction.CONSENT, 0, purpose)
            uow.commit()
        return consent

    def withdraw(
        self,
        caller: Caller,
        person: PersonId,
        purpose: PurposeId,
        assistant: AssistantId | None,
    ) -> list[Consent]:
        """Ends what was given for this purpose: for one assistant, or (None) for all of them.

        Returns the decisions that hold now in place of the ones ended.
        """
        self.purposes.require(purpose)
        now = self.clock()
        ref = self.keyring.ref(caller.tenant, person)
        with self.store.write() as uow:
            row = uow.person(ref, lock=True)
            if row is None:
                return []
            decided = uow.consents(row.subject, purpose)
            ended = [
                replace(c, withdrawn_at=now)
                for c in decided
                if c.state(now) is ConsentState.GIVEN and assistant in (None, c.assistant)
            ]
            if assistant and not ended and purpose in covered_purposes(decided, assistant, now):
                # The yes to all assistants stays; this one is taken out of it.
                id_ = RecordId(self.random(16))
                ended = [Consent(id_, row.subject, purpose, assistant, now, withdrawn_at=now)]
            for consent in ended:
                uow.put_consent(consent)
            if ended:
                keys = self.keyring.keys(row)
                self.ledger.write(uow, keys, caller.assistant, AccessAction.CONSENT, 0, purpose)
            uow.commit()
        return ended

    def list(self, caller: Caller, person: PersonId) -> list[Consent]:
        """Every decision of the person, in the order they were made; none for an unknown one."""
        with self.store.read() as uow:
            row = uow.person(self.keyring.ref(caller.tenant, person))
            return [] if row is None else uow.consents(row.subject)
