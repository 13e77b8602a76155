"""`tacit export`, `import`, `requests`, `report`: people's rights, and their record."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final

import typer
from rich.table import Table

from server.cli.arguments import DEFAULT_PURPOSE, ME, AsJson, Person, Purpose, Reveal, people
from server.cli.output import errors, moment, out, print_json
from server.cli.session import Session, client_command

if TYPE_CHECKING:
    from memory.v1.subject_rights_service_pb2 import ImportDataRequest, ImportDataResponse

_PIECE_BYTES: Final = 64 * 1024
_IMPORT_SECONDS: Final = 600.0
"""Taking in is as much work as storing; a server gives a call no more, and a second one goes on."""

_TRIES: Final = 5
"""Attempts to go on with an export that brought nothing new, or with an import."""

_PAUSE_SECONDS: Final = 1.0


class Format(StrEnum):
    """How an export is written."""

    TACIT = "tacit"
    PAM = "pam"


class Source(StrEnum):
    """What else can be taken in; the name of a module of `server.moving`."""

    MEM0 = "mem0"
    ZEP = "zep"
    LETTA = "letta"
    CHATGPT = "chatgpt"
    CLAUDE = "claude"
    PAM = "pam"


class Ending(StrEnum):
    """How a request ended; as the wire says it."""

    FULFILLED = "fulfilled"
    REFUSED = "refused"
    ABANDONED = "abandoned"


class Why(StrEnum):
    """Why a request takes longer; as the wire says it."""

    COMPLEXITY = "complexity"
    NUMBER = "number"


class Report(StrEnum):
    """Which report; as the wire says it."""

    ROPA = "ropa"
    DPIA = "dpia"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    client_command(app, "export", "data.export")(export)
    client_command(app, "import", "data.export", "memory.write")(import_)
    client_command(app, "report", "operator")(report)
    group = typer.Typer(no_args_is_help=True)
    app.add_typer(group, name="requests", help="Data-subject requests and when they are due.")
    client_command(group, "list", "operator")(requests)
    client_command(group, "extend", "operator")(extend)
    client_command(group, "close", "operator")(close)


def export(
    session: Session,
    file: Annotated[str, typer.Argument(help="Archive to write; '-' for stdout.")],
    person: Person = ME,
    reveal: Reveal = False,
    format_: Annotated[
        Format, typer.Option("--format", help="Tacit's archive, or Portable AI Memory (JSON).")
    ] = Format.TACIT,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Writes everything that is kept about a person, readable by you alone."""
    pieces = _pieces(session, person, reveal=reveal)
    if format_ is Format.PAM:
        from server.pam import to_pam

        pieces = to_pam(pieces)
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
    errors.print(
        f"{file}: {lines} {'lines' if format_ is Format.TACIT else 'memories'}", markup=False
    )


def _pieces(session: Session, person: str, *, reveal: bool) -> Iterator[bytes]:
    """The archive; a stream that is cut off is continued."""
    import grpc

    from memory.v1.subject_rights_service_pb2 import ExportDataRequest

    request = ExportDataRequest(name=people(person), reveal=reveal)
    tries = 0
    while True:
        try:
            for piece in session.call(session.rights.ExportData, request):
                yield piece.data
                request.resume_token = piece.resume_token
                tries = 0
            return
        except grpc.RpcError as error:
            tries += 1
            cut = error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
            if not cut or not request.resume_token or tries == _TRIES:
                raise
            time.sleep(_PAUSE_SECONDS * tries)


def import_(
    session: Session,
    file: Annotated[
        Path, typer.Argument(help="Archive or export to take in.", exists=True, dir_okay=False)
    ],
    person: Person = ME,
    source: Annotated[
        Source | None, typer.Option("--from", help="What exported it; left out, Tacit itself.")
    ] = None,
    purpose: Purpose = DEFAULT_PURPOSE,
    of: Annotated[
        str, typer.Option(help="With --from: whose, by the file's own id, if it has several.")
    ] = "",
    with_assistant: Annotated[
        bool, typer.Option("--with-assistant", help="With --from: also what the assistant said.")
    ] = False,
    batch: Annotated[int, typer.Option(help="With --from: memories a call.", min=1, max=256)] = 32,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --from: only tell what would be taken.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --from: the report as JSON.")
    ] = False,
) -> None:
    """Takes in an archive that `tacit export --reveal` wrote, or what another product exported;
    safe to repeat.
    """
    if source is not None:
        from server.cli.moving import move_in
        from server.moving.pieces import Choice

        choice = Choice(source.value, purpose, with_assistant=with_assistant, owner=of)
        move_in(session, file, person, choice, batch=batch, dry_run=dry_run, as_json=as_json)
        return
    if with_assistant or dry_run or as_json or of or purpose != DEFAULT_PURPOSE:
        raise typer.BadParameter(
            "--purpose, --of, --with-assistant, --dry-run and --json go with --from"
        )
    session = replace(session, timeout=max(session.timeout, _IMPORT_SECONDS))
    taken = _take_in(session, file, person)
    there = f", {taken.duplicate_count} were there already" if taken.duplicate_count else ""
    over = f", {taken.expired_count} had ended" if taken.expired_count else ""
    errors.print(f"{taken.memory_count} memories taken in{there}{over}", markup=False)


