"""The log: one JSON object a line on stderr, made of fields that are safe to tell.

Rules:
- A line is one of the classes below; there is no way to log a text of one's own. None of their
  fields can hold content, a token, or a person's id.
- A fault is told by its class and the place it came from. Its message may quote anything, so it
  is never written.
- What libraries log is told by logger and level alone, for the same reason.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final, TextIO


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call was answered or refused. `reason` is empty when it was answered."""

    event: ClassVar[str] = "call"
    method: str
    status: str
    reason: str
    ms: float
    request_id: str
    tenant: str
    assistant: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A bug: an exception that is no refusal. `place` is file:line, innermost last."""

    event: ClassVar[str] = "fault"
    method: str
    request_id: str
    error: str
    place: str


@dataclass(frozen=True, slots=True)
class Started:
    """The server accepts calls; `metrics` is where they are shown, `page` where people see what is
    theirs: empty if nowhere.
    """

    event: ClassVar[str] = "started"
    address: str
    tls: bool
    advice: str
    metrics: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The server has finished. `unfinished` calls were cut off when the grace ran out."""

    event: ClassVar[str] = "stopped"
    unfinished: int


@dataclass(frozen=True, slots=True)
class Method:
    """What the server did of one rpc, when it stops: calls by status, and how long they took."""

    event: ClassVar[str] = "method"
    method: str
    calls: dict[str, int]
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class LibraryLine:
    """A library had something to say."""

    event: ClassVar[str] = "library"
    logger: str
    level: str
    error: str


Line = CallEnded | Fault | Started | Stopped | Method | LibraryLine

_FRAMES: Final = 3
"""How many frames of a fault are told."""


class Log:
    """Writes lines."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._lock = threading.Lock()

    def write(self, line: Line) -> None:
        """One line; never raises, as a full disk must not fail the call that it tells of."""
        fields = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": line.event}
        told = {name: getattr(line, name) for name in line.__slots__}
        text = json.dumps(fields | told, ensure_ascii=True)
        try:
            with self._lock:
                self._stream.write(text + "\n")
                self._stream.flush()
        except (OSError, ValueError):
            pass


def place_of(error: BaseException) -> str:
    """Where it was raised: "server/app.py:12 > memory/app/recall.py:90"."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        frames.append(f"{'/'.join(path.parts[-3:])}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(frames[-_FRAMES:])


class _Libraries(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        self._log.write(LibraryLine(record.name, record.levelname, error))


def silence_libraries(log: Log) -> None:
    """From now on, what libraries log reaches stderr without its text."""
    root = logging.getLogger()
    root.handlers = [_Libraries(log)]
    root.setLevel(logging.WARNING)
