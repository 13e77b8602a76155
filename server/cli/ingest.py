"""`tacit ingest`: a whole conversation, in batches, as often as you like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.arguments import DEFAULT_PURPOSE, ME, Person, Purpose, people, purposes
from server.cli.conversation import Conversation, Turn, read_conversation
from server.cli.output import errors, storing
from server.cli.session import Session, client_command

if TYPE_CHECKING:
    from memory.v1.memory_service_pb2 import BatchStoreMemoriesRequest


def register(app: typer.Typer) -> None:
    """Adds the command."""
    client_command(app, "ingest", "memory.write")(ingest)


def ingest(
    session: Session,
    file: Annotated[Path, typer.Argument(help="A conversation file (JSON).")],
    person: Person = ME,
    purpose: Purpose = DEFAULT_PURPOSE,
    batch: Annotated[int, typer.Option(help="Memories a call.", min=1, max=256)] = 32,
) -> None:
    """Stores a conversation file; what was stored before is not stored twice."""
    conversation = read_conversation(file)
    new = acknowledged = 0
    try:
        with storing(len(conversation.turns)) as shown:
            for request in batches(conversation, person, purpose, batch):
                stored = session.call(session.memory.BatchStoreMemories, request).responses
                acknowledged += len(stored)
                new += sum(not (one.repeated_request or one.merged) for one in stored)
                shown(acknowledged)
    finally:
        before = f", {acknowledged - new} were there" if acknowledged > new else ""
        errors.print(f"{acknowledged} of {len(conversation.turns)} acknowledged: {new} new{before}")


def batches(
    conversation: Conversation, person: str, purpose: str, size: int
) -> Iterator[BatchStoreMemoriesRequest]:
    """The conversation as requests, in order."""
    from memory.v1.core_pb2 import AccessContext
    from memory.v1.memory_service_pb2 import BatchStoreMemoriesRequest, StoreMemoryRequest

    def one(turn: Turn) -> StoreMemoryRequest:
        request = StoreMemoryRequest(request_id=conversation.request_id(turn, person))
        memory = request.memory
        memory.text, memory.speaker, memory.session = turn.text, turn.speaker, turn.session
        memory.labels["id"] = turn.id
        if turn.time:
            memory.event_time.FromDatetime(turn.time)
        return request

    for start in range(0, len(conversation.turns), size):
        yield BatchStoreMemoriesRequest(
            parent=people(person),
            access=AccessContext(purpose=purposes(purpose)),
            requests=[one(turn) for turn in conversation.turns[start : start + size]],
        )
