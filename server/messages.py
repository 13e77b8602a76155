"""The wire's messages for the domain's values, and back. No rules of its own but form.

Rules:
- Enumerations are open in proto3: a number without a name is an error of the field it is in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from memory.app.narrow import Narrow
from memory.app.sealing import Remembered
from memory.core.affect import Affect
from memory.core.draft import Draft
from memory.core.micros import to_micros
from memory.core.values import Access, Caller, MemoryKind, PersonId, RawText, RecordId
from memory.errors import InvalidArgumentError
from memory.v1 import core_pb2
from server.names import memory_from, memory_name, purpose_from, purpose_name

MAX_SESSIONS: Final = 100
"""Sessions in one filter."""

_KINDS: Final[Mapping[core_pb2.Memory.Kind.ValueType, MemoryKind]] = {
    core_pb2.Memory.KIND_MESSAGE: MemoryKind.MESSAGE,
    core_pb2.Memory.KIND_FACT: MemoryKind.FACT,
    core_pb2.Memory.KIND_PREFERENCE: MemoryKind.PREFERENCE,
    core_pb2.Memory.KIND_EVENT: MemoryKind.EVENT,
    core_pb2.Memory.KIND_SUMMARY: MemoryKind.SUMMARY,
}
_WIRE_KINDS: Final = {kind: number for number, kind in _KINDS.items()}


@contextmanager
def fields_named(names: Mapping[str, str]) -> Iterator[None]:
    """Renames the field of an InvalidArgumentError from the domain's name to the wire's."""
    try:
        yield
    except InvalidArgumentError as error:
        if error.field not in names:
            raise
        raise type(error)(names[error.field], error.problem) from None


def to_time(timestamp: Timestamp, field: str) -> datetime:
    """An instant in UTC, to the microsecond."""
    try:
        return timestamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidArgumentError(field, "must lie in the years 1 to 9999") from None


def to_timestamp(instant: datetime) -> Timestamp:
    """The opposite of `to_time`."""
    seconds, micros = divmod(to_micros(instant), 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros * 1000)


def maybe_timestamp(instant: datetime | None) -> Timestamp | None:
    """The same, or nothing."""
    return None if instant is None else to_timestamp(instant)


def to_access(caller: Caller, person: PersonId, context: core_pb2.AccessContext) -> Access:
    """Who asks, about whom, and why."""
    return Access(caller, person, purpose_from(context.purpose, "access.purpose"))


def to_kind(number: core_pb2.Memory.Kind.ValueType, field: str) -> MemoryKind:
    """What a memory is; unspecified is an error here."""
    try:
        return _KINDS[number]
    except KeyError:
        raise InvalidArgumentError(field, "must be one of Memory.Kind") from None


def from_kind(kind: MemoryKind) -> core_pb2.Memory.Kind.ValueType:
    """The opposite of `to_kind`."""
    return _WIRE_KINDS[kind]


def to_draft(
    memory: core_pb2.Memory,
    request_id: str,
    sources: tuple[RecordId, ...] = (),
    supersedes: tuple[RecordId, ...] = (),
    *,
    extract: bool = False,
) -> Draft:
    """What to remember; output-only fields are ignored."""
    kind = memory.kind or core_pb2.Memory.KIND_MESSAGE
    return Draft(
        text=RawText(memory.text),
        kind=to_kind(kind, "memory.kind"),
        speaker=RawText(memory.speaker) if memory.speaker else None,
        session=memory.session,
        event_time=(
            to_time(memory.event_time, "memory.event_time")
            if memory.HasField("event_time")
            else None
        ),
        labels=dict(memory.labels),
        request_id=request_id,
        expire_time=(
            to_time(memory.expire_time, "memory.expire_time")
            if memory.HasField("expire_time")
            else None
        ),
        sources=sources,
        until=(
            to_time(memory.valid_until_time, "memory.valid_until_time")
            if memory.HasField("valid_until_time")
            else None
        ),
        supersedes=supersedes,
        importance=memory.importance if memory.HasField("importance") else None,
        extract=extract,
    )


def to_records(
    caller: Caller, person: PersonId, names: Sequence[str], field: str
) -> tuple[RecordId, ...]:
    """The memories that a field names: of the same person."""
    named = [memory_from(caller, name, f"{field}[{i}]") for i, name in enumerate(names)]
    for i, (whose, _) in enumerate(named):
        if whose != person:
            raise InvalidArgumentError(f"{field}[{i}]", "must be a memory of this person")
    return tuple(record for _, record in named)


def to_narrow(wanted: core_pb2.MemoryFilter) -> Narrow:
    """Which memories are meant."""
    if len(wanted.sessions) > MAX_SESSIONS:
        raise InvalidArgumentError("filter.sessions", f"at most {MAX_SESSIONS}")
    start = end = None
    if wanted.HasField("event_start_time"):
        start = to_time(wanted.event_start_time, "filter.event_start_time")
    if wanted.HasField("event_end_time"):
        end = to_time(wanted.event_end_time, "filter.event_end_time")
    if start is not None and end is not None and end <= start:
        raise InvalidArgumentError("filter.event_end_time", "must be after event_start_time")
    return Narrow(
        kinds=frozenset(to_kind(kind, "filter.kinds") for kind in wanted.kinds),
        sessions=frozenset(wanted.sessions),
        event_start=start,
        event_end=end,
    )


def from_memory(
    person: PersonId,
    memory: Remembered,
    until: datetime | None = None,
    superseded_by: RecordId | None = None,
) -> core_pb2.Memory:
    """A memory as callers see it: in the person's own words where they were revealed.

    `until` is when it stops to hold, if that is other than what was given.
    """
    content = memory.content
    until = until or content.until
    shown = memory.words or content
    return core_pb2.Memory(
        name=memory_name(person, memory.id),
        text=shown.text.value,
        kind=_WIRE_KINDS[memory.kind],
        speaker=shown.speaker.value if shown.speaker else "",
        session=content.session,
        event_time=to_timestamp(content.event_time or memory.stored_at),
        labels=content.labels,
        purpose=purpose_name(memory.purpose),
        assistant=memory.assistant.value,
        create_time=to_timestamp(memory.stored_at),
        update_time=to_timestamp(memory.updated_at),
        expire_time=maybe_timestamp(memory.expires_at),
        affect=None if content.affect is None else _affect(content.affect),
        version=memory.version,
        etag=_etag(memory.version),
        sources=[memory_name(person, source) for source in content.sources],
        supersedes=[memory_name(person, older) for older in content.supersedes],
        importance=content.importance,
        valid_until_time=maybe_timestamp(until),
        superseded_by="" if superseded_by is None else memory_name(person, superseded_by),
        sighting_count=memory.sightings,
        last_sighting_time=(
            None if memory.last_seen_at is None else to_timestamp(memory.last_seen_at)
        ),
    )


def _affect(affect: Affect) -> core_pb2.Affect:
    return core_pb2.Affect(
        valence=affect.valence,
        frustration=affect.frustration,
        cues=[
            core_pb2.Affect.Cue(rule=cue.rule, words=cue.words, points=cue.points)
            for cue in affect.cues
        ],
    )


def to_version(etag: str, field: str) -> int | None:
    """The version that an etag stands for; None for any."""
    if not etag:
        return None
    digits = etag.removeprefix("v")
    if not (digits.isascii() and digits.isdigit() and etag == _etag(int(digits))):
        raise InvalidArgumentError(field, "must be an etag that a memory came with, or empty")
    return int(digits)


def _etag(version: int) -> str:
    return f"v{version}"
