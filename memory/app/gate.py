"""The consent gate: the one door between a call and a person's memories.

Rules:
- It runs inside the transaction that reads or writes, so what it saw is what holds.
- An unknown person and one who never consented read alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from memory.core.consent import covered_purposes
from memory.core.values import Access, PersonRef, PurposeId
from memory.errors import ConsentError, ErasureInProgressError
from memory.ports import PersonRow, PersonState, UnitOfWork


@dataclass(frozen=True, slots=True)
class Admission:
    """A person whose memories this call may touch, and which of them it may see."""

    person: PersonRow
    visible: frozenset[PurposeId]


def admit(
    uow: UnitOfWork, ref: PersonRef, access: Access, now: datetime, *, lock: bool = False
) -> Admission:
    """Lets the call pass.

    Raises:
        ConsentError: nothing covers this person, purpose and assistant now.
        ErasureInProgressError: the person is being forgotten.
    """
    person = uow.person(ref, lock=lock)
    if person is None:
        raise _refused(access)
    if person.state is PersonState.ERASING:
        raise ErasureInProgressError("this person is being forgotten; nothing can be used")
    covered = covered_purposes(uow.consents(person.subject), access.caller.assistant, now)
    if access.purpose not in covered:
        raise _refused(access)
    return Admission(person, covered)


def _refused(access: Access) -> ConsentError:
    return ConsentError(
        "no consent of this person covers this purpose for this assistant; "
        "ask them, then call GrantConsent",
        purpose=access.purpose.value,
        assistant=access.caller.assistant.value,
    )
