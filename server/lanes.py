"""What a server and the processes beside it tell each other, on a lane for one call at a time.

server                               recaller
Setup                       ▶        (the first lane, once)
                            ◀        Ready
Asked                       ▶
                            ◀        Lend          keys are needed: answered by Lent
                            ◀        Noted         the event that must be on disk
                            ◀        Answered, or NotHere: the server does it itself
Dropped                     ▶        (the first lane)
                            ◀        Ready
"""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NamedTuple

from memory.ports import AccessEvent, Step

if TYPE_CHECKING:
    Lane = Connection[Any, Any]
else:
    Lane = Connection


class Ready(NamedTuple):
    """It waits for calls."""


class Asked(NamedTuple):
    """A call, of a caller who may make it; `ref` is what SQL knows the person by."""

    rpc: str
    ref: bytes
    tenant: str
    assistant: str
    scopes: frozenset[str]
    person: str | None
    request: bytes


class Lend(NamedTuple):
    """The person's keys are needed."""


class Lent(NamedTuple):
    """The version of the key, and what it wraps."""

    version: int
    root: bytes


class Noted(NamedTuple):
    """An event, with its leaf hash."""

    event: AccessEvent
    leaf: bytes


class Answered(NamedTuple):
    """The response, and how long each step took, in nanoseconds."""

    response: bytes
    steps: list[tuple[Step, int]]


class NotHere(NamedTuple):
    """The server has to do it itself."""


class Dropped(NamedTuple):
    """Whose memories are dropped, and whether nothing of them is kept again."""

    subject: bytes
    for_good: bool
