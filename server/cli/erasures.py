"""`tacit forget`, `erase`, `erasures`, `certificate`: what is to go, how far it is, its proof.

Rules:
- An erasure goes on whether or not somebody watches it.
- A certificate is written whole or not at all, and only once there is one.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table

from server.cli.arguments import ME, AsJson, Person, instant, people, purposes
from server.cli.output import errors, moment, out, print_json
from server.cli.session import Session, client_command

if TYPE_CHECKING:
    from memory.v1.subject_rights_service_pb2 import Erasure, ErasureCertificate

_POLL_SECONDS: Final = 0.25
_WAIT_SECONDS: Final = 240.0
"""Less than a token minted here lives."""

_NAME_CHARS: Final = len("erasures/") + 32

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
AtOnce = Annotated[
    bool, typer.Option("--at-once", help="Destroy the key epoch now, not together with others.")
]
Certificate = Annotated[
    Path | None, typer.Option("--certificate", help="Write the signed certificate here.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    client_command(app, "forget", "data.erase")(forget)
    client_command(app, "erase", "data.erase")(erase)
    client_command(app, "erasures", "data.erase")(erasures)
    client_command(app, "certificate", "data.erase")(certificate)


def forget(
    session: Session,
    person: Person = ME,
    yes: Yes = False,
    at_once: AtOnce = False,
    certificate: Certificate = None,
) -> None:
    """Forgets a person for good: destroys their keys, then every copy of their data."""
    from memory.v1.subject_rights_service_pb2 import ForgetUserRequest

    who = "yourself" if person == ME else person
    if not yes:
        typer.confirm(f"Forget {who} for good? Nothing can bring it back.", abort=True, err=True)
    request = ForgetUserRequest(name=people(person), at_once=at_once)
    _follow(session, session.call(session.rights.ForgetUser, request), certificate)


def erase(
    session: Session,
    person: Person = ME,
    purpose: Annotated[list[str] | None, typer.Option(help="Stored for it; repeatable.")] = None,
    session_id: Annotated[
        list[str] | None, typer.Option("--session", help="Of this session; repeatable.")
    ] = None,
    since: Annotated[str, typer.Option(help="From this time on, ISO 8601.")] = "",
    until: Annotated[str, typer.Option(help="Before this time, ISO 8601.")] = "",
    source: Annotated[str, typer.Option(help="Stored by this assistant.")] = "",
    yes: Yes = False,
    at_once: AtOnce = False,
    certificate: Certificate = None,
) -> None:
    """Erases a person's memories by purpose, session, time or source."""
    from memory.v1.subject_rights_service_pb2 import EraseMemoriesRequest

    request = EraseMemoriesRequest(
        parent=people(person),
        purposes=[purposes(one) for one in purpose or []],
        source=source,
        at_once=at_once,
    )
    request.filter.sessions.extend(session_id or [])
    if since:
        request.filter.event_start_time.FromDatetime(instant(since))
    if until:
        request.filter.event_end_time.FromDatetime(instant(until))
    if not yes:
        typer.confirm("Erase them for good? Nothing can bring them back.", abort=True, err=True)
    erasure = session.call(session.rights.EraseMemories, request)
    if at_once:
        _follow(session, erasure, certificate)
        return
    errors.print(_line(erasure), markup=False)
    errors.print(f"`tacit certificate {erasure.name} FILE` has its certificate then", markup=False)


def erasures(session: Session, as_json: AsJson = False) -> None:
    """Lists erasures, newest first: how far each is, and what it waits for."""
    from memory.v1.subject_rights_service_pb2 import ListErasuresRequest

    table = Table(box=None)
    table.add_column("erasure", no_wrap=True, min_width=_NAME_CHARS)
    for heading in ("state", "accepted", "memories", "to sweep", "key epoch", "waits for"):
        table.add_column(heading)
    request = ListErasuresRequest(page_size=100)
    for page in session.pages(session.rights.ListErasures, request):
        for erasure in page.erasures:
            if as_json:
                print_json(erasure)
            else:
                table.add_row(
                    erasure.name,
                    _state(erasure),
                    moment(erasure.create_time),
                    str(erasure.counts.memory_count),
                    str(erasure.remaining_memory_count),
                    _epoch(erasure),
                    erasure.waits_for,
                )
    if not as_json:
        out.print(table)


def certificate(
    session: Session,
    erasure: Annotated[str, typer.Argument(help="erasures/…, as `tacit erasures` lists them.")],
    file: Annotated[Path, typer.Argument(help="Where to write it.")],
) -> None:
    """Writes the signed certificate of an erasure; `tacit verify` checks it."""
    got = _get(session, erasure)
    if not got.dsse_envelope:
        raise typer.BadParameter(f"{erasure} has no certificate yet: {_line(got.erasure)}")
    _write(file, got.dsse_envelope)
    errors.print(_line(got.erasure), markup=False)


def _follow(session: Session, erasure: Erasure, file: Path | None) -> None:
    """Shows how far it is until it is done, and writes its certificate."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from memory.v1.subject_rights_service_pb2 import Erasure as Wire

    latest = time.monotonic() + _WAIT_SECONDS
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    total = max(1, erasure.counts.memory_count)
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task(_state(erasure), total=total)
        while erasure.state != Wire.STATE_DONE and time.monotonic() < latest:
            shown = _state(erasure) + (f", waits: {erasure.waits_for}" if erasure.waits_for else "")
            left = erasure.remaining_memory_count
            bar.update(task, description=shown, completed=total - min(total, left))
            time.sleep(_POLL_SECONDS)
            erasure = _get(session, erasure.name).erasure
    errors.print(_line(erasure), markup=False)
    got = _get(session, erasure.name) if file else None
    if got and file and got.dsse_envelope:
        _write(file, got.dsse_envelope)
        errors.print(f"certificate: {file}", markup=False)
    elif erasure.state != Wire.STATE_DONE:
        errors.print("it goes on by itself; `tacit erasures` shows how far it is", markup=False)


def _get(session: Session, erasure: str) -> ErasureCertificate:
    from memory.v1.subject_rights_service_pb2 import GetErasureCertificateRequest

    request = GetErasureCertificateRequest(name=f"{erasure}/certificate")
    return session.call(session.rights.GetErasureCertificate, request)


def _write(file: Path, envelope: bytes) -> None:
    draft = file.with_name(f".{file.name}.part")
    draft.write_bytes(envelope)
    draft.replace(file)


def _state(erasure: Erasure) -> str:
    from memory.v1.subject_rights_service_pb2 import Erasure as Wire

    return Wire.State.Name(erasure.state).removeprefix("STATE_").lower().replace("_", " ")


def _epoch(erasure: Erasure) -> str:
    if erasure.HasField("epoch_destroy_time"):
        return f"destroyed {moment(erasure.epoch_destroy_time)}"
    if erasure.HasField("epoch_due_time"):
        late = erasure.epoch_due_time.ToDatetime(tzinfo=UTC) < datetime.now(UTC)
        return f"{'since' if late else 'by'} {moment(erasure.epoch_due_time)}"
    return "none"


def _line(erasure: Erasure) -> str:
    counts = erasure.counts
    return (
        f"{erasure.name}: {_state(erasure)}; {counts.memory_count} memories, "
        f"{counts.pseudonym_count} pseudonyms, {counts.consent_count} consents"
    )
