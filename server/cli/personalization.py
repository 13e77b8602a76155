"""`tacit rate`, `personalization`: what a person says of what is recalled, and what came of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from server.cli.arguments import DEFAULT_PURPOSE, ME, AsJson, Person, Purpose, people, purposes
from server.cli.output import errors, out, print_json, spoken
from server.cli.session import Session, client_command


class Rating(StrEnum):
    """What is said of a memory; as the wire says it."""

    USEFUL = "useful"
    NOT_USEFUL = "not-useful"
    WRONG = "wrong"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    client_command(app, "rate", "memory.read", "memory.write")(rate)
    client_command(app, "personalization", "memory.read", "memory.write")(personalization)


def rate(
    session: Session,
    query: Annotated[str, typer.Argument(help="What was looked for; it is recalled again.")],
    rating: Annotated[Rating, typer.Argument(help="What is said of the hit.")],
    hit: Annotated[int, typer.Option(help="Which one, from the top.", min=1, max=100)] = 1,
    person: Person = ME,
    purpose: Purpose = DEFAULT_PURPOSE,
) -> None:
    """Rates what a recall finds; needs a consent for tuning, but for `wrong`."""
    from memory.v1.core_pb2 import AccessContext
    from memory.v1.memory_service_pb2 import RateMemoryRequest, RecallMemoriesRequest

    access = AccessContext(purpose=purposes(purpose))
    asked = RecallMemoriesRequest(
        parent=people(person), access=access, query=query, limit=max(hit, 10)
    )
    found = session.call(session.memory.RecallMemories, asked)
    if len(found.hits) < hit:
        raise typer.BadParameter(f"there are {len(found.hits)} hits")
    memory = found.hits[hit - 1].memory
    request = RateMemoryRequest(
        name=memory.name,
        access=access,
        rating=RateMemoryRequest.Rating.Value(f"RATING_{rating.name}"),
        recall_token=found.recall_token,
    )
    learned = session.call(session.memory.RateMemory, request).learned
    out.print(spoken(memory.speaker, memory.text))
    errors.print(f"{rating}{'' if learned else '; nothing is learnt from it'}", markup=False)


def personalization(
    session: Session,
    person: Person = ME,
    purpose: Purpose = DEFAULT_PURPOSE,
    reset: Annotated[bool, typer.Option("--reset", help="Take every rating back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Prints what a person's ratings have come to, or takes them back."""
    from memory.v1.core_pb2 import AccessContext
    from memory.v1.memory_service_pb2 import (
        GetPersonalizationRequest,
        ResetPersonalizationRequest,
    )

    if reset:
        taken = ResetPersonalizationRequest(parent=people(person))
        count = session.call(session.memory.ResetPersonalization, taken).rating_count
        errors.print(f"{count} ratings taken back", markup=False)
        return
    request = GetPersonalizationRequest(
        parent=people(person), access=AccessContext(purpose=purposes(purpose))
    )
    shown = session.call(session.memory.GetPersonalization, request)
    if as_json:
        print_json(shown)
        return
    table = Table("part", "for everyone", "here", box=None)
    for one in shown.weights:
        table.add_row(one.part, f"{one.default_weight:.3f}", f"{one.weight:.3f}")
    out.print(table)
    out.print(
        f"{shown.useful_count} useful, {shown.not_useful_count} not useful, "
        f"{shown.wrong_count} wrong; learnt from {shown.learned_count}"
    )
    for name in shown.doubted:
        out.print(f"doubted: {name}", markup=False)
