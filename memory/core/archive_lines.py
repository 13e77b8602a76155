"""What an archive's lines say of a person's memories, read strictly.

Rules:
- A line has exactly the fields of its type, of those in `_STATED` what was stated, and both of
  `_REPEATED` or none: what is not understood is refused, never dropped.
- What a memory could not be when it was stored, it cannot be in an archive (`core.draft`).
- Mood that was inferred is a guess made elsewhere: read is that there was one, not what it said.
- Errors carry the number of the line, and nothing of what stands in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from memory.core.archive import Line, instant
from memory.core.draft import Draft
from memory.core.feedback import MAX_GAIN, UNIT, Rated, Rating, from_points
from memory.core.pseudonyms import Entity
from memory.core.values import AssistantId, MemoryKind, PurposeId, RawText, RecordId, Span
from memory.errors import ArchiveError, InvalidArgumentError

_SAID: Final = frozenset(
    {
        *("text", "hidden", "speaker", "speaker_hidden", "session", "event_time", "labels"),
        "sources",
        *("kind", "affect"),
    }
)
_MEMORY: Final = _SAID | {
    "type", "id", "purpose", "assistant", "stored_at", "updated_at", "version",
    "expires_at",
}  # fmt: skip
_STATED: Final = frozenset({"supersedes", "valid_until", "importance"})
_REPEATED: Final = frozenset({"sightings", "last_seen_at"})
_VERSION: Final = _SAID | {"type", "memory", "version", "updated_at"}
_RATING: Final = frozenset({"type", "memory", "version", "rating", "at", "steps"})
_PSEUDONYM: Final = frozenset({"type", "pseudonym", "entity_type", "number", "value"})
_MAX_NUMBER: Final = 2**31
_MAX_VALUE_CHARS: Final = 10_000
_MAX_TYPE_CHARS: Final = 41


@dataclass(frozen=True, slots=True)
class ArchivedEntity:
    """An entry of the archive's pseudonym vault."""

    entity: Entity
    value: RawText


@dataclass(frozen=True, slots=True)
class Said:
    """What a memory or an older version of it says, and what was hidden in it, by pseudonym."""

    draft: Draft
    hidden: tuple[tuple[int, int, str], ...]
    speaker_hidden: str | None
    moody: bool
    """Whether mood was inferred from it."""

    def spans(self, of: Mapping[str, Entity]) -> dict[Span, Entity]:
        """The hidden spans, each with the entity that its pseudonym stands for."""
        return {
            Span(start, end, of[name].entity_type): of[name] for start, end, name in self.hidden
        }


@dataclass(frozen=True, slots=True)
class ArchivedMemory:
    """A memory as the archive has it."""

    number: int
    id: RecordId
    said: Said
    purpose: PurposeId
    assistant: AssistantId
    stored_at: datetime
    updated_at: datetime
    version: int
    expires_at: datetime | None
    sightings: int = 1
    last_seen_at: datetime | None = None

    @property
    def kept_from(self) -> datetime:
        """From when its purpose's retention counts."""
        return self.last_seen_at or self.stored_at


@dataclass(frozen=True, slots=True)
class ArchivedVersion:
    """An older version of a memory."""

    number: int
    memory: RecordId
    said: Said
    version: int
    updated_at: datetime


def read_entity(line: Line) -> ArchivedEntity:
    """A line of type `pseudonym`."""
    with _of(line, _PSEUDONYM) as f:
        entity = Entity(_text(f, "entity_type"), _number(f, "number"))
        value = _text(f, "value")
        kind = entity.entity_type
        if not (kind.isascii() and kind.replace("_", "").isalnum() and kind == kind.upper()):
            raise InvalidArgumentError("entity_type", "must be a type like PERSON")
        if len(kind) > _MAX_TYPE_CHARS or not 0 < len(value) <= _MAX_VALUE_CHARS:
            raise InvalidArgumentError("value", "is empty, or longer than any text")
        if f["pseudonym"] != entity.pseudonym:
            raise InvalidArgumentError("pseudonym", "is not that of its type and number")
        return ArchivedEntity(entity, RawText(value))


def read_memory(line: Line, now: datetime) -> ArchivedMemory:
    """A line of type `memory`."""
    repeated = set(line.fields) >= _REPEATED
    with _of(line, _MEMORY | _REPEATED if repeated else _MEMORY) as f:
        stored, updated = _past(line, "stored_at", now), _past(line, "updated_at", now)
        if updated < stored:
            raise InvalidArgumentError("updated_at", "lies before stored_at")
        seen = _past(line, "last_seen_at", now) if repeated else None
        if seen is not None and (seen < stored or _number(f, "sightings") == 1):
            raise InvalidArgumentError("sightings", "a memory told again was told before")
        expires = f["expires_at"]
        return ArchivedMemory(
            line.number,
            RecordId.parse(_text(f, "id")),
            _said(line),
            PurposeId(_text(f, "purpose")),
            AssistantId(_text(f, "assistant")),
            stored,
            updated,
            _number(f, "version"),
            None if expires is None else instant(expires, line.number, "expires_at"),
            _number(f, "sightings") if repeated else 1,
            seen,
        )


