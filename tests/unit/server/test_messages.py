"""Messages and values: what goes in comes out, and what cannot be kept is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from memory.app.sealing import Remembered, Words
from memory.core.affect import Affect, Cue
from memory.core.values import (
    AssistantId,
    Caller,
    MemoryContent,
    MemoryKind,
    PersonId,
    PseudonymizedText,
    PurposeId,
    RawText,
    RecordId,
    TenantId,
)
from memory.errors import InvalidArgumentError, TextTooLongError, UnknownPurposeError
from memory.v1.core_pb2 import Memory, MemoryFilter
from server.messages import (
    fields_named,
    from_memory,
    to_draft,
    to_narrow,
    to_records,
    to_time,
    to_timestamp,
    to_version,
)
from server.names import memory_name

JANE = PersonId("jane")
AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def _remembered(**changes: object) -> Remembered:
    values = {
        "id": RecordId(bytes(16)),
        "content": MemoryContent(PseudonymizedText("person_1 likes tea")),
        "kind": MemoryKind.FACT,
        "purpose": PurposeId("assistance"),
        "assistant": AssistantId("helper"),
        "stored_at": AT,
        "updated_at": AT,
        "version": 3,
    }
    return Remembered(**(values | changes))  # type: ignore[arg-type]


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_survives_the_wire(instant: datetime) -> None:
    assert to_time(to_timestamp(instant), "t") == instant


@pytest.mark.parametrize("seconds", [2**62, -(2**62), 253402300800])
def test_an_instant_out_of_time_is_refused(seconds: int) -> None:
    with pytest.raises(InvalidArgumentError, match="event_time"):
        to_time(Timestamp(seconds=seconds), "event_time")


@pytest.mark.parametrize("kind", list(MemoryKind))
def test_every_kind_survives_the_wire(kind: MemoryKind) -> None:
    message = from_memory(JANE, _remembered(kind=kind))
    assert to_draft(message, "").kind is kind


def test_a_memory_goes_out_with_pseudonyms() -> None:
    message = from_memory(JANE, _remembered())
    assert message.name == f"people/jane/memories/{'00' * 16}"
    assert message.text == "person_1 likes tea"
    assert message.purpose == "purposes/assistance"
    assert message.event_time == message.create_time
    assert (message.version, to_version(message.etag, "etag")) == (3, 3)


def test_a_revealed_memory_goes_out_in_the_persons_own_words() -> None:
    words = Words(RawText("Jane likes tea"), RawText("Jane"))
    message = from_memory(JANE, _remembered(words=words))
    assert (message.text, message.speaker) == ("Jane likes tea", "Jane")


def test_an_end_is_taken_in_and_shown() -> None:
    given = Memory(text="x", expire_time=Timestamp(seconds=9))
    assert to_draft(given, "").expire_time == datetime.fromtimestamp(9, UTC)
    shown = from_memory(JANE, _remembered(expires_at=datetime.fromtimestamp(9, UTC)))
    assert shown.expire_time == given.expire_time


def test_inferred_mood_goes_out_with_what_it_was_made_of() -> None:
    affect = Affect(-0.5, 0.25, (Cue("lexicon", "awful", -2.0),))
    content = replace(_remembered().content, affect=affect)
    message = from_memory(JANE, _remembered(content=content))
    assert (message.affect.valence, message.affect.frustration) == (-0.5, 0.25)
    assert [(c.rule, c.words, c.points) for c in message.affect.cues] == [("lexicon", "awful", -2)]
    assert not from_memory(JANE, _remembered()).HasField("affect")


def test_sources_are_memories_of_the_same_person() -> None:
    record = RecordId(bytes(16))
    caller = Caller(TenantId("acme"), AssistantId("bot"), frozenset())
    named = Memory(text="x", sources=[memory_name(JANE, record)])
    assert to_records(caller, JANE, named.sources, "memory.sources") == (record,)
    for wrong in (memory_name(PersonId("john"), record), "people/jane", "people/jane/memories/1"):
        with pytest.raises(InvalidArgumentError, match=r"memory\.sources\[1\]"):
            to_records(caller, JANE, [*named.sources, wrong], "memory.sources")


def test_output_only_fields_are_ignored_when_storing() -> None:
    memory = Memory(text="x", name="people/john/memories/1", purpose="no", version=9, etag="no")
    assert to_draft(memory, "r").text.value == "x"


@pytest.mark.parametrize("kind", [6, 99, -1])
def test_a_kind_without_a_name_is_refused(kind: int) -> None:
    with pytest.raises(InvalidArgumentError, match=r"memory\.kind"):
        to_draft(Memory(text="x", kind=kind), "")  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match=r"filter\.kinds"):
        to_narrow(MemoryFilter(kinds=[kind]))  # type: ignore[list-item]


def test_an_empty_filter_narrows_nothing() -> None:
    narrow = to_narrow(MemoryFilter())
    assert not narrow.kinds
    assert not narrow.sessions
    assert not narrow.by_time


def test_an_interval_must_not_be_empty_or_backwards() -> None:
    early, late = Timestamp(seconds=1), Timestamp(seconds=2)
    assert to_narrow(MemoryFilter(event_start_time=early, event_end_time=late)).by_time
    for end in (early, Timestamp(seconds=0)):
        with pytest.raises(InvalidArgumentError, match="event_end_time"):
            to_narrow(MemoryFilter(event_start_time=early, event_end_time=end))


def test_a_filter_names_only_so_many_sessions() -> None:
    with pytest.raises(InvalidArgumentError, match="sessions"):
        to_narrow(MemoryFilter(sessions=[str(i) for i in range(101)]))


@pytest.mark.parametrize("etag", ["3", "v", "v03", "v-1", "vv3", "v٣", "W/v3"])
def test_an_etag_that_no_memory_came_with_is_refused(etag: str) -> None:
    with pytest.raises(InvalidArgumentError, match="etag"):
        to_version(etag, "etag")
    assert to_version("", "etag") is None


def test_errors_name_the_field_as_the_request_does() -> None:
    for error in (UnknownPurposeError, TextTooLongError):
        with pytest.raises(error) as caught, fields_named({"purpose": "access.purpose"}):
            raise error("purpose", "no")
        assert caught.value.metadata == {"field": "access.purpose"}
    with pytest.raises(InvalidArgumentError, match="other"), fields_named({}):
        raise InvalidArgumentError("other", "no")
