"""What the person allows: every purpose as switches, with its notice, history and receipts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from memory.core.consent import (
    Consent,
    Decision,
    Indication,
    Method,
    covered_purposes,
    objected,
)
from memory.core.purposes import Purpose, Purposes, Words
from memory.core.values import AssistantId, PurposeId
from memory.errors import InvalidArgumentError
from server.web.desk import Desk, Visit
from server.web.forms import text
from server.web.headers import attachment
from server.web.memories import record_of


@dataclass(frozen=True, slots=True)
class Switch:
    """A yes or no to one assistant, or (None) to all of them."""

    assistant: AssistantId | None
    on: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One purpose, what it says, how its switches stand, and every decision about it."""

    purpose: Purpose
    words: Words
    switches: Sequence[Switch]
    objected: bool
    history: Sequence[tuple[Consent, str, datetime]]
    """Each decision, its state now and since when, the latest first."""


def asked(
    purposes: Purposes, consents: Sequence[Consent], language: str, now: datetime
) -> list[Asked]:
    """Every purpose of the registry, in its order."""
    return [
        _asked(purpose, purposes, consents, language, now) for purpose in purposes.by_id.values()
    ]


def _asked(
    purpose: Purpose, purposes: Purposes, consents: Sequence[Consent], language: str, now: datetime
) -> Asked:
    about = [consent for consent in consents if consent.purpose == purpose.id]
    named = {consent.assistant for consent in about if consent.assistant} | purpose.assistants
    whole = max(
        (consent for consent in about if consent.assistant is None),
        key=lambda consent: consent.withdrawn_at or consent.given_at,
        default=None,
    )
    everyone = whole is not None and whole.in_force(now) and whole.fits(purpose)
    switches = [Switch(None, everyone)]
    for assistant in sorted(named, key=str):
        on = purpose.id in covered_purposes(about, purposes, assistant, now)
        switches.append(Switch(assistant, on))
    history = [(one, one.state(now).value, one.changed_at(now)) for one in about]
    history.sort(key=lambda entry: entry[2], reverse=True)
    words = purpose.in_language(language)
    return Asked(purpose, words, switches, objected(about, purpose.id), history)


async def _list(desk: Desk, visit: Visit) -> Response:
    consents = await desk.call(
        visit,
        "ConsentService/ListConsents",
        desk.tacit.consents.list,
        visit.session.caller,
        visit.session.person,
    )
    now, language = desk.tacit.consents.clock(), desk.language(visit)
    purposes = desk.purposes(visit)
    return desk.show(
        visit,
        "consents.html",
        asked=asked(purposes, consents, language, now),
        controller=purposes.controller,
    )


async def _decide(desk: Desk, visit: Visit) -> Response:
    form = await desk.form(visit)
    purpose, said = PurposeId(text(form, "purpose")), text(form, "decision")
    name = text(form, "assistant")
    assistant = AssistantId(name) if name else None
    known = desk.purposes(visit).require(purpose)
    session, consents = visit.session, desk.tacit.consents
    indication = Indication(
        method=Method.CLICK, explicit=known.special_category, language=desk.language(visit)
    )
    match said:
        case "yes":
            await desk.call(
                visit,
                "ConsentService/GrantConsent",
                consents.grant,
                session.caller,
                session.person,
                purpose,
                assistant,
                None,
                indication,
            )
        case "no":
            await desk.call(
                visit,
                "ConsentService/WithdrawConsent",
                consents.withdraw,
                session.caller,
                session.person,
                purpose,
                assistant,
                erase=text(form, "erase") == "yes",
            )
        case Decision.OBJECTED:
            await desk.call(
                visit,
                "ConsentService/RefuseConsent",
                consents.refuse,
                session.caller,
                session.person,
                purpose,
                None,
                indication,
                objection=True,
            )
        case _:
            raise InvalidArgumentError("decision", "must be yes, no or objected")
    return RedirectResponse(f"/consents#{purpose}", 303)


async def _receipt(desk: Desk, visit: Visit) -> Response:
    consent = record_of(visit)
    receipt = await desk.call(
        visit,
        "ConsentService/GetConsentReceipt",
        desk.tacit.consents.receipt,
        visit.session.caller,
        visit.session.person,
        consent,
    )
    headers = attachment(f"receipt-{consent}.jws")
    return Response(receipt, media_type="application/jose", headers=headers)


def routes(desk: Desk) -> Sequence[Route]:
    """The pages of this module."""
    return (
        Route("/consents", desk.page(_list)),
        Route("/consents", desk.page(_decide), methods=["POST"]),
        Route("/consents/{id}/receipt", desk.page(_receipt)),
    )
