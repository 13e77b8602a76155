"""Who may use what for which purpose: default deny (GDPR Art. 6 and 7).

A decision is a record after ISO/IEC TS 27560, and its state one of W3C DPV's:

    Given, Renewed    in force; renewed when the decision before it, of the same purpose and
                      assistant, was a yes that had at most expired
    Refused           the person was asked and said no, or objected (Art. 21)
    Withdrawn         the person took it back
    Expired           its time has passed
    Invalidated       it turned out not to hold: its notice was wrong

Rules:
- Without a consent that covers (person, purpose, assistant) at that moment, nothing is stored
  or recalled.
- The latest decision for the same purpose and assistant counts; withdrawing is a decision.
- A consent for one assistant says nothing about another; one for all assistants covers each,
  except where the person withdrew it for that one since.
- It covers what its notice said: once the notice has another version, the person is asked again.
- Of a purpose that touches special categories only an explicit yes counts (Art. 9(2)(a)).
- An assistant that the registry does not allow for a purpose is not covered, whoever consented.
- Real names are shown only under a consent of their own, beside the one for the call's purpose.
- A profile is shown, a human colleague briefed, and ratings learnt from, only under consents of
  their own, too.
- A memory is visible to a call only if consent also covers the purpose it was stored for.
- After an objection only the person can say yes again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from memory.core.purposes import Purpose, Purposes
from memory.core.values import AssistantId, PurposeId, RecordId, SubjectId

REVEAL: Final = PurposeId("reveal")
"""The purpose under which a person lets an assistant see real names in place of pseudonyms."""

AFFECT: Final = PurposeId("affect")
"""The purpose under which a person lets mood be inferred from what they say."""


PROFILE: Final = PurposeId("profile")
"""The purpose under which a person lets what is known of them be put together."""

TUNING: Final = PurposeId("tuning")
"""The purpose under which a person lets their ratings tune what is recalled first."""


HANDOVER: Final = PurposeId("handover")
"""The purpose under which a person lets an assistant that steps aside brief a human colleague."""


class ConsentState(StrEnum):
    """Where a decision stands; named after the consent states of W3C DPV."""

    GIVEN = "given"
    RENEWED = "renewed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    INVALIDATED = "invalidated"


IN_FORCE: Final = frozenset({ConsentState.GIVEN, ConsentState.RENEWED})


class Decision(StrEnum):
    """What the person said."""

    GIVEN = "given"
    RENEWED = "renewed"
    REFUSED = "refused"
    OBJECTED = "objected"


class Method(StrEnum):
    """How they said it; the indication methods of DPV."""

    UNSTATED = ""
    STATEMENT = "statement"
    CLICK = "click"
    SIGNATURE = "signature"
    VOICE = "voice"
    SETTING = "setting"


class Relation(StrEnum):
    """Who decided in the person's stead, if not they themselves."""

    SELF = ""
    PARENT = "parent"
    GUARDIAN = "guardian"
    DELEGATE = "delegate"


@dataclass(frozen=True, slots=True)
class Indication:
    """How a decision was made: what a record of it must be able to show (Art. 7(1)).

    `age` and `country` are what the caller knows of the person, for the registry's rule on the
    age of consent; they are judged and not kept.
    """

    method: Method = Method.UNSTATED
    explicit: bool = False
    language: str = ""
    relation: Relation = Relation.SELF
    delegate: str = ""
    age: int | None = None
    country: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """One decision of a person. `assistant` None covers every assistant of the tenant.

    `delegate` is the sealed name of who acted for the person, empty for the person.
    """

    id: RecordId
    subject: SubjectId
    purpose: PurposeId
    assistant: AssistantId | None
    given_at: datetime
    expires_at: datetime | None = None
    withdrawn_at: datetime | None = None
    invalidated_at: datetime | None = None
    decision: Decision = Decision.GIVEN
    notice_version: str = "1"
    method: Method = Method.UNSTATED
    explicit: bool = False
    language: str = ""
    relation: Relation = Relation.SELF
    delegate: bytes = b""

    def state(self, now: datetime) -> ConsentState:
        """What the decision is worth at `now`."""
        if self.invalidated_at is not None:
            return ConsentState.INVALIDATED
        if self.withdrawn_at is not None:
            return ConsentState.WITHDRAWN
        if self.decision in (Decision.REFUSED, Decision.OBJECTED):
            return ConsentState.REFUSED
        if self.expires_at is not None and self.expires_at <= now:
            return ConsentState.EXPIRED
        return ConsentState(self.decision.value)

    def in_force(self, now: datetime) -> bool:
        """Whether it is a yes that holds at `now`, its notice aside."""
        return self.state(now) in IN_FORCE

    def changed_at(self, now: datetime) -> datetime:
        """When its state was last another one."""
        state = self.state(now)
        if state is ConsentState.INVALIDATED and self.invalidated_at is not None:
            return self.invalidated_at
        if state is ConsentState.EXPIRED and self.expires_at is not None:
            return self.expires_at
        return self.withdrawn_at or self.given_at

    def fits(self, purpose: Purpose) -> bool:
        """Whether it was given under the notice that holds, in the way the purpose needs."""
        return purpose.accepts(self.notice_version, explicit=self.explicit)


def covered_purposes(
    consents: Iterable[Consent], purposes: Purposes, assistant: AssistantId, now: datetime
) -> frozenset[PurposeId]:
    """The purposes for which this assistant may act now."""
    covered = set()
    for purpose, decision in standing(consents, assistant).items():
        known = purposes.by_id.get(purpose)
        if known and decision.in_force(now) and decision.fits(known) and known.allows(assistant):
            covered.add(purpose)
    return frozenset(covered)


def standing(consents: Iterable[Consent], assistant: AssistantId) -> dict[PurposeId, Consent]:
    """For each purpose the latest decision that concerns this assistant."""
    latest: dict[PurposeId, Consent] = {}
    for consent in consents:
        if consent.assistant not in (None, assistant):
            continue
        held = latest.get(consent.purpose)
        if held is None or _rank(consent) >= _rank(held):
            latest[consent.purpose] = consent
    return latest


def objected(consents: Iterable[Consent], purpose: PurposeId) -> bool:
    """Whether the last thing the person said about the purpose as a whole is an objection."""
    decided = [c for c in consents if c.purpose == purpose and c.assistant is None]
    return bool(decided) and max(decided, key=_rank).decision is Decision.OBJECTED


def renews(consents: Iterable[Consent], assistant: AssistantId | None, now: datetime) -> bool:
    """Whether a yes of this scope would renew one that holds, or that has merely expired.

    `consents` are those of one purpose; after a no or a withdrawal a yes is a new one.
    """
    same = [c for c in consents if c.assistant == assistant]
    return bool(same) and max(same, key=_rank).state(now) in IN_FORCE | {ConsentState.EXPIRED}


def _rank(consent: Consent) -> tuple[datetime, bool]:
    """When it was decided; at the same instant, what was said of one assistant counts more."""
    return consent.withdrawn_at or consent.given_at, consent.assistant is not None
