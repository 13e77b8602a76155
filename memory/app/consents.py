"""What a person decides: give, refuse, withdraw, object; restrict; and the receipt of it all.

Rules:
- A decision holds for the very next call: it is committed when this returns.
- The first decision makes the person known: only then do they get keys.
- Withdrawing is as easy as giving (GDPR Art. 7(3)). Withdrawing what was never given succeeds and
  changes nothing: no existence oracle.
- Withdrawing does not touch what was lawful before; it erases what was stored for the purpose
  only when asked to.
- Who decides for a child, or by delegation, is named in the record, sealed.
- After an objection (Art. 21) only the person's own token gives consent again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from memory.app.affect import erase_affect
from memory.app.erasing import Erasing
from memory.app.gate import require_erasable
from memory.app.keyring import Keyring
from memory.app.ledger import Ledger
from memory.app.newcomers import Newcomers
from memory.app.personalize import unlearn
from memory.app.register import Register
from memory.core.consent import (
    AFFECT,
    TUNING,
    Consent,
    Decision,
    Indication,
    Relation,
    covered_purposes,
    objected,
    renews,
)
from memory.core.erasure import ErasureCall, Scope
from memory.core.keys import PersonKeys
from memory.core.purposes import Purpose, Registry
from memory.core.receipt import RECEIPT_TYPE, receipt
from memory.core.record_format import SALT_BYTES, Place, seal
from memory.core.requests import Right
from memory.core.signing import Signer
from memory.core.values import AssistantId, Caller, PersonId, PurposeId, RecordId
from memory.errors import (
    InvalidArgumentError,
    NotFoundError,
    ObjectionError,
)
from memory.ports import (
    AccessAction,
    Clock,
    MemoryFilter,
    PersonRow,
    PersonState,
    RandomBytes,
    Store,
    UnitOfWork,
)

MAX_DELEGATE_CHARS: Final = 256

_RESPONSIBLE: Final = frozenset({Relation.PARENT, Relation.GUARDIAN})


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The decisions that hold now in place of the ones ended, and how many memories went."""

    consents: list[Consent]
    erased: int


