"""What counts as the same memory told again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from memory.core.content import Features, decode_features, encode_features
from memory.core.duplicates import (
    AGAIN_WITHIN,
    close,
    ends_no_earlier,
    needs_closeness,
    plain,
    sameness,
    told_again,
)
from memory.core.values import (
    AssistantId,
    MemoryContent,
    MemoryKind,
    PseudonymizedText,
    PurposeId,
    RawText,
    RecordId,
)

THEN = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
CONTENT = MemoryContent(
    PseudonymizedText("I like tea."),
    PseudonymizedText("user"),
    "monday",
    THEN,
    {"b": "1", "a": "2"},
    sources=(RecordId(bytes(16)), RecordId(bytes([1] * 16))),
    until=THEN + timedelta(days=1),
)


def _sameness(
    content: MemoryContent = CONTENT, kind: MemoryKind = MemoryKind.MESSAGE, **changes: Any
) -> str:
    told: dict[str, Any] = {
        "text": RawText(content.text.value),
        "speaker": None if content.speaker is None else RawText(content.speaker.value),
        "purpose": PurposeId("assistance"),
        "assistant": AssistantId("bot"),
    }
    return sameness(content, kind=kind, **(told | changes))


@pytest.mark.parametrize(
    "text",
    [
        "I like tea.",
        "i LIKE  tea",
        "  I\nlike\ttea!!! ",
        "I like tea ...",
        "\uff29 like tea\u2026",
        "I like tea\u3002",
    ],
)
def test_case_white_space_and_the_end_of_a_sentence_make_no_difference(text: str) -> None:
    assert plain(text) == "i like tea"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I like tea", "I like tea?"),
        ("great :)", "great :("),
        ("it costs 4.50", "it costs 450"),
        ("caf\u00e9", "cafe"),
        ("!", "?"),
        ("he's", "hes"),
    ],
)
def test_what_may_mean_something_else_is_kept_apart(one: str, other: str) -> None:
    assert plain(one) != plain(other)


def test_what_is_nothing_but_punctuation_stays_what_it_is() -> None:
    assert (plain("!!"), plain(" ... ")) == ("!!", "...")


def test_plain_is_plain_already() -> None:
    for text in ("Stra\u00dfe!", "\u0390?!", "A\u030a .", "\ufb01ne"):
        assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    "change",
    [
        {"session": "tuesday"},
        {"event_time": THEN + timedelta(microseconds=1)},
        {"event_time": None},
        {"labels": {"a": "2"}},
        {"sources": (RecordId(bytes(16)),)},
        {"supersedes": (RecordId(bytes(16)),)},
        {"until": None},
        {"speaker": None},
        {"speaker": PseudonymizedText("assistant")},
    ],
)
def test_a_message_with_another_detail_is_another_one(change: dict[str, Any]) -> None:
    assert _sameness(replace(CONTENT, **change)) != _sameness()


def test_purpose_assistant_and_kind_are_part_of_it() -> None:
    others = {
        _sameness(purpose=PurposeId("care")),
        _sameness(assistant=AssistantId("other")),
        *(_sameness(kind=kind) for kind in MemoryKind),
    }
    assert len(others) == 2 + len(MemoryKind)


def test_the_order_of_labels_and_sources_and_the_zone_of_times_make_no_difference() -> None:
    east = timezone(timedelta(hours=5))
    other = replace(
        CONTENT,
        labels={"a": "2", "b": "1"},
        sources=CONTENT.sources[::-1],
        event_time=THEN.astimezone(east),
    )
    assert _sameness(other) == _sameness()


@pytest.mark.parametrize("kind", [MemoryKind.FACT, MemoryKind.PREFERENCE])
def test_what_holds_is_the_same_in_any_session(kind: MemoryKind) -> None:
    elsewhere = replace(CONTENT, session="")
    assert _sameness(elsewhere, kind) == _sameness(CONTENT, kind)
    assert not needs_closeness(kind, None)


def test_what_happens_must_be_close_unless_it_says_when_it_was() -> None:
    for kind in (MemoryKind.MESSAGE, MemoryKind.EVENT, MemoryKind.SUMMARY):
        assert needs_closeness(kind, None)
        assert not needs_closeness(kind, THEN)


def test_close_is_a_minute() -> None:
    assert close(THEN, THEN + AGAIN_WITHIN)
    assert not close(THEN, THEN + AGAIN_WITHIN + timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("end", "before", "may"),
    [
        (None, None, True),
        (None, 1, True),
        (1, None, False),
        (1, 1, True),
        (2, 1, True),
        (1, 2, False),
    ],
)
def test_nothing_ends_earlier_because_it_was_told_again(
    end: int | None, before: int | None, may: bool
) -> None:
    moments = [None if n is None else THEN + timedelta(days=n) for n in (end, before)]
    assert ends_no_earlier(*moments) is may


def test_what_holds_counts_as_said_when_it_was_told_last() -> None:
    features = Features(np.zeros(2, np.float32), ("tea",), "", frozenset(), THEN)
    later = THEN + timedelta(days=3)
    once = told_again(features, MemoryKind.FACT, None, THEN + timedelta(days=1))
    twice = told_again(once, MemoryKind.FACT, None, later)
    assert (twice.time, twice.since) == (later, THEN)
    reread = decode_features(encode_features(twice))
    assert (reread.time, reread.since) == (later, THEN)
    assert told_again(features, MemoryKind.FACT, THEN, later) is features
    assert told_again(features, MemoryKind.MESSAGE, None, later) is features
