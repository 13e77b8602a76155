"""Consent receipts: what the person keeps as proof, after ISO/IEC TS 27560, in W3C DPV's terms.

A compact JWS of type `RECEIPT_TYPE` over this JSON-LD, keys sorted:

    @context, @type "dpv:ConsentRecord"
    dct:identifier        the consent's id
    dct:conformsTo        ISO/IEC TS 27560 and this format's version
    dpv:hasDataSubject    a pseudonym of the person, the same in all of their receipts only
    dpv:hasDataController name and contact, as the registry has them
    dpv:hasRecipient      the assistant, or "all"
    dpv:hasPurpose        id, title, DPV term
    dpv:hasLegalBasis, dpv:hasPersonalData, dpv:hasStorageCondition
    dpv:hasNotice         version, language and text the person was shown
    dpv:hasConsentStatus  the state, and since when
    dpv:hasConsentControl how it is withdrawn: by WithdrawConsent
    dpv:isIndicatedBy, dpv:hasIndicationMethod, tacit:isExplicit, dct:created, dct:valid

Rules:
- It says nothing of who the person is: whoever holds it knows.
- It is made of the record and the registry alone, so asking again gives the same receipt while
  both stand; its status is that of the moment it is issued.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from memory.core.consent import Consent, ConsentState, Method, Relation
from memory.core.keys import PersonKeys
from memory.core.purposes import LegalBasis, Purpose, Purposes

RECEIPT_TYPE: Final = "consent-receipt+jws"
_DPV: Final = "https://w3id.org/dpv#"
_CONFORMS: Final = ("ISO/IEC TS 27560:2023", "tacit-consent-receipt/1")

_CONTEXT: Final = {
    "dpv": _DPV,
    "dct": "http://purl.org/dc/terms/",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "tacit": "urn:tacit:receipt:1:",
}

_STATES: Final = {
    ConsentState.GIVEN: "dpv:ConsentGiven",
    ConsentState.RENEWED: "dpv:RenewedConsentGiven",
    ConsentState.REFUSED: "dpv:ConsentRefused",
    ConsentState.WITHDRAWN: "dpv:ConsentWithdrawn",
    ConsentState.EXPIRED: "dpv:ConsentExpired",
    ConsentState.INVALIDATED: "dpv:ConsentInvalidated",
}

_BASES: Final = {
    LegalBasis.CONSENT: "eu-gdpr:A6-1-a",
    LegalBasis.CONTRACT: "eu-gdpr:A6-1-b",
    LegalBasis.LEGAL_OBLIGATION: "eu-gdpr:A6-1-c",
    LegalBasis.VITAL_INTEREST: "eu-gdpr:A6-1-d",
    LegalBasis.PUBLIC_INTEREST: "eu-gdpr:A6-1-e",
    LegalBasis.LEGITIMATE_INTEREST: "eu-gdpr:A6-1-f",
}
_EXPLICIT: Final = "eu-gdpr:A9-2-a"

_RELATIONS: Final = {
    Relation.SELF: "dpv:DataSubject",
    Relation.PARENT: "dpv:ParentOfDataSubject",
    Relation.GUARDIAN: "dpv:GuardianOfDataSubject",
    Relation.DELEGATE: "tacit:Delegate",
}


def receipt(
    consent: Consent, purposes: Purposes, keys: PersonKeys, now: datetime, language: str = ""
) -> bytes:
    """The payload to sign: JSON-LD, UTF-8.

    A purpose that has left the registry since is told by its id alone.
    """
    purpose = purposes.by_id.get(consent.purpose)
    fields: dict[str, object] = {
        "@context": _CONTEXT,
        "@type": "dpv:ConsentRecord",
        "dct:identifier": str(consent.id),
        "dct:conformsTo": list(_CONFORMS),
        "dct:created": consent.given_at.isoformat(),
        "dpv:hasDataSubject": keys.lasting_tag("receipt", "data subject").hex(),
        "dpv:hasDataController": {
            "dpv:hasName": purposes.controller.name,
            "dpv:hasContact": purposes.controller.contact,
        },
        "dpv:hasRecipient": "all" if consent.assistant is None else consent.assistant.value,
        "dpv:hasPurpose": {"@id": consent.purpose.value, **_purpose(purpose, consent, language)},
        "dpv:hasNotice": {
            "tacit:version": consent.notice_version,
            "dct:language": consent.language,
            **_notice(purpose, consent),
        },
        "dpv:hasConsentStatus": {
            "@id": _STATES[consent.state(now)],
            "dct:modified": consent.changed_at(now).isoformat(),
        },
        "dpv:hasConsentControl": "dpv:WithdrawConsent",
        "dpv:isIndicatedBy": _RELATIONS[consent.relation],
        "dpv:hasIndicationMethod": _method(consent.method),
        "tacit:isExplicit": consent.explicit,
    }
    if consent.expires_at is not None:
        fields["dct:valid"] = consent.expires_at.isoformat()
    return json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _purpose(purpose: Purpose | None, consent: Consent, language: str) -> dict[str, object]:
    if purpose is None:
        return {}
    words = purpose.in_language(language or consent.language)
    bases = [_BASES[purpose.legal_basis], *([_EXPLICIT] if purpose.special_category else [])]
    found: dict[str, object] = {
        "dct:title": words.title,
        "dct:type": purpose.dpv,
        "dpv:hasLegalBasis": bases,
        "dpv:hasPersonalData": list(purpose.data_categories),
    }
    if purpose.retention is not None:
        found["dpv:hasStorageCondition"] = f"P{purpose.retention.days}D"
    return found


def _notice(purpose: Purpose | None, consent: Consent) -> dict[str, str]:
    """What the person read, if the registry still has that version."""
    if purpose is None or purpose.notice_version != consent.notice_version:
        return {}
    words = purpose.in_language(consent.language)
    return {"dct:description": words.notice or words.description}


def _method(method: Method) -> str:
    return f"tacit:{method.value or 'unstated'}"