@dataclass(frozen=True, slots=True)
class Consents:
    """The use cases behind ConsentService."""

    store: Store
    keyring: Keyring
    newcomers: Newcomers
    registry: Registry
    signer: Signer
    register: Register
    erasing: Erasing
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
        indication: Indication | None = None,
    ) -> Consent:
        """Records the person's yes; `assistant` None covers every assistant of the tenant.

        Raises:
            UnknownPurposeError, ErasureInProgressError, ObjectionError.
            InvalidArgumentError: an expiry that has passed, an assistant the purpose does not
                allow, no explicit yes where the purpose needs one, or a child who decides alone.
        """
        known = self.registry.of(caller.tenant).require(purpose)
        indication = indication or Indication()
        if expires_at is not None and expires_at <= self.clock():
            raise InvalidArgumentError("expire_time", "must lie in the future")
        if assistant is not None and not known.allows(assistant):
            raise InvalidArgumentError("assistant", "may not act for this purpose")
        if known.special_category and not indication.explicit:
            raise InvalidArgumentError(
                "explicit", "this purpose touches special categories: the yes must be explicit"
            )
        _check_age(known, indication)
        return self._record(
            caller, person, known, assistant, Decision.GIVEN, indication, expires_at
        )

    def refuse(
        self,
        caller: Caller,
        person: PersonId,
        purpose: PurposeId,
        assistant: AssistantId | None,
        indication: Indication | None = None,
        *,
        objection: bool = False,
    ) -> Consent:
        """Records the person's no; with `objection`, one that only they take back (Art. 21).

        Raises:
            UnknownPurposeError, ErasureInProgressError.
            InvalidArgumentError: an objection to one assistant instead of to the use.
        """
        known = self.registry.of(caller.tenant).require(purpose)
        if objection and assistant is not None:
            raise InvalidArgumentError("assistant", "an objection is to the purpose as a whole")
        decision = Decision.OBJECTED if objection else Decision.REFUSED
        return self._record(caller, person, known, assistant, decision, indication or Indication())

    def _record(
        self,
        caller: Caller,
        person: PersonId,
        purpose: Purpose,
        assistant: AssistantId | None,
        decision: Decision,
        indication: Indication,
        expires_at: datetime | None = None,
    ) -> Consent:
        _check(indication)

        def decide(uow: UnitOfWork, row: PersonRow) -> Consent:
            earlier = uow.consents(row.subject, purpose.id)
            kind = decision
            if decision is Decision.GIVEN:
                if objected(earlier, purpose.id) and caller.person is None:
                    raise ObjectionError(
                        "the person objected to this use; only they can allow it again",
                        purpose=purpose.id.value,
                    )
                if renews(earlier, assistant, self.clock()):
                    kind = Decision.RENEWED
            consent = Consent(
                id=RecordId(self.random(16)),
                subject=row.subject,
                purpose=purpose.id,
                assistant=assistant,
                given_at=self.clock(),
                expires_at=expires_at,
                decision=kind,
                notice_version=purpose.notice_version,
                method=indication.method,
                explicit=indication.explicit,
                language=indication.language,
                relation=indication.relation,
            )
            keys = self.keyring.keys(row)
            if indication.delegate:
                consent = replace(
                    consent, delegate=self._sealed(keys, consent, indication.delegate)
                )
            uow.put_consent(consent)
            if decision is Decision.OBJECTED:
                self.register.fulfilled(uow, caller, row.subject, Right.OBJECTION)
            self.ledger.write(uow, keys, caller.assistant, AccessAction.CONSENT, 0, purpose.id)
            return consent

        ref = self.keyring.ref(caller.tenant, person)
        return self.newcomers.welcome(caller.tenant, ref, decide)

    def _sealed(self, keys: PersonKeys, consent: Consent, delegate: str) -> bytes:
        place = delegate_place(consent.id)
        return seal(keys, keys.vault, place, delegate.encode(), self.random(SALT_BYTES)).value

    def withdraw(
        self,
        caller: Caller,
        person: PersonId,
        purpose: PurposeId,
        assistant: AssistantId | None,
        *,
        erase: bool = False,
    ) -> Withdrawn:
        """Ends what was given for this purpose: for one assistant, or (None) for all of them.

        With `erase`, what was stored for it (by that assistant) goes in the same transaction; of
        `AFFECT`, what was inferred, and of `TUNING` what ratings taught, and the memories stay.

        Raises:
            UnknownPurposeError.
            LegalHoldError: asked to erase what is held; the consent stands, too.
        """
        purposes = self.registry.of(caller.tenant)
        purposes.require(purpose)
        now = self.clock()
        ref = self.keyring.ref(caller.tenant, person)
        with self.store.write() as uow:
            row = uow.person(ref, lock=True)
            if row is None:
                return Withdrawn([], 0)
            decided = uow.consents(row.subject, purpose)
            ended = [
                replace(c, withdrawn_at=now)
                for c in decided
                if c.in_force(now) and assistant in (None, c.assistant)
            ]
            covered = covered_purposes(decided, purposes, assistant, now) if assistant else ()
            if assistant and not ended and purpose in covered:
                # The yes to all assistants stays; this one is taken out of it.
                id_ = RecordId(self.random(16))
                ended = [Consent(id_, row.subject, purpose, assistant, now, withdrawn_at=now)]
            for consent in ended:
                uow.put_consent(consent)
            erased = 0
            if erase:
                require_erasable(row, now)
                if purpose == AFFECT:
                    erased = erase_affect(uow, self.keyring.keys(row), assistant, self.random)
                elif purpose == TUNING:
                    erased = unlearn(uow, self.keyring.keys(row), self.random)
                else:
                    erased = self._erase(uow, caller, row, purpose, assistant)
            if ended or erased:
                keys = self.keyring.keys(row)
                self.ledger.write(
                    uow, keys, caller.assistant, AccessAction.CONSENT, erased, purpose
                )
            uow.commit()
        if erased:
            self.erasing.follow(row.subject)
        return Withdrawn(ended, erased)

    def _erase(
        self,
        uow: UnitOfWork,
        caller: Caller,
        row: PersonRow,
        purpose: PurposeId,
        assistant: AssistantId | None,
    ) -> int:
        """Erases what was stored for this purpose, by this assistant or (None) by any."""
        filter_ = MemoryFilter(purposes=frozenset({purpose}), assistant=assistant)
        records = [head.id for head in uow.heads(row.subject, filter_)]
        if not records:
            return 0
        narrowed_by = ("source",) if assistant else ()
        scope = Scope(whole=False, purposes=(purpose.value,), narrowed_by=narrowed_by)
        erasure = self.erasing.begin(
            row.tenant,
            row.ref,
            ErasureCall.WITHDRAW_CONSENT,
            scope,
            by_person=caller.person is not None,
        )
        return self.erasing(uow, row, erasure, records, caller.assistant).memories

    def list(self, caller: Caller, person: PersonId) -> list[Consent]:
        """Every decision of the person, in the order they were made; none for an unknown one."""
        with self.store.read() as uow:
            row = uow.person(self.keyring.ref(caller.tenant, person))
            return [] if row is None else uow.consents(row.subject)

    def get(self, caller: Caller, person: PersonId, consent: RecordId) -> Consent:
        """One decision; raises `NotFoundError`."""
        return self._found(caller, person, consent)[1]

    def receipt(self, caller: Caller, person: PersonId, consent: RecordId) -> str:
        """The signed receipt of a decision, a compact JWS; raises `NotFoundError`."""
        row, found = self._found(caller, person, consent)
        return self.signed(self.keyring.keys(row), found, self.clock())

    def signed(self, keys: PersonKeys, consent: Consent, now: datetime) -> str:
        """The receipt of a decision as it stands at `now`."""
        payload = receipt(consent, self.registry.of(keys.tenant), keys, now)
        return self.signer.jws(payload, RECEIPT_TYPE)

    def _found(
        self, caller: Caller, person: PersonId, consent: RecordId
    ) -> tuple[PersonRow, Consent]:
        with self.store.read() as uow:
            row = uow.person(self.keyring.ref(caller.tenant, person))
            found = None if row is None else uow.consent(row.subject, consent)
            if row is None or found is None or row.state is PersonState.ERASING:
                raise NotFoundError("no such consent of this person", resource="consent")
            return row, found

    def invalidate(self, caller: Caller, purpose: PurposeId, notice_version: str) -> int:
        """Ends every yes in the tenant that rests on a notice that was wrong; returns how many."""
        self.registry.of(caller.tenant).require(purpose)
        if not notice_version:
            raise InvalidArgumentError("notice_version", "is needed")
        with self.store.write() as uow:
            count = uow.invalidate_consents(caller.tenant, purpose, notice_version, self.clock())
            uow.commit()
        return count


def delegate_place(consent: RecordId) -> Place:
    """Where the name of who decided for the person is sealed for."""
    return Place(consent.value, "delegate")


def _check(indication: Indication) -> None:
    if len(indication.delegate) > MAX_DELEGATE_CHARS:
        raise InvalidArgumentError("delegate", f"at most {MAX_DELEGATE_CHARS} characters")
    if (indication.relation is Relation.SELF) != (not indication.delegate):
        raise InvalidArgumentError("delegate", "and relation go together: set both or neither")


def _check_age(purpose: Purpose, indication: Indication) -> None:
    """The registry's age of consent; below it, someone with parental responsibility decides."""
    ages = purpose.minimum_age
    if indication.age is None or not ages or indication.relation in _RESPONSIBLE:
        return
    least = ages.get(indication.country, ages.get("default"))
    if least is not None and indication.age < least:
        raise InvalidArgumentError(
            "relation", f"below {least} years a parent or guardian decides (GDPR Art. 8)"
        )
