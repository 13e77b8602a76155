"""A whole Tacit on a fresh folder: real SQLite, Chroma, Presidio, encoder and key file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.draft import Draft
from memory.core.values import (
    Access,
    AssistantId,
    Caller,
    PersonId,
    PurposeId,
    RawText,
    TenantId,
)

ASSISTANCE = PurposeId("assistance")
CARE = PurposeId("care")
REVEAL = PurposeId("reveal")
FRAME = {"header", "note", "section", "end", "request", "access_event"}


def caller(tenant: str = "acme", assistant: str = "bot") -> Caller:
    return Caller(TenantId(tenant), AssistantId(assistant), frozenset())


def access(
    person: str = "alice", purpose: PurposeId = ASSISTANCE, *, by: Caller | None = None
) -> Access:
    return Access(by or caller(), PersonId(person), purpose)


def draft(text: str, **fields: object) -> Draft:
    return Draft(RawText(text), **fields)  # type: ignore[arg-type]


def grant(tacit: Tacit, person: str = "alice", purpose: PurposeId = ASSISTANCE) -> None:
    tacit.consents.grant(caller(), PersonId(person), purpose, caller().assistant)


def store(tacit: Tacit, *texts: str, person: str = "alice") -> list[str]:
    """Stores texts; returns the memory ids."""
    done = tacit.remember(access(person), [draft(text) for text in texts])
    return [str(one.memory.id) for one in done]


def recall(tacit: Tacit, query: str, person: str = "alice", limit: int = 10) -> list[str]:
    """The texts recalled, best first."""
    hits = tacit.recall(access(person), RawText(query), limit)
    return [hit.memory.content.text.value for hit in hits]


def archive(tacit: Tacit, person: str = "alice", *, revealed: bool = True) -> bytes:
    """The whole of an export."""
    pieces = tacit.export(caller(), PersonId(person), revealed=revealed)
    return b"".join(piece.data for piece in pieces)


def exported(tacit: Tacit, person: str = "alice", *, revealed: bool = True) -> list[dict[str, Any]]:
    """What an export holds of the person, but for its frame, and past requests and events."""
    lines = [json.loads(line) for line in archive(tacit, person, revealed=revealed).splitlines()]
    return [line for line in lines if line["type"] not in FRAME]


def wait_until(done: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def wait_indexed(tacit: Tacit) -> None:
    wait_until(lambda: tacit.status().unindexed == 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(params=[2_000, 0], ids=["in memory", "by index"])
def tacit(folder: Path, request: pytest.FixtureRequest) -> Iterator[Tacit]:
    with open_tacit(Config(data=folder, search_in_memory=request.param)) as opened:
        yield opened
