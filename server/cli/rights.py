"""`tacit export`: what a person may do at any time, consent or not."""

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
    """Adds the command."""
    client_command(app, "export", "data.export")(export)


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