def _take_in(session: Session, file: Path, person: str) -> ImportDataResponse:
    """Sends the archive; once more when time ran out: what was stored until then is passed over."""
    import grpc

    tries = 0
    while True:
        try:
            with file.open("rb") as source:
                return session.call(session.rights.ImportData, _messages(source, person))
        except grpc.RpcError as error:
            tries += 1
            if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED or tries == _TRIES:
                raise


def _messages(source: BinaryIO, person: str) -> Iterator[ImportDataRequest]:
    from memory.v1.subject_rights_service_pb2 import ImportDataRequest

    yield ImportDataRequest(name=people(person), request_id=str(uuid.uuid4()))
    while piece := source.read(_PIECE_BYTES):
        yield ImportDataRequest(data=piece)


def report(
    session: Session,
    kind: Annotated[Report, typer.Argument(help="Record of processing, or facts for a DPIA.")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of Markdown.")] = False,
) -> None:
    """Prints the record of processing (GDPR Art. 30), or the facts for an assessment (Art. 35)."""
    from memory.v1.operator_service_pb2 import GetReportRequest

    number = GetReportRequest.Kind.Value(f"KIND_{kind.name}")
    made = session.call(session.operator.GetReport, GetReportRequest(kind=number))
    typer.echo(made.json if as_json else made.markdown)


def requests(
    session: Session,
    everything: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Lists the data-subject requests that are open, the one due first before the others."""
    from memory.v1.core_pb2 import DataSubjectRequest
    from memory.v1.operator_service_pb2 import ListDataSubjectRequestsRequest

    request = ListDataSubjectRequestsRequest(page_size=100, show_closed=everything)
    pages = session.pages(session.operator.ListDataSubjectRequests, request)
    found = [one for page in pages for one in page.requests]
    if as_json:
        print_json(found)
        return
    table = Table("request", "right", "came", "due", "outcome", box=None)
    for one in found:
        right = DataSubjectRequest.Right.Name(one.right).removeprefix("RIGHT_").lower()
        outcome = DataSubjectRequest.Outcome.Name(one.outcome).removeprefix("OUTCOME_").lower()
        table.add_row(
            one.name.partition("/")[2],
            right,
            moment(one.receive_time),
            moment(one.due_time) + (" (extended)" if one.extension else ""),
            outcome if one.outcome else "open",
        )
    out.print(table)


_Request = Annotated[str, typer.Argument(help="Its id, as `tacit requests list` shows it.")]


def extend(
    session: Session,
    request: _Request,
    reason: Annotated[Why, typer.Option(help="Why; the person must be told within a month.")],
) -> None:
    """Gives a request two months more (GDPR Art. 12(3))."""
    from memory.v1.core_pb2 import DataSubjectRequest
    from memory.v1.operator_service_pb2 import ExtendDataSubjectRequestRequest

    number = DataSubjectRequest.Extension.Value(f"EXTENSION_{reason.name}")
    changed = session.call(
        session.operator.ExtendDataSubjectRequest,
        ExtendDataSubjectRequestRequest(name=f"dataSubjectRequests/{request}", reason=number),
    )
    errors.print(f"due {moment(changed.due_time)}", markup=False)


def close(
    session: Session,
    request: _Request,
    outcome: Annotated[Ending, typer.Option(help="How it ended.")],
) -> None:
    """Ends a request that was answered in another way, or given up."""
    from memory.v1.core_pb2 import DataSubjectRequest
    from memory.v1.operator_service_pb2 import CloseDataSubjectRequestRequest

    number = DataSubjectRequest.Outcome.Value(f"OUTCOME_{outcome.name}")
    session.call(
        session.operator.CloseDataSubjectRequest,
        CloseDataSubjectRequestRequest(name=f"dataSubjectRequests/{request}", outcome=number),
    )
