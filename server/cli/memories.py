"""`tacit store`, `recall`, `context`, `profile`, `handover`, `list`: what an assistant does with
memories.
"""

from __future__ import annotations

import sys
import uuid
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from server.cli.arguments import (
    DEFAULT_PURPOSE,
    ME,
    AsJson,
    Person,
    Purpose,
    Reveal,
    instant,
    people,
    purposes,
)
from server.cli.output import moment, out, print_json, spoken
from server.cli.session import Session, client_command

if TYPE_CHECKING:
    from memory.v1.core_pb2 import MemoryFilter

Sessions = Annotated[list[str] | None, typer.Option("--session", help="Only these sessions.")]
ReferenceTime = Annotated[
    str, typer.Option(help="When it is asked, for words like yesterday: 2026-03-01T14:30Z.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    client_command(app, "store", "memory.write")(store)
    client_command(app, "recall", "memory.read")(recall)
    client_command(app, "context", "memory.read")(context)
    client_command(app, "profile", "memory.read")(profile)
    client_command(app, "handover", "memory.read")(handover)
    client_command(app, "list", "memory.read")(list_)


def store(
    session: Session,
    text: Annotated[str, typer.Argument(help="What was said; '-' reads it from stdin.")],
    person: Person = ME,
    purpose: Purpose = DEFAULT_PURPOSE,
    speaker: Annotated[str, typer.Option(help="Who said it.")] = "",
    session_id: Annotated[str, typer.Option("--session", help="The conversation it is of.")] = "",
    time: Annotated[str, typer.Option(help="When it was said: 2026-03-01T14:30Z.")] = "",
    importance: Annotated[
        float | None, typer.Option(help="How much it matters.", min=0, max=1)
    ] = None,
    facts: Annotated[bool, typer.Option(help="Store the facts it states beside it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stores one memory and prints its name."""
    from memory.v1.core_pb2 import AccessContext, Memory
    from memory.v1.memory_service_pb2 import StoreMemoryRequest

    said = sys.stdin.read() if text == "-" else text
    memory = Memory(text=said, speaker=speaker, session=session_id, importance=importance)
    if time:
        memory.event_time.FromDatetime(instant(time))
    request = StoreMemoryRequest(
        parent=people(person),
        access=AccessContext(purpose=purposes(purpose)),
        memory=memory,
        request_id=str(uuid.uuid4()),
        extract=facts,
    )
    answer = session.call(session.memory.StoreMemory, request)
    stored = [answer.memory, *answer.derived]
    if as_json:
        print_json(stored if facts else answer.memory)
        return
    if answer.merged:
        out.print(f"there already; told {answer.memory.sighting_count} times", style="dim")
    for each in stored:
        out.print(spoken(each.speaker, each.text))
        out.print(each.name, style="dim", markup=False)


def recall(
    session: Session,
    query: Annotated[str, typer.Argument(help="What to look for, in plain words.")],
    person: Person = ME,
    purpose: Purpose = DEFAULT_PURPOSE,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=100)] = 10,
    sessions: Sessions = None,
    reference_time: ReferenceTime = "",
    reveal: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Finds the memories that matter for a query, best first."""
    from memory.v1.core_pb2 import AccessContext
    from memory.v1.memory_service_pb2 import RecallMemoriesRequest

    request = RecallMemoriesRequest(
        parent=people(person),
        access=AccessContext(purpose=purposes(purpose)),
        query=query,
        limit=limit,
        filter=_filter(sessions),
        reveal=reveal,
    )
    if reference_time:
        request.reference_time.FromDatetime(instant(reference_time))
    hits = session.call(session.memory.RecallMemories, request).hits
    if as_json:
        print_json(hits)
        return
    table = Table("score", "when", "memory", box=None)
    for hit in hits:
        when = moment(hit.memory.event_time)
        if hit.memory.HasField("valid_until_time"):
            when += f", until {moment(hit.memory.valid_until_time)}"
        table.add_row(f"{hit.score:.3f}", when, spoken(hit.memory.speaker, hit.memory.text))
    out.print(table if hits else "nothing fits")


def context(
    session: Session,
    query: Annotated[str, typer.Argument(help="What the prompt is about, in plain words.")],
    person: Person = ME,
    purpose: Purpose = DEFAULT_PURPOSE,
    tokens: Annotated[int, typer.Option(help="How many at most.", min=1, max=32_000)] = 1_000,
    sessions: Sessions = None,
    reference_time: ReferenceTime = "",
    reveal: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Prints the memories that matter for a query as a text for a prompt."""
    from memory.v1.core_pb2 import AccessContext
    from memory.v1.memory_service_pb2 import BuildContextRequest

    request = BuildContextRequest(
        parent=people(person),
        access=AccessContext(purpose=purposes(purpose)),
        query=query,
        max_tokens=tokens,
        filter=_filter(sessions),
        reveal=reveal,
    )
    if reference_time:
        request.reference_time.FromDatetime(instant(reference_time))
    built = session.call(session.memory.BuildContext, request)
    if as_json:
        print_json(built)
    else:
        out.print(built.text or "nothing fits", markup=False)


def profile(
    session: Session,
    person: Person = ME,
    purpose: Purpose = DEFAULT_PURPOSE,
    as_json: AsJson = False,
) -> None:
    """Prints the facts and preferences that hold of a person; needs a consent for profile."""
    from memory.v1.core_pb2 import AccessContext
    from memory.v1.memory_service_pb2 import GetProfileRequest

    request = GetProfileRequest(
        parent=people(person), access=AccessContext(purpose=purposes(purpose))
    )
    entries = session.call(session.memory.GetProfile, request).entries
    if as_json:
        print_json(entries)
        return
    table = Table("of", "what", "said", "last", "sure", box=None)
    for entry in entries:
        slot = f"not {entry.slot}" if entry.denied else entry.slot
        sure = f"{entry.confidence:.2f}"
        table.add_row(entry.subject, slot, entry.text, moment(entry.last_time), sure)
    out.print(table if entries else "nothing is known")


def handover(
    session: Session,
    person: Person = ME,
    purpose: Purpose = DEFAULT_PURPOSE,
    tokens: Annotated[int, typer.Option(help="How many at most.", min=1, max=32_000)] = 1_000,
    sessions: Sessions = None,
    reveal: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Prints a brief for a human colleague who takes over; needs a consent for handover."""
    from memory.v1.core_pb2 import AccessContext
    from memory.v1.memory_service_pb2 import BuildHandoverRequest

    request = BuildHandoverRequest(
        parent=people(person),
        access=AccessContext(purpose=purposes(purpose)),
        max_tokens=tokens,
        filter=_filter(sessions),
        reveal=reveal,
    )
    brief = session.call(session.memory.BuildHandover, request)
    if as_json:
        print_json(brief)
    else:
        out.print(brief.text or "there is nothing to hand over", markup=False)


def list_(
    session: Session,
    person: Person = ME,
    purpose: Purpose = DEFAULT_PURPOSE,
    sessions: Sessions = None,
    reveal: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Lists a person's memories in the order they were stored."""
    from memory.v1.core_pb2 import AccessContext
    from memory.v1.memory_service_pb2 import ListMemoriesRequest

    request = ListMemoriesRequest(
        parent=people(person),
        access=AccessContext(purpose=purposes(purpose)),
        page_size=500,
        filter=_filter(sessions),
        reveal=reveal,
    )
    for page in session.pages(session.memory.ListMemories, request):
        if as_json:
            print_json(page.memories)
        for memory in page.memories if not as_json else ():
            out.print(moment(memory.event_time), spoken(memory.speaker, memory.text))


def _filter(sessions: list[str] | None) -> MemoryFilter:
    from memory.v1.core_pb2 import MemoryFilter

    return MemoryFilter(sessions=sessions or ())
