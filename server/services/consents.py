"""ConsentService: what a person can be asked, and what they decided."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from google.protobuf.duration_pb2 import Duration

from memory.app.consents import Consents as ConsentUseCases
from memory.core.consent import (
    Consent,
    ConsentState,
    Decision,
    Indication,
    Method,
    Relation,
)
from memory.core.purposes import Purpose, Purposes, Registry
from memory.core.values import AssistantId, PersonId
from memory.errors import InvalidArgumentError
from memory.v1 import consent_service_pb2 as pb
from server.call import Answer, Call
from server.messages import fields_named, to_time, to_timestamp
from server.names import consent_from, consent_name, person_from, purpose_from, purpose_name
from server.page_tokens import PageTokens, page_size

_STATES: Final = {
    ConsentState.GIVEN: pb.Consent.STATE_GIVEN,
    ConsentState.RENEWED: pb.Consent.STATE_RENEWED,
    ConsentState.REFUSED: pb.Consent.STATE_REFUSED,
    ConsentState.WITHDRAWN: pb.Consent.STATE_WITHDRAWN,
    ConsentState.EXPIRED: pb.Consent.STATE_EXPIRED,
    ConsentState.INVALIDATED: pb.Consent.STATE_INVALIDATED,
}
_METHODS: Final = {
    Method.UNSTATED: pb.Indication.METHOD_UNSPECIFIED,
    Method.STATEMENT: pb.Indication.METHOD_STATEMENT,
    Method.CLICK: pb.Indication.METHOD_CLICK,
    Method.SIGNATURE: pb.Indication.METHOD_SIGNATURE,
    Method.VOICE: pb.Indication.METHOD_VOICE,
    Method.SETTING: pb.Indication.METHOD_SETTING,
}
_RELATIONS: Final = {
    Relation.SELF: pb.Indication.RELATION_UNSPECIFIED,
    Relation.PARENT: pb.Indication.RELATION_PARENT,
    Relation.GUARDIAN: pb.Indication.RELATION_GUARDIAN,
    Relation.DELEGATE: pb.Indication.RELATION_DELEGATE,
}
_BY_METHOD: Final = {wire: method for method, wire in _METHODS.items()}
_BY_RELATION: Final = {wire: relation for relation, wire in _RELATIONS.items()}

_LANGUAGE: Final = re.compile(r"([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4})?")
_REGION: Final = re.compile(r"([A-Z]{2})?")
_MAX_AGE: Final = 150


@dataclass(frozen=True, slots=True)
class Consents:
    """Translates between `memory.v1.ConsentService` and the use cases."""

    consents: ConsentUseCases
    registry: Registry
    tokens: PageTokens

    def answers(self) -> Mapping[str, Answer]:
        """Every rpc of the service."""
        return {
            "ListPurposes": self._list_purposes,
            "GrantConsent": self._grant,
            "RefuseConsent": self._refuse,
            "WithdrawConsent": self._withdraw,
            "GetConsent": self._get,
            "ListConsents": self._list,
            "GetConsentReceipt": self._receipt,
        }

    def _list_purposes(
        self, call: Call, request: pb.ListPurposesRequest
    ) -> pb.ListPurposesResponse:
        language = _language(request.language_code, "language_code")
        start = self.tokens.position(call, request, first=0)
        end = start + page_size(request.page_size)
        everything = self.registry.of(call.caller.tenant).by_id
        more = end if end < len(everything) else None
        return pb.ListPurposesResponse(
            purposes=[_purpose(p, language) for p in islice(everything.values(), start, end)],
            next_page_token=self.tokens.next_token(call, request, more),
        )

    def _grant(self, call: Call, request: pb.GrantConsentRequest) -> pb.Consent:
        person = person_from(call.caller, request.parent, "parent")
        purpose = purpose_from(request.purpose, "purpose")
        expires = None
        if request.HasField("expire_time"):
            expires = to_time(request.expire_time, "expire_time")
        with _of_indication():
            consent = self.consents.grant(
                call.caller,
                person,
                purpose,
                _assistant(request.assistant),
                expires,
                _indication(request.indication),
            )
        return self._consent(call, person, consent)

    def _refuse(self, call: Call, request: pb.RefuseConsentRequest) -> pb.Consent:
        person = person_from(call.caller, request.parent, "parent")
        purpose = purpose_from(request.purpose, "purpose")
        with _of_indication():
            consent = self.consents.refuse(
                call.caller,
                person,
                purpose,
                _assistant(request.assistant),
                _indication(request.indication),
                objection=request.objection,
            )
        return self._consent(call, person, consent)

    def _withdraw(
        self, call: Call, request: pb.WithdrawConsentRequest
    ) -> pb.WithdrawConsentResponse:
        person = person_from(call.caller, request.parent, "parent")
        purpose = purpose_from(request.purpose, "purpose")
        done = self.consents.withdraw(
            call.caller, person, purpose, _assistant(request.assistant), erase=request.erase
        )
        return pb.WithdrawConsentResponse(
            consents=[self._consent(call, person, c) for c in done.consents],
            erased_count=done.erased,
        )

    def _get(self, call: Call, request: pb.GetConsentRequest) -> pb.Consent:
        person, consent = consent_from(call.caller, request.name, "name")
        return self._consent(call, person, self.consents.get(call.caller, person, consent))

    def _receipt(self, call: Call, request: pb.GetConsentReceiptRequest) -> pb.ConsentReceipt:
        person, consent = consent_from(call.caller, request.name, "name", tail="/receipt")
        return pb.ConsentReceipt(
            name=f"{consent_name(person, consent)}/receipt",
            jws=self.consents.receipt(call.caller, person, consent),
            create_time=to_timestamp(self.consents.clock()),
        )

    def _list(self, call: Call, request: pb.ListConsentsRequest) -> pb.ListConsentsResponse:
        person = person_from(call.caller, request.parent, "parent")
        start = self.tokens.position(call, request, first=0)
        end = start + page_size(request.page_size)
        purpose = purpose_from(request.purpose, "purpose") if request.purpose else None
        now = self.consents.clock()
        everything = [
            consent
            for consent in self.consents.list(call.caller, person)
            if purpose in (None, consent.purpose)
            and request.state in (pb.Consent.STATE_UNSPECIFIED, _STATES[consent.state(now)])
        ]
        more = end if end < len(everything) else None
        return pb.ListConsentsResponse(
            consents=[self._consent(call, person, consent) for consent in everything[start:end]],
            next_page_token=self.tokens.next_token(call, request, more),
        )

    def _consent(self, call: Call, person: PersonId, consent: Consent) -> pb.Consent:
        purposes = self.registry.of(call.caller.tenant)
        return _consent(person, consent, purposes, self.consents.clock())


def _assistant(name: str) -> AssistantId | None:
    return AssistantId(name) if name else None


@contextmanager
def _of_indication() -> Iterator[None]:
    """Fields of the indication are named as the request has them."""
    fields = {name: f"indication.{name}" for name in ("explicit", "relation", "delegate")}
    with fields_named(fields):
        yield


def _indication(wire: pb.Indication) -> Indication:
    if wire.method not in _BY_METHOD:
        raise InvalidArgumentError("indication.method", "is unknown here")
    if wire.relation not in _BY_RELATION:
        raise InvalidArgumentError("indication.relation", "is unknown here")
    if not 0 <= wire.age <= _MAX_AGE:
        raise InvalidArgumentError("indication.age", f"must be 1 to {_MAX_AGE} years")
    if not _REGION.fullmatch(wire.region_code):
        raise InvalidArgumentError("indication.region_code", "must be two letters such as DE")
    return Indication(
        method=_BY_METHOD[wire.method],
        explicit=wire.explicit,
        language=_language(wire.language_code, "indication.language_code"),
        relation=_BY_RELATION[wire.relation],
        delegate=wire.delegate,
        age=wire.age or None,
        country=wire.region_code,
    )


def _language(tag: str, field: str) -> str:
    if not _LANGUAGE.fullmatch(tag):
        raise InvalidArgumentError(field, "must be a BCP 47 tag such as de or pt-BR")
    return tag


def _purpose(purpose: Purpose, language: str) -> pb.Purpose:
    words = purpose.in_language(language)
    return pb.Purpose(
        name=purpose_name(purpose.id),
        title=words.title,
        description=words.description,
        notice=words.notice,
        dpv_purpose=purpose.dpv,
        retention=None if purpose.retention is None else _duration(purpose.retention),
        assistants=sorted(assistant.value for assistant in purpose.assistants),
        special_category=purpose.special_category,
        notice_version=purpose.notice_version,
        legal_basis=purpose.legal_basis.value,
        data_categories=purpose.data_categories,
        affect_allowed=purpose.affect,
        minimum_ages=purpose.minimum_age,
        language_codes=sorted(purpose.translations),
    )


def _duration(length: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(length)
    return duration


def _consent(person: PersonId, consent: Consent, purposes: Purposes, now: datetime) -> pb.Consent:
    purpose = purposes.by_id.get(consent.purpose)
    return pb.Consent(
        name=consent_name(person, consent.id),
        purpose=purpose_name(consent.purpose),
        assistant=consent.assistant.value if consent.assistant else "",
        state=_STATES[consent.state(now)],
        create_time=to_timestamp(consent.given_at),
        update_time=to_timestamp(consent.changed_at(now)),
        expire_time=None if consent.expires_at is None else to_timestamp(consent.expires_at),
        notice_version=consent.notice_version,
        notice_outdated=purpose is None or purpose.notice_version != consent.notice_version,
        indication=pb.Indication(
            method=_METHODS[consent.method],
            explicit=consent.explicit,
            language_code=consent.language,
            relation=_RELATIONS[consent.relation],
        ),
        objection=consent.decision is Decision.OBJECTED,
    )
