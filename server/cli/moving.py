"""`tacit import --from`: what another memory or assistant exported, through Store like any other.

Rules:
- The file is read whole before the first memory is stored: a mistake in it stores nothing.
- A call that got lost or is turned away for now is made again; each memory has its request id, so
  that it is stored once, now or in another run.
- What was erased since it was moved in is not stored again.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from memory.errors import ConfigurationError
from server.cli.arguments import people, purposes
from server.cli.output import errors, storing
from server.cli.session import Session
from server.moving.entries import Found
from server.moving.files import elements
from server.moving.pieces import Choice, Piece, pieces

if TYPE_CHECKING:
    from memory.v1.memory_service_pb2 import BatchStoreMemoriesRequest, StoreMemoryResponse

BATCH_CHARS: Final = 100_000
"""Of all texts of one call, but for one that is longer: a server takes 4 MiB."""

_INTERRUPTED: Final = 130
_TRY_SECONDS: Final = 600.0
"""How long one batch is tried."""


@dataclass(slots=True)
class Outcome:
    """What became of the memories that were sent."""

    new: int = 0
    there: int = 0
    erased: int = 0
    hidden: Counter[str] = field(default_factory=Counter)

    def take(self, answers: list[StoreMemoryResponse]) -> None:
        """Counts what the server acknowledged."""
        for one in answers:
            if one.repeated_request or one.merged:
                self.there += 1
            else:
                self.new += 1
            self.hidden.update(one.hidden_counts)

    @property
    def done(self) -> int:
        return self.new + self.there + self.erased


def move_in(
    session: Session,
    file: Path,
    person: str,
    choice: Choice,
    *,
    batch: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Stores what the file holds of the person, and reports."""
    found = Found()
    for _ in _read(file, choice, found):
        pass
    outcome = None if dry_run else Outcome()
    try:
        if outcome is not None:
            _store(session, person, choice, _read(file, choice, Found()), found, outcome, batch)
    except KeyboardInterrupt:
        errors.print("stopped; the same command goes on from here", markup=False)
        raise typer.Exit(_INTERRUPTED) from None
    finally:
        _report(choice, found, outcome, as_json=as_json)


def _read(file: Path, choice: Choice, found: Found) -> Iterator[Piece]:
    reader = import_module(f"server.moving.{choice.source}")
    yield from pieces(reader.read(elements(file, reader.FILES, found), found), choice, found)
    if found.entries == found.strange:
        raise ConfigurationError(f"{file.name} holds nothing that {choice.source} exports")


def _store(
    session: Session,
    person: str,
    choice: Choice,
    todo: Iterator[Piece],
    found: Found,
    outcome: Outcome,
    size: int,
) -> None:
    with storing(found.memories) as shown:
        for some in _batches(todo, size):
            _send(session, person, choice, some, outcome)
            shown(outcome.done)


def _batches(todo: Iterator[Piece], size: int) -> Iterator[list[Piece]]:
    some: list[Piece] = []
    chars = 0
    for piece in todo:
        if some and (len(some) == size or chars + len(piece.text) > BATCH_CHARS):
            yield some
            some, chars = [], 0
        some.append(piece)
        chars += len(piece.text)
    if some:
        yield some


def _send(
    session: Session, person: str, choice: Choice, some: list[Piece], outcome: Outcome
) -> None:
    """Stores some pieces; those that were erased since are found by halves and passed over."""
    from memory.client.errors import RequestIdReused

    try:
        outcome.take(_answers(session, _request(some, person, choice)))
    except RequestIdReused:
        if len(some) == 1:
            outcome.erased += 1
            return
        half = len(some) // 2
        for part in (some[:half], some[half:]):
            _send(session, person, choice, part, outcome)


def _answers(session: Session, request: BatchStoreMemoriesRequest) -> list[StoreMemoryResponse]:
    import grpc

    from memory.client.errors import ClientError, RequestIdReused, refusal
    from memory.client.retries import Budget

    budget = Budget(now=time.monotonic(), seconds=_TRY_SECONDS)
    while True:
        try:
            return list(session.call(session.memory.BatchStoreMemories, request).responses)
        except grpc.RpcError as error:
            call: Any = error
            refused = refusal(call.code(), call.details(), call.trailing_metadata())
            if isinstance(refused, RequestIdReused):
                raise refused from None
            try:
                pause = budget.pause(refused, time.monotonic())
            except ClientError:
                raise error from None
        time.sleep(pause)


def _request(some: list[Piece], person: str, choice: Choice) -> BatchStoreMemoriesRequest:
    from memory.v1.core_pb2 import AccessContext, Memory
    from memory.v1.memory_service_pb2 import BatchStoreMemoriesRequest

    request = BatchStoreMemoriesRequest(
        parent=people(person), access=AccessContext(purpose=purposes(choice.purpose))
    )
    for piece in some:
        one = request.requests.add(request_id=piece.request_id)
        memory = one.memory
        memory.text, memory.speaker, memory.session = piece.text, piece.speaker, piece.session
        memory.kind = Memory.Kind.Value(f"KIND_{piece.kind.upper()}")
        memory.labels["source"] = choice.source
        if piece.time:
            memory.event_time.FromDatetime(piece.time)
        if piece.until:
            memory.valid_until_time.FromDatetime(piece.until)
    return request


def _report(choice: Choice, found: Found, outcome: Outcome | None, *, as_json: bool) -> None:
    """`entries` = `memories` - `split` + all of `left_out`; stored, `memories` = `new` + `there` +
    `erased`.
    """
    if as_json:
        counts: dict[str, object] = {
            "from": choice.source,
            "entries": found.entries,
            "memories": found.memories,
            "split": found.split,
            "left_out": dict(found.left),
            "not_taken_beside": dict(found.beside),
        }
        if outcome is not None:
            counts |= {
                "new": outcome.new,
                "there": outcome.there,
                "erased": outcome.erased,
                "personal_data": dict(outcome.hidden.most_common()),
            }
        typer.echo(json.dumps(counts, ensure_ascii=False))
        return
    cut = f" ({found.split} more, as texts were too long)" if found.split else ""
    lines = [f"{found.entries} entries read, which come to {found.memories} memories{cut}"]
    if outcome is not None:
        erased = f", {outcome.erased} were erased since" if outcome.erased else ""
        sent = f"{outcome.done} of {found.memories} acknowledged"
        lines.append(f"{sent}: {outcome.new} new, {outcome.there} were there{erased}")
        lines.append(f"personal data replaced: {_listed(outcome.hidden)}")
    lines.append(f"left out: {_listed(found.left)}")
    lines.append(f"also in the file and not taken: {_listed(found.beside)}")
    for line in lines:
        errors.print(line, markup=False)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "nothing"
