"""ConsentService: what a person can be asked, and what they decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from memory.app.consents import Consents as ConsentUseCases
from memory.core.consent import Consent, ConsentState
from memory.core.purposes import Purpose, Purposes
from memory.core.values import AssistantId, PersonId
from memory.v1 import consent_service_pb2 as pb
from server.call import Answer, Call
from server.messages import to_time, to_timestamp
from server.names import consent_name, person_from, purpose_from, purpose_name
from server.page_tokens import PageTokens, page_size
from server.services.unbuilt import unbuilt

_STATES: Final = {
    ConsentState.GIVEN: pb.Consent.STATE_GIVEN,
    ConsentState.WITHDRAWN: pb.Consent.STATE_WITHDRAWN,
    ConsentState.EXPIRED: pb.Consent.STATE_EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Consents:
    """Translates between `memory.v1.ConsentService` and the use cases."""

    consents: ConsentUseCases
    purposes: Purposes
    tokens: PageTokens

    def answers(self) -> Mapping[str, Answer]:
        """Every rpc of the service."""
        return {
            "ListPurposes": self._list_purposes,
            "GrantConsent": self._grant,
            "WithdrawConsent": self._withdraw,
            "GetConsent": unbuilt,
            "ListConsents": self._list,
            "GetConsentReceipt": unbuilt,
        }

    def _list_purposes(
        self, call: Call, request: pb.ListPurposesRequest
    ) -> pb.ListPurposesResponse:
        start = self.tokens.position(call, request, first=0)
        end = start + page_size(request.page_size)
        everything = self.purposes.by_id
        more = end if end < len(everything) else None
        return pb.ListPurposesResponse(
            purposes=[_purpose(p) for p in islice(everything.values(), start, end)],
            next_page_token=self.tokens.next_token(call, request, more),
        )

    def _grant(self, call: Call, request: pb.GrantConsentRequest) -> pb.Consent:
        person = person_from(call.caller, request.parent, "parent")
        purpose = purpose_from(request.purpose, "purpose")
        expires = None
        if request.HasField("expire_time"):
            expires = to_time(request.expire_time, "expire_time")
        consent = self.consents.grant(
            call.caller, person, purpose, _assistant(request.assistant), expires
        )
        return _consent(person, consent, self.consents.clock())

    def _withdraw(
        self, call: Call, request: pb.WithdrawConsentRequest
    ) -> pb.WithdrawConsentResponse:
        person = person_from(call.caller, request.parent, "parent")
        purpose = purpose_from(request.purpose, "purpose")
        ended = self.consents.withdraw(call.caller, person, purpose, _assistant(request.assistant))
        now = self.consents.clock()
        return pb.WithdrawConsentResponse(consents=[_consent(person, c, now) for c in ended])

    def _list(self, call: Call, request: pb.ListConsentsRequest) -> pb.ListConsentsResponse:
        person = person_from(call.caller, request.parent, "parent")
        start = self.tokens.position(call, request, first=0)
        end = start + page_size(request.page_size)
        everything = self.consents.list(call.caller, person)
        more = end if end < len(everything) else None
        now = self.consents.clock()
        return pb.ListConsentsResponse(
            consents=[_consent(person, consent, now) for consent in everything[start:end]],
            next_page_token=self.tokens.next_token(call, request, more),
        )


def _assistant(name: str) -> AssistantId | None:
    return AssistantId(name) if name else None


def _purpose(purpose: Purpose) -> pb.Purpose:
    return pb.Purpose(
        name=purpose_name(purpose.id),
        title=purpose.title,
        description=purpose.description,
        dpv_purpose=purpose.dpv,
    )


def _consent(person: PersonId, consent: Consent, now: datetime) -> pb.Consent:
    state = consent.state(now)
    changed = consent.withdrawn_at or consent.given_at
    if state is ConsentState.EXPIRED:
        changed = consent.expires_at or changed
    return pb.Consent(
        name=consent_name(person, consent.id),
        purpose=purpose_name(consent.purpose),
        assistant=consent.assistant.value if consent.assistant else "",
        state=_STATES[state],
        create_time=to_timestamp(consent.given_at),
        update_time=to_timestamp(changed),
        expire_time=None if consent.expires_at is None else to_timestamp(consent.expires_at),
    )
