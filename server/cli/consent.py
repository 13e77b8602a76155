"""`tacit consent`, `restrict` and `lift`: what a person allows, and takes back as easily."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from server.cli.arguments import ME, AsJson, Person, instant, people, purposes
from server.cli.output import errors, moment, out, print_json
from server.cli.session import Session, client_command

_SCOPE = "consent.manage"

PurposeArgument = Annotated[str, typer.Argument(help="The purpose, for example: assistance.")]
Assistant = Annotated[
    str, typer.Option(help="One assistant, by the client id of its token; else all of the tenant.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(no_args_is_help=True)
    app.add_typer(group, name="consent", help="Grant, refuse, withdraw and list consent.")
    client_command(group, "grant", _SCOPE)(grant)
    client_command(group, "refuse", _SCOPE)(refuse)
    client_command(group, "withdraw", _SCOPE)(withdraw)
    client_command(group, "receipt", _SCOPE)(receipt)
    client_command(group, "list", _SCOPE)(list_)
    client_command(group, "purposes", _SCOPE)(list_purposes)
    client_command(app, "restrict", _SCOPE)(restrict)
    client_command(app, "lift", _SCOPE, "operator")(lift)


def grant(
    session: Session,
    purpose: PurposeArgument,
    person: Person = ME,
    assistant: Assistant = "",
    until: Annotated[str, typer.Option(help="When it ends by itself: 2027-01-31.")] = "",
    explicit: Annotated[
        bool, typer.Option("--explicit", help="The yes was explicit, as special categories need.")
    ] = False,
) -> None:
    """Records that a person consents to a purpose; in force with the next call."""
    from memory.v1.consent_service_pb2 import GrantConsentRequest

    request = GrantConsentRequest(
        parent=people(person), purpose=purposes(purpose), assistant=assistant
    )
    if until:
        request.expire_time.FromDatetime(instant(until))
    request.indication.explicit = explicit
    session.call(session.consent.GrantConsent, request)
    errors.print(f"{purpose}: consent given", markup=False)


def refuse(
    session: Session,
    purpose: PurposeArgument,
    person: Person = ME,
    assistant: Assistant = "",
    objection: Annotated[
        bool, typer.Option("--objection", help="Only the person takes it back (GDPR Art. 21).")
    ] = False,
) -> None:
    """Records that a person says no, or objects to a use; in force with the next call."""
    from memory.v1.consent_service_pb2 import RefuseConsentRequest

    request = RefuseConsentRequest(
        parent=people(person),
        purpose=purposes(purpose),
        assistant=assistant,
        objection=objection,
    )
    session.call(session.consent.RefuseConsent, request)
    errors.print(f"{purpose}: {'objected' if objection else 'refused'}", markup=False)


def withdraw(
    session: Session,
    purpose: PurposeArgument,
    person: Person = ME,
    assistant: Assistant = "",
    erase: Annotated[
        bool, typer.Option("--erase", help="Erase what was stored for it, too.")
    ] = False,
) -> None:
    """Records that a person takes consent back; in force with the next call."""
    from memory.v1.consent_service_pb2 import WithdrawConsentRequest

    request = WithdrawConsentRequest(
        parent=people(person), purpose=purposes(purpose), assistant=assistant, erase=erase
    )
    answer = session.call(session.consent.WithdrawConsent, request)
    done = "consent withdrawn" if answer.consents else "there was no consent to withdraw"
    erased = f"; {answer.erased_count} memories erased" if erase else ""
    errors.print(f"{purpose}: {done}{erased}", markup=False)


def receipt(
    session: Session,
    consent: Annotated[str, typer.Argument(help="Its name, people/…/consents/…; see `list`.")],
) -> None:
    """Prints the signed receipt of a decision; `tacit verify` checks it offline."""
    from memory.v1.consent_service_pb2 import GetConsentReceiptRequest

    request = GetConsentReceiptRequest(name=f"{consent}/receipt")
    typer.echo(session.call(session.consent.GetConsentReceipt, request).jws)


def restrict(session: Session, person: Person = ME) -> None:
    """Restricts processing (GDPR Art. 18): what is kept is not used until `lift`."""
    from memory.v1.subject_rights_service_pb2 import RestrictProcessingRequest

    request = RestrictProcessingRequest(name=people(person))
    session.call(session.rights.RestrictProcessing, request)
    errors.print("restricted: kept, not used")


def lift(
    session: Session,
    person: Person = ME,
    informed: Annotated[
        str, typer.Option(help="When an operator told the person, in ISO 8601 (Art. 18(3)).")
    ] = "",
) -> None:
    """Lifts the restriction of processing: with the person's token, or as an operator."""
    from memory.v1.subject_rights_service_pb2 import LiftRestrictionRequest

    request = LiftRestrictionRequest(name=people(person))
    if informed:
        request.informed_time.FromDatetime(instant(informed))
    session.call(session.rights.LiftRestriction, request)
    errors.print("no longer restricted")


def list_(session: Session, person: Person = ME, as_json: AsJson = False) -> None:
    """Lists a person's consents, newest first, those that ended too."""
    from memory.v1.consent_service_pb2 import Consent, ListConsentsRequest

    request = ListConsentsRequest(parent=people(person), page_size=500)
    pages = session.pages(session.consent.ListConsents, request)
    found = [consent for page in pages for consent in page.consents]
    if as_json:
        print_json(found)
        return
    columns = ("name", "purpose", "assistant", "state", "given", "changed", "until")
    table = Table(*columns, box=None)
    for consent in found:
        table.add_row(
            consent.name,
            consent.purpose.removeprefix("purposes/"),
            consent.assistant or "all",
            Consent.State.Name(consent.state).removeprefix("STATE_").lower(),
            moment(consent.create_time),
            moment(consent.update_time),
            moment(consent.expire_time),
        )
    out.print(table if found else "no consents")


def list_purposes(session: Session, as_json: AsJson = False) -> None:
    """Lists what a person can be asked to consent to."""
    from memory.v1.consent_service_pb2 import ListPurposesRequest

    found = session.call(session.consent.ListPurposes, ListPurposesRequest(page_size=500)).purposes
    if as_json:
        print_json(found)
        return
    table = Table("purpose", "title", "what a person is told", box=None)
    for purpose in found:
        table.add_row(purpose.name.removeprefix("purposes/"), purpose.title, purpose.description)
    out.print(table)
