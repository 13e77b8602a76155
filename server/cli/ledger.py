"""`tacit ledger`: the access log, checkpoints and proofs to keep, and a check of all of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from server.cli.arguments import ME, AsJson, Person, people
from server.cli.output import errors, moment, out, print_json
from server.cli.session import Session, client_command

if TYPE_CHECKING:
    from memory.v1.ledger_service_pb2 import Checkpoint
    from memory.v1.subject_rights_service_pb2 import AccessEvent

_SCOPE = "data.export"

Output = Annotated[Path, typer.Argument(help="File to write; `tacit verify` checks it.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(no_args_is_help=True)
    app.add_typer(group, name="ledger", help="Who did what, and proof of it.")
    client_command(group, "log", _SCOPE)(log)
    client_command(group, "proof", _SCOPE)(proof)
    client_command(group, "checkpoint")(checkpoint)
    client_command(group, "consistency")(consistency)
    client_command(group, "key")(key)
    group.command("verify")(verify)


def log(session: Session, person: Person = ME, as_json: AsJson = False) -> None:
    """Lists who did what with a person's memories, newest first."""
    from memory.v1.subject_rights_service_pb2 import AccessEvent

    found = _events(session, person)
    if as_json:
        print_json(found)
        return
    table = Table("when", "assistant", "purpose", "did", "memories", "", "event", box=None)
    for event in found:
        table.add_row(
            moment(event.event_time),
            event.assistant,
            event.purpose.removeprefix("purposes/"),
            AccessEvent.Action.Name(event.action).removeprefix("ACTION_").lower(),
            str(event.memory_count),
            "refused" if event.denied else "",
            event.name.rpartition("/")[2],
        )
    out.print(table if found else "nothing happened")


def proof(
    session: Session,
    event: Annotated[str, typer.Argument(help="The event's id, as `tacit ledger log` shows it.")],
    file: Output,
    person: Person = ME,
) -> None:
    """Writes proof that an event is in the ledger: event, path and checkpoint in one file."""
    from memory.core.ledger import Leaf
    from memory.core.ledger_proof import Inclusion
    from memory.v1.ledger_service_pb2 import GetInclusionProofRequest

    logged = next((e for e in _events(session, person) if e.name.endswith(f"/{event}")), None)
    if logged is None:
        raise typer.BadParameter("no such event of this person")
    request = GetInclusionProofRequest(leaf_hash=logged.leaf_hash)
    session.call(session.ledger.GetInclusionProof, request)  # takes it in, if it waits
    signed = _checkpoint(session)
    request.tree_size = signed.tree_size
    found = session.call(session.ledger.GetInclusionProof, request)
    made = Inclusion(
        Leaf(logged.leaf_input), found.leaf_index, tuple(found.hashes), signed.signed_note
    )
    file.write_bytes(made.to_json())
    errors.print(f"{file}: event {found.leaf_index} of {found.tree_size}", markup=False)


def checkpoint(session: Session, file: Output) -> None:
    """Writes the newest signed checkpoint. Keep it: what it covers cannot be changed unnoticed."""
    signed = _checkpoint(session)
    file.write_bytes(signed.signed_note.encode())
    errors.print(f"{file}: {signed.tree_size} events", markup=False)


def consistency(
    session: Session,
    old: Annotated[Path, typer.Argument(help="A checkpoint kept from before.", exists=True)],
    file: Output,
) -> None:
    """Writes proof that since an old checkpoint the ledger only grew."""
    from memory.core.ledger import own_checkpoint
    from memory.core.ledger_proof import Consistency
    from memory.core.signing import Verifier
    from memory.v1.ledger_service_pb2 import GetConsistencyProofRequest

    signed = _checkpoint(session)
    first = old.read_bytes().decode("utf-8", "replace")
    size = own_checkpoint(first, Verifier.parse(signed.verifier_key)).size
    request = GetConsistencyProofRequest(first_tree_size=size, second_tree_size=signed.tree_size)
    found = session.call(session.ledger.GetConsistencyProof, request)
    made = Consistency(first, signed.signed_note, tuple(found.hashes))
    file.write_bytes(made.to_json())
    errors.print(f"{file}: from {size} to {signed.tree_size} events", markup=False)


def key(session: Session) -> None:
    """Prints the deployment's verifier key: publish it where Tacit cannot change it."""
    typer.echo(_checkpoint(session).verifier_key)


def verify(
    data: Annotated[
        Path | None, typer.Option(help="Data folder; the server must be stopped.")
    ] = None,
) -> None:
    """Compares every event and every hash in the database with what was signed."""
    from memory.bootstrap import check_ledger
    from memory.config import load_config

    flags = {"data": str(data) if data else None}
    report = check_ledger(load_config(environ=os.environ, flags=flags))
    if report is None:
        out.print("no ledger yet")
        return
    signed = report.checkpoint
    out.print("good: the ledger is what was signed", style="green")
    out.print(f"  leaves: {signed.size}, signed {signed.at:%Y-%m-%d %H:%M} UTC")
    out.print(f"  events compared: {report.events}")


def _checkpoint(session: Session) -> Checkpoint:
    from memory.v1.ledger_service_pb2 import GetCheckpointRequest

    return session.call(session.ledger.GetCheckpoint, GetCheckpointRequest())


def _events(session: Session, person: str) -> list[AccessEvent]:
    from memory.v1.subject_rights_service_pb2 import ListAccessEventsRequest

    request = ListAccessEventsRequest(parent=people(person), page_size=100)
    pages = session.pages(session.rights.ListAccessEvents, request)
    return [event for page in pages for event in page.access_events]
