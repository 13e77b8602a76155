"""Who may use what for which purpose: default deny (GDPR Art. 6 and 7).

Rules:
- Without a consent that covers (person, purpose, assistant) at that moment, nothing is stored
  or recalled.
- The latest decision for the same purpose and assistant counts; withdrawing is a decision.
- A consent for one assistant says nothing about another; one for all assistants covers each,
  except where the person withdrew it for that one since.
- Real names are shown only under a consent of their own, beside the one for the call's purpose.
- A memory is visible to a call only if consent also covers the purpose it was stored for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from memory.core.values import AssistantId, PurposeId, RecordId, SubjectId

REVEAL: Final = PurposeId("reveal")
"""The purpose under which a person lets an assistant see real names in place of pseudonyms."""


class ConsentState(StrEnum):
    """Where a decision stands; named after the consent states of W3C DPV."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Consent:
    """One decision of a person. `assistant` None covers every assistant of the tenant."""

    id: RecordId
    subject: SubjectId
    purpose: PurposeId
    assistant: AssistantId | None
    given_at: datetime
    expires_at: datetime | None = None
    withdrawn_at: datetime | None = None

    def state(self, now: datetime) -> ConsentState:
        """What the decision is worth at `now`."""
        if self.withdrawn_at is not None:
            return ConsentState.WITHDRAWN
        if self.expires_at is not None and self.expires_at <= now:
            return ConsentState.EXPIRED
        return ConsentState.GIVEN


def covered_purposes(
    consents: Iterable[Consent], assistant: AssistantId, now: datetime
) -> frozenset[PurposeId]:
    """The purposes for which this assistant may act now."""
    latest: dict[tuple[PurposeId, AssistantId | None], Consent] = {}
    for consent in consents:
        if consent.assistant not in (None, assistant):
            continue
        scope = (consent.purpose, consent.assistant)
        if scope not in latest or _decided_at(consent) >= _decided_at(latest[scope]):
            latest[scope] = consent
    covered = set()
    for purpose in {purpose for purpose, _ in latest}:
        decisions = [
            latest[scope] for scope in ((purpose, assistant), (purpose, None)) if scope in latest
        ]
        if max(decisions, key=_decided_at).state(now) is ConsentState.GIVEN:
            covered.add(purpose)
    return frozenset(covered)


def _decided_at(consent: Consent) -> datetime:
    return consent.withdrawn_at or consent.given_at
