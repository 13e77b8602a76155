"""Conversation files: what `tacit ingest` reads.

    {"conversation": "conv-1", "speakers": ["Ana", "Ben"],
     "memories": [{"id": "m1", "session": 1, "speaker": "Ana",
                   "time": "2026-03-01T14:30:00Z", "text": "..."}]}

Rules:
- Other keys, at either level, are left alone; `session`, `speaker` and `time` may be missing.
- `time` is ISO 8601 or like "1:56 pm on 8 May, 2023"; without a zone it is UTC.
- A mistake names the memory by its place and never quotes its text.
- The request id of a memory is made of the conversation's name and the memory's id, so that
  ingesting a file again, whole or after a crash, stores nothing twice.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from memory.errors import ConfigurationError

_REQUESTS: Final = uuid.UUID("5d0f9f0e-6a3f-5c39-9a57-6f8d4f2c8b11")
_SPOKEN_TIME: Final = "%I:%M %p on %d %B, %Y"


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said."""

    id: str
    text: str
    speaker: str
    session: str
    time: datetime | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was said, in order."""

    name: str
    speakers: tuple[str, ...]
    turns: tuple[Turn, ...]

    def request_id(self, turn: Turn, person: str) -> str:
        """The same for the same turn of the same conversation about the same person."""
        return str(uuid.uuid5(_REQUESTS, json.dumps([person, self.name, turn.id])))


def read_conversation(path: Path) -> Conversation:
    """The conversation in a file.

    Raises:
        ConfigurationError: not such a file; says where it goes wrong.
        OSError: cannot be read.
    """
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise ConfigurationError(f"{path}: not a JSON file in UTF-8") from None
    try:
        return _conversation(content, default_name=path.stem)
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}") from None


def _conversation(content: Any, default_name: str) -> Conversation:
    memories = content.get("memories") if isinstance(content, dict) else None
    if not isinstance(memories, list) or not memories:
        raise ValueError('needs "memories", a list that is not empty')
    turns = []
    ids = set()
    for place, memory in enumerate(memories):
        if not isinstance(memory, dict):
            raise ValueError(f"memories[{place}] must be an object")
        turn = _turn(memory, place)
        if turn.id in ids:
            raise ValueError(f"memories[{place}].id stands there twice")
        ids.add(turn.id)
        turns.append(turn)
    speakers = content.get("speakers", [])
    if not isinstance(speakers, list) or not all(isinstance(s, str) for s in speakers):
        raise ValueError("speakers must be a list of names")
    name = content.get("conversation", default_name)
    if not isinstance(name, str):
        raise ValueError("conversation must be a text")
    return Conversation(name, tuple(speakers), tuple(turns))


def _turn(memory: dict[str, Any], place: int) -> Turn:
    def text(key: str, default: str | None = None) -> str:
        value = memory.get(key, default)
        value = str(value) if isinstance(value, int) and key != "text" else value
        if not isinstance(value, str):
            raise ValueError(f"memories[{place}].{key} must be a text")
        return value

    return Turn(
        id=text("id"),
        text=text("text"),
        speaker=text("speaker", ""),
        session=text("session", ""),
        time=_time(text("time", ""), place),
    )


def _time(text: str, place: int) -> datetime | None:
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        try:
            when = datetime.strptime(text, _SPOKEN_TIME).replace(tzinfo=UTC)
        except ValueError:
            raise ValueError(f"memories[{place}].time is no time that is understood") from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
