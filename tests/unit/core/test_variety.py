"""A list does not say one thing over and over, and loses nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core import variety
from memory.core.content import Features
from memory.core.corpus import Corpus, corpus
from memory.core.dates import QueryDates
from memory.core.ranking import WEIGHTS, Query, rank
from memory.core.rows import MemoryHead
from memory.core.saying import said
from memory.core.values import RecordId

DAY = datetime(2023, 5, 8, tzinfo=UTC)
TERMS = ("hike", "mountain")


def _features(
    angle: float, saying: str = "", speaker: str = "", names: frozenset[str] = frozenset()
) -> Features:
    """Meaning as an angle from the query, in radians."""
    vector = np.array([np.cos(angle), np.sin(angle)], np.float32)
    return Features(vector, TERMS, speaker, names, DAY, saying=saying)


def _corpus(*memories: Features) -> Corpus:
    heads = [MemoryHead(RecordId(seq.to_bytes(16)), seq, 1, b"") for seq in range(len(memories))]
    return corpus(heads, memories)


def _saying(text: str, day: date | None = None) -> str:
    return said(text, day or DAY.date()).saying


QUERY = Query(np.array([1, 0], np.float32), (), frozenset(), QueryDates())
MEMORIES = st.lists(
    st.builds(
        _features,
        st.floats(0, 1),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["", "person_1"]),
        st.sampled_from([frozenset[str](), frozenset({"person_2"})]),
    ),
    max_size=30,
)


@given(memories=MEMORIES, limit=st.integers(1, 30))
def test_nothing_is_lost_and_a_longer_list_goes_on_from_a_shorter_one(
    memories: list[Features], limit: int
) -> None:
    searched = _corpus(*memories)
    whole = rank(QUERY, searched, 30)
    assert sorted(r.index for r in whole) == list(range(len(memories)))
    assert rank(QUERY, searched, limit) == whole[:limit]
    assert [r.score for r in whole] == sorted((r.score for r in whole), reverse=True)
    for r in whole:
        assert sum(points for _, points in r.parts) == pytest.approx(r.score, abs=1e-9)


@given(memories=MEMORIES)
def test_of_what_says_the_same_all_but_the_best_lose(memories: list[Features]) -> None:
    seen: set[tuple[str, frozenset[str], str]] = set()
    for r in rank(QUERY, _corpus(*memories), 30):
        one = memories[r.index]
        key = (one.speaker, one.entities, one.saying)
        again = one.saying != "" and key in seen
        assert dict(r.parts)["repeated"] == (-WEIGHTS.repeated if again else 0)
        seen.add(key)


def test_what_says_the_same_stands_behind_what_says_something_else() -> None:
    searched = _corpus(
        *(_features(0.1 + seq / 100, "hike") for seq in range(5)), _features(0.8), _features(0.75)
    )
    assert [r.index for r in rank(QUERY, searched, 10)] == [0, 6, 5, 1, 2, 3, 4]


def test_what_means_nearly_the_same_loses_by_how_near_it_is() -> None:
    searched = _corpus(_features(0.0), _features(np.arccos(0.9)), _features(np.arccos(0.7)))
    similar = {r.index: dict(r.parts)["similar"] for r in rank(QUERY, searched, 3)}
    assert similar[0] == 0
    assert similar[1] == pytest.approx(-0.1, abs=1e-3)
    assert similar[2] == pytest.approx(-0.2 * (np.cos(np.arccos(0.7) - np.arccos(0.9)) - 0.8) / 0.2)


@pytest.mark.parametrize(
    "other",
    [_features(0.0, "hike", "person_2"), _features(0.0, "hike", names=frozenset({"person_3"}))],
    ids=["speaker", "names"],
)
def test_another_speaker_or_another_name_says_something_else(other: Features) -> None:
    for r in rank(QUERY, _corpus(_features(0.0, "hike"), other), 2):
        assert dict(r.parts)["similar"] == dict(r.parts)["repeated"] == 0


def test_a_word_or_two_say_nothing_by_themselves() -> None:
    no = replace(_features(0.0), terms=())
    for r in rank(QUERY, _corpus(no, no), 2):
        assert dict(r.parts)["similar"] == dict(r.parts)["repeated"] == 0


def test_only_so_many_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variety, "MAX_COMPARED", 3)
    searched = _corpus(*(_features(seq / 100, "hike") for seq in range(9)))
    lost = [r.index for r in rank(QUERY, searched, 9) if dict(r.parts)["repeated"]]
    assert lost == [1, 2, 3]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I love hiking in the mountains.", "i really LOVE to hike in mountains!!"),
        ("Please remind me to buy milk", "Remind me to buy milk, please."),
        ("How do I reset my password?", "how can I reset my password"),
        ("I'm allergic to peanuts.", "I am allergic to peanuts"),
        ("person_1 plays the oboe.", "person_1 plays the oboe"),
    ],
)
def test_the_same_said_a_little_differently_is_the_same(one: str, other: str) -> None:
    assert _saying(one) == _saying(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I can eat nuts and gluten.", "I can't eat nuts and gluten."),
        ("My order has arrived.", "My order has not arrived."),
        ("My left knee hurts.", "My right knee hurts."),
        ("I take 5 mg a day.", "I take 10 mg a day."),
        ("I like tea, not coffee.", "I like coffee, not tea."),
        ("person_1 lent money to person_2.", "person_2 lent money to person_1."),
        ("The dentist is on Monday.", "The dentist is on Tuesday."),
    ],
)
def test_what_differs_in_what_matters_is_not_the_same(one: str, other: str) -> None:
    assert _saying(one) != _saying(other)


def test_the_same_words_may_mean_another_day() -> None:
    text = "Remind me to buy milk tomorrow."
    assert _saying(text, date(2023, 5, 8)) != _saying(text, date(2023, 5, 9))
    assert _saying("I took the pills.", date(2023, 5, 8)) == _saying(
        "I took the pills.", date(2023, 5, 9)
    )


@pytest.mark.parametrize("text", ["No.", "Yes, please!", "Hey", "Thanks a lot, really", "", "ok?"])
def test_a_text_without_words_that_carry_something_is_the_same_as_nothing(text: str) -> None:
    assert _saying(text) == ""
