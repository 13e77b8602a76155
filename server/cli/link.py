"""`tacit link`: a one-time link to a person's own page."""

from __future__ import annotations

from typing import Annotated

import typer

from server.cli.arguments import people
from server.cli.output import errors, moment, out
from server.cli.session import Session, client_command


def register(app: typer.Typer) -> None:
    """Adds the command."""
    client_command(app, "link", "page.link")(link)


def link(
    session: Session, person: Annotated[str, typer.Argument(help="Whom the link signs in.")]
) -> None:
    """Makes a link that signs the person in to their page, once. Give it to nobody else."""
    from memory.v1.subject_rights_service_pb2 import IssueSignInLinkRequest

    request = IssueSignInLinkRequest(name=people(person))
    made = session.call(session.rights.IssueSignInLink, request)
    out.print(made.uri, markup=False)
    errors.print(f"works once, until {moment(made.expire_time)}", markup=False)