def read_version(line: Line, now: datetime) -> ArchivedVersion:
    """A line of type `version`."""
    with _of(line, _VERSION) as f:
        return ArchivedVersion(
            line.number,
            RecordId.parse(_text(f, "memory")),
            _said(line),
            _number(f, "version"),
            _past(line, "updated_at", now),
        )


def read_rating(line: Line, now: datetime) -> Rated:
    """A line of type `rating`."""
    with _of(line, _RATING) as f:
        try:
            rating = Rating(f["rating"])
        except ValueError:
            raise InvalidArgumentError("rating", f"must be one of {', '.join(Rating)}") from None
        steps = f["steps"]
        if not isinstance(steps, dict) or not all(_is_step(step) for step in steps.values()):
            raise InvalidArgumentError("steps", "must be an object of points")
        return Rated(
            RecordId.parse(_text(f, "memory")),
            _number(f, "version"),
            rating,
            _past(line, "at", now),
            from_points(steps),
        )


def _is_step(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) * UNIT <= MAX_GAIN


def _said(line: Line) -> Said:
    f = line.fields
    labels, event_time, speaker = f["labels"], f["event_time"], f["speaker"]
    if not isinstance(labels, dict) or not all(isinstance(v, str) for v in labels.values()):
        raise InvalidArgumentError("labels", "must be an object of texts")
    try:
        kind = MemoryKind(f["kind"])
    except ValueError:
        raise InvalidArgumentError("kind", f"must be one of {', '.join(MemoryKind)}") from None
    draft = Draft(
        text=RawText(_text(f, "text")),
        kind=kind,
        speaker=None if speaker is None else RawText(_text(f, "speaker")),
        session=_text(f, "session"),
        event_time=None if event_time is None else instant(event_time, line.number, "event_time"),
        labels=labels,
        sources=_records(f, "sources"),
        until=(
            instant(f["valid_until"], line.number, "valid_until") if "valid_until" in f else None
        ),
        supersedes=_records(f, "supersedes") if "supersedes" in f else (),
        importance=_share(f, "importance") if "importance" in f else None,
    )
    speaker_hidden = f["speaker_hidden"]
    if speaker_hidden is not None and (speaker is None or not isinstance(speaker_hidden, str)):
        raise InvalidArgumentError("speaker_hidden", "must be a speaker's pseudonym, or null")
    if f["affect"] is not None and not isinstance(f["affect"], dict):
        raise InvalidArgumentError("affect", "must be an object, or null")
    hidden = _hidden(f["hidden"], len(draft.text.value))
    return Said(draft, hidden, speaker_hidden, f["affect"] is not None)


def _share(fields: Mapping[str, Any], name: str) -> float:
    value = fields[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidArgumentError(name, "must be a number")
    return float(value)


def _records(fields: Mapping[str, Any], name: str) -> tuple[RecordId, ...]:
    if not isinstance(fields[name], list):
        raise InvalidArgumentError(name, "must be a list of ids")
    return tuple(RecordId.parse(_text({name: value}, name)) for value in fields[name])


def _hidden(value: object, chars: int) -> tuple[tuple[int, int, str], ...]:
    problem = "must be [start, end, pseudonym] of the text, sorted and without overlap"
    made: list[tuple[int, int, str]] = []
    position = 0
    for each in value if isinstance(value, list) else [None]:
        match each:
            case [int(start), int(end), str(name)] if position <= start < end <= chars:
                made.append((start, end, name))
                position = end
            case _:
                raise InvalidArgumentError("hidden", problem)
    return tuple(made)


@contextmanager
def _of(line: Line, expected: frozenset[str]) -> Iterator[Mapping[str, Any]]:
    """The fields of a line of this form; what does not fit is told with the line's number."""
    if set(line.fields) - (_STATED if expected >= _SAID else set()) != expected:
        raise ArchiveError(line.number, f"a {line.type} has exactly: {', '.join(sorted(expected))}")
    try:
        yield line.fields
    except ArchiveError:
        raise
    except InvalidArgumentError as error:
        raise ArchiveError(line.number, error.message) from None


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise InvalidArgumentError(name, "must be a text")
    return value


def _number(fields: Mapping[str, Any], name: str) -> int:
    value = fields[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < _MAX_NUMBER:
        raise InvalidArgumentError(name, "must be a whole number from 1")
    return value


def _past(line: Line, name: str, now: datetime) -> datetime:
    moment = instant(line.fields[name], line.number, name)
    if moment > now:
        raise InvalidArgumentError(name, "lies in the future")
    return moment
