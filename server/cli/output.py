"""What a person sees: tables on stdout, one readable line for what went wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console
from rich.text import Text

from memory.errors import ConfigurationError, TacitError
from server.cli import not_installed

if TYPE_CHECKING:
    import grpc
    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp

FAILED: Final = 1
USAGE: Final = 2

out = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def explain(error: Exception) -> tuple[str, int]:
    """The one line that says what happened and what to do, and the exit code."""
    if isinstance(error, typer.Abort):
        return "stopped; nothing was changed", FAILED
    if isinstance(error, typer.TyperException):  # says the usage is wrong; may span lines
        return " ".join(error.format_message().split()), USAGE
    if isinstance(error, ConfigurationError):
        return error.message, USAGE
    if isinstance(error, TacitError):
        return error.message, FAILED
    if isinstance(error, ModuleNotFoundError):
        return not_installed(error), USAGE
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or type(error).__name__}", FAILED
    if type(error).__module__.startswith("grpc"):
        return _explain_refusal(error), FAILED  # type: ignore[arg-type]
    # Its text could quote content, so only its kind is shown.
    return f"unexpected {type(error).__name__}; TACIT_DEBUG=1 shows where", FAILED


def _explain_refusal(error: grpc.RpcError) -> str:
    from google.rpc import error_details_pb2  # type: ignore[import-untyped]
    from grpc_status import rpc_status

    call: grpc.Call = error  # type: ignore[assignment]
    code = call.code().name
    status = rpc_status.from_call(call)
    if status is None:
        if code == "UNAVAILABLE":
            return "no Tacit server answers there; start one with `tacit serve`, or give --address"
        return f"{code}: {' '.join((call.details() or '').split())}"
    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.RequestInfo()
    for detail in status.details:
        _ = detail.Unpack(info) or detail.Unpack(request)
    reason = f" ({info.reason})" if info.reason not in {"", code} else ""
    quoted = f" [request {request.request_id}]" if info.reason == "INTERNAL" else ""
    return f"{code}{reason}: {' '.join(status.message.split())}{quoted}"


def print_json(messages: Message | Iterable[Message]) -> None:
    """One JSON object a line, with the proto's own field names."""
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import Message

    for message in [messages] if isinstance(messages, Message) else messages:
        value = MessageToDict(
            message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
        typer.echo(json.dumps(value, ensure_ascii=False))


def moment(timestamp: Timestamp) -> str:
    """Short and in the reader's time zone."""
    when = timestamp.ToDatetime(tzinfo=UTC)
    return "" if when == datetime.fromtimestamp(0, UTC) else f"{when.astimezone():%Y-%m-%d %H:%M}"


def age(timestamp: Timestamp, now: datetime | None = None) -> str:
    """How long ago, in the largest unit that fits: `12 days`; empty for no time."""
    if not timestamp.seconds:
        return ""
    seconds = (now or datetime.now(UTC)).timestamp() - timestamp.seconds
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if count := max(0, int(seconds // length)):
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


@contextmanager
def storing(total: int) -> Iterator[Callable[[int], None]]:
    """A bar of `total` memories; call it with how many are acknowledged."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=errors) as progress:
        task = progress.add_task("storing", total=total)
        yield lambda acknowledged: progress.update(task, completed=acknowledged)


def spoken(speaker: str, text: str) -> Text:
    """What someone said, never read as markup."""
    line = Text()
    if speaker:
        line.append(f"{speaker}: ", style="bold")
    return line.append(text)
