"""Which entries are taken, and as what they are stored.

Rules:
- What the person said and what the product remembers of them is taken; what the assistant said
  only when asked for.
- A request id is a hash of the format, the purpose, and the entry's session, id, kind and text:
  moving in again, whole or after a crash, stores nothing twice, and of a later export only what is
  new or says something else.
- A session is the product's own id if that is a UUID, else a UUID made of it: a session comes back
  as it was given, and others' ids may hold names.
- A text that is too long becomes several, cut where a paragraph, a line, a sentence or a word
  ends. Control characters, which Store refuses, are taken out.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Final

from memory.core.draft import MAX_NAME_CHARS, MAX_TEXT_CHARS, NOT_IN_LINE, NOT_IN_TEXT
from memory.errors import ConfigurationError
from server.moving.entries import By, Entry, Found, Kind

_CUTS: Final = ("\n\n", "\n", ". ", " ")
_SESSIONS: Final = uuid.UUID("0b0b5e0e-6c8f-5b7e-9d1c-4e7a9a0f6d52")


@dataclass(frozen=True, slots=True)
class Piece:
    """One memory to store."""

    request_id: str
    text: str = field(repr=False)
    kind: Kind
    speaker: str = field(repr=False)
    session: str
    time: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Choice:
    """What is wanted of a file. `owner` is the person's id in it, empty for the only one there."""

    source: str
    purpose: str
    with_assistant: bool = False
    owner: str = ""


def pieces(entries: Iterable[Entry], choice: Choice, found: Found) -> Iterator[Piece]:
    """The memories that the entries come to, counted in `found`.

    Raises:
        ConfigurationError: at the end, when the file has several people's and nobody said whose.
    """
    seen: set[bytes] = set()
    for entry in entries:
        text, cleaned = NOT_IN_TEXT.subn("", entry.text)
        found.pass_over("control character", cleaned)
        if entry.owner:
            found.owners.add(entry.owner)
        key = _key(entry, choice)
        if reason := _not_taken(entry, text, choice):
            found.leave(reason)
        elif key in seen:
            found.leave("stands there twice")
        else:
            seen.add(key)
            found.entries += 1
            found.taken += 1
            yield from _parts(entry, text, key, choice, found)
    if len(found.owners) > 1 and not choice.owner:
        raise ConfigurationError(
            f"this file is about {len(found.owners)} people: say whose memories are meant with "
            "--of, by the id that the file has for them"
        )


def _not_taken(entry: Entry, text: str, choice: Choice) -> str:
    if choice.owner and entry.owner != choice.owner:
        return "about somebody else" if entry.owner else "does not say about whom"
    if entry.by is By.ASSISTANT and not choice.with_assistant:
        return "of the assistant"
    return "" if text.strip() else "empty"


def _parts(entry: Entry, text: str, key: bytes, choice: Choice, found: Found) -> Iterator[Piece]:
    speaker = NOT_IN_LINE.sub(" ", entry.speaker)
    for number, part in enumerate(split(text)):
        found.split += number > 0
        yield Piece(
            request_id=f"import-{key.hex()}-{number}",
            text=part,
            kind=entry.kind,
            speaker=speaker if len(speaker) <= MAX_NAME_CHARS else "",
            session=_session(entry, choice),
            time=entry.time,
            until=entry.until,
        )


def split(text: str) -> Iterator[str]:
    """The text in parts that each fit one memory, none of them blank."""
    while len(text) > MAX_TEXT_CHARS:
        head = text[:MAX_TEXT_CHARS]
        ends = (head.rfind(cut) + len(cut) for cut in _CUTS if head.rfind(cut) > len(head) // 2)
        end = next(ends, len(head))
        if head[:end].strip():
            yield head[:end].strip()
        text = text[end:]
    if text.strip():
        yield text.strip()


def _key(entry: Entry, choice: Choice) -> bytes:
    named = entry.id or (entry.time.isoformat() if entry.time else "")
    parts = [choice.source, choice.purpose, entry.session, named, entry.kind, entry.text]
    return blake2b(json.dumps(parts).encode(), digest_size=16).digest()


def _session(entry: Entry, choice: Choice) -> str:
    if not entry.session:
        return ""
    try:
        return str(uuid.UUID(entry.session))
    except ValueError:
        return str(uuid.uuid5(_SESSIONS, json.dumps([choice.source, entry.session])))
