"""`tacit export` and `forget`: what a person may do at any time, consent or not."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from server.cli.arguments import ME, Person, Reveal, people
from server.cli.output import errors
from server.cli.session import Session, client_command


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    client_command(app, "export", "data.export")(export)
    client_command(app, "forget", "data.erase")(forget)


def export(
    session: Session,
    file: Annotated[str, typer.Argument(help="JSON Lines archive to write; '-' for stdout.")],
    person: Person = ME,
    reveal: Reveal = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Writes everything that is kept about a person, readable by you alone."""
    from memory.v1.subject_rights_service_pb2 import ExportDataRequest

    request = ExportDataRequest(name=people(person), reveal=reveal)
    pieces = (piece.data for piece in session.call(session.rights.ExportData, request))
    if file == "-":
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        return
    path = Path(file)
    if path.exists() and not force:
        raise typer.BadParameter(f"{file} is there already; --force replaces it")
    # Whole or not at all: a half archive must not pass for a whole one.
    draft = path.with_name(f".{path.name}.part")
    draft.unlink(missing_ok=True)
    lines = 0
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as sink:
            for piece in pieces:
                sink.write(piece)
                lines += piece.count(b"\n")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    errors.print(f"{file}: {lines} records", markup=False)


def forget(
    session: Session,
    person: Person = ME,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forgets a person for good: destroys their keys, then every copy of their data."""
    from memory.v1.subject_rights_service_pb2 import Erasure, ForgetUserRequest

    who = "yourself" if person == ME else person
    if not yes:
        typer.confirm(f"Forget {who} for good? Nothing can bring it back.", abort=True, err=True)
    erasure = session.call(session.rights.ForgetUser, ForgetUserRequest(name=people(person)))
    counts = erasure.counts
    errors.print(
        f"{erasure.name}: {Erasure.State.Name(erasure.state).removeprefix('STATE_').lower()}; "
        f"{counts.memory_count} memories, {counts.pseudonym_count} pseudonyms, "
        f"{counts.consent_count} consents",
        markup=False,
    )
