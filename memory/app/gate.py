"""The consent gate: the one door between a call and a person's memories.

Rules:
- It runs inside the transaction that reads or writes, so what it saw is what holds.
- What is restricted is not used; the person's own token still opens it (GDPR Art. 15 and 18).
- By right, for `OWN_RIGHTS`, the person's own token reads and corrects without a consent what is
  kept for any purpose. What infers, learns, tells others or stores is no part of that right.
- What is under a legal hold is not erased.
- An unknown person and one who never consented read alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from memory.core.consent import (
    AFFECT,
    HANDOVER,
    PROFILE,
    REVEAL,
    TUNING,
    Consent,
    covered_purposes,
    standing,
)
from memory.core.purposes import OWN_RIGHTS, Purpose, Purposes
from memory.core.values import Access, PersonRef, PurposeId
from memory.errors import (
    ConsentError,
    ErasureInProgressError,
    LegalHoldError,
    RestrictedError,
)
from memory.ports import PersonRow, PersonState, UnitOfWork

_BY_CONSENT_ALONE: Final = frozenset({AFFECT, HANDOVER, TUNING})


@dataclass(frozen=True, slots=True)
class Admission:
    """A person whose memories this call may touch, which of them it may see, and as of when."""

    person: PersonRow
    visible: frozenset[PurposeId]
    at: datetime

    def shows_affect(self, access: Access, purpose: Purpose) -> bool:
        """Whether mood inferred earlier may be shown: to an assistant by consent and where the
        purpose allows it, to the person always.
        """
        return access.caller.person is not None or self.infers_affect(purpose)

    def infers_affect(self, purpose: Purpose) -> bool:
        """Whether mood may be inferred from what is stored for this purpose."""
        return purpose.affect and AFFECT in self.visible


def purpose_of(purposes: Purposes, access: Access) -> Purpose:
    """Why a call reads or corrects: for a purpose of the registry, or by the person's own right.

    Raises:
        UnknownPurposeError: for neither.
    """
    return OWN_RIGHTS if _by_right(access) else purposes.require(access.purpose)


def admit(
    uow: UnitOfWork,
    ref: PersonRef,
    purposes: Purposes,
    access: Access,
    now: datetime,
    *,
    lock: bool = False,
) -> Admission:
    """Lets the call pass.

    Raises:
        ConsentError: nothing covers this person, purpose and assistant now. Its metadata says
            `notice` where consent was given under an earlier notice.
        RestrictedError: what is kept of the person is not used now.
        ErasureInProgressError: the person is being forgotten.
    """
    person = uow.person(ref, lock=lock)
    if person is None:
        raise _refused(access)
    if person.state is PersonState.ERASING:
        raise ErasureInProgressError("this person is being forgotten; nothing can be used")
    consents = uow.consents(person.subject)
    covered = covered_purposes(consents, purposes, access.caller.assistant, now)
    if _by_right(access):
        kept = purposes.by_id.keys() | {consent.purpose for consent in consents}
        covered |= (kept | {REVEAL, PROFILE}) - _BY_CONSENT_ALONE
    elif access.purpose not in covered:
        raise _refused(access, standing(consents, access.caller.assistant).get(access.purpose), now)
    if person.restricted_at is not None and access.caller.person is None:
        raise RestrictedError(
            "processing of this person's data is restricted; nothing is used until it is lifted"
        )
    return Admission(person, covered, now)


def not_allowed(access: Access, purpose: PurposeId, what: str) -> ConsentError:
    """The refusal of what needs a consent of its own, beside the one for the call's purpose.

    `what` ends "no consent of this person lets ...".
    """
    return ConsentError(
        f"no consent of this person lets {what}; "
        f"ask them, then call GrantConsent for purposes/{purpose.value}",
        purpose=purpose.value,
        assistant=access.caller.assistant.value,
    )


def require_erasable(person: PersonRow, now: datetime) -> None:
    """Lets an erasure pass, or `LegalHoldError`."""
    if person.held(now) and person.held_until is not None:
        raise LegalHoldError(
            "a legal hold keeps this person's data; nothing was erased",
            until=person.held_until.isoformat(),
        )


def _by_right(access: Access) -> bool:
    return access.purpose == OWN_RIGHTS.id and access.caller.person == access.person


def _refused(
    access: Access, decision: Consent | None = None, now: datetime | None = None
) -> ConsentError:
    metadata = {"purpose": access.purpose.value, "assistant": access.caller.assistant.value}
    if decision is not None and now is not None and decision.in_force(now):
        metadata["notice"] = decision.notice_version
    return ConsentError(
        "no consent of this person covers this purpose for this assistant"
        f"{', as it stands in the registry now' if 'notice' in metadata else ''}; "
        "ask them, then call GrantConsent",
        **metadata,
    )
