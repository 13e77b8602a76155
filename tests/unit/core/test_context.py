"""A context never goes over its budget, tells things once and in order, and says where from."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from memory.core.context import Context, Told, pack
from memory.core.saying import said
from memory.core.values import RecordId

MAY = datetime(2023, 5, 8, 13, 56, tzinfo=UTC)


def _words(text: str) -> int:
    return len(re.findall(r"\w+|[^\w\s]", text))


def _greedy(text: str) -> int:
    """Counts a whole more than its pieces, as a tokenizer may."""
    return _words(text) + text.count("\n") * 2


def _told(
    seq: int, text: str, speaker: str = "person_1", session: str = "s", time: datetime = MAY
) -> Told:
    return Told(RecordId(seq.to_bytes(16)), text, speaker, session, time, seq)


TOLD = st.builds(
    _told,
    seq=st.integers(0, 40),
    text=st.text(min_size=1, max_size=60).filter(str.strip)
    | st.sampled_from(["one two three", "a " * 200, "word" * 50]),
    speaker=st.sampled_from(["", "person_1", "person_2"]),
    session=st.sampled_from(["", "s", "t"]),
    time=st.integers(0, 3).map(lambda days: MAY + timedelta(days=days)),
)
RANKED = st.lists(TOLD, max_size=20, unique_by=lambda told: told.id)


@given(ranked=RANKED, budget=st.integers(1, 200), count=st.sampled_from([_words, _greedy]))
def test_never_over_the_budget_and_every_mark_has_its_memory(ranked, budget, count) -> None:
    context = pack(ranked, budget, count)
    assert context == pack(ranked, budget, count)
    assert context.tokens == count(context.text) <= budget
    assert set(context.cited) <= {memory.id for memory in ranked}
    assert len(set(context.cited)) == len(context.cited)
    marks = [line.split(" ")[0] for line in context.text.split("\n") if re.match(r"\[\d+\] ", line)]
    assert marks[: len(context.cited)] == [f"[{i + 1}]" for i in range(len(context.cited))]


@given(ranked=RANKED)
def test_with_room_enough_everything_is_told_once(ranked: list[Told]) -> None:
    context = pack(ranked, 100_000, _words)
    told = {
        (
            m.speaker,
            said(m.text, m.time.date()).saying or " ".join(re.findall(r"\w+", m.text.casefold())),
        )
        for m in ranked
    }
    assert len(context.cited) == len(told)


def test_what_says_the_same_is_told_once_and_leaves_its_place_to_something_else() -> None:
    ranked = [
        _told(1, "I love hiking in the mountains."),
        _told(2, "I really love to hike in mountains!"),
        _told(3, "I don't love hiking in the mountains."),
        _told(4, "I love hiking in the mountains.", "person_2"),
        _told(5, "Remind me to buy milk tomorrow."),
        _told(6, "Remind me to buy milk tomorrow.", time=MAY + timedelta(days=1)),
    ]
    assert pack(ranked, 200, _words).cited == tuple(ranked[i].id for i in (0, 2, 3, 4, 5))


def test_told_by_day_and_session_and_there_as_it_was_said() -> None:
    later = _told(1, "We ran  the\nrace.", session="t", time=MAY + timedelta(days=17))
    answer = _told(4, "How was it?", "person_2")
    first = _told(3, "I went to the group.")
    noted = _told(9, "Likes tea.", "", session="", time=MAY + timedelta(minutes=1))
    context = pack([later, answer, noted, first], 200, _words)
    assert context.text == (
        "8 May 2023\n"
        "[1] person_1: I went to the group.\n"
        "[2] person_2: How was it?\n"
        "\n"
        "8 May 2023\n"
        "[3] Likes tea.\n"
        "\n"
        "25 May 2023\n"
        "[4] person_1: We ran the race."
    )
    assert context.cited == (first.id, answer.id, noted.id, later.id)


def test_the_best_that_fit_come_in_and_what_is_too_long_is_passed_over() -> None:
    ranked = [_told(1, "one two three"), _told(2, "four " * 12), _told(3, "five six")]
    context = pack(ranked, 26, _words)
    assert context.cited == (ranked[0].id, ranked[2].id)


def test_a_very_long_memory_is_cut_at_a_word() -> None:
    context = pack([_told(1, "alpha beta gamma " * 100)], 40, _words)
    assert context.tokens <= 40
    assert context.text.endswith(("alpha…", "beta…", "gamma…"))
    unbroken = pack([_told(1, "あ" * 500)], 60, len)
    assert "ああ…" in unbroken.text


def test_nothing_to_tell_or_no_room_is_an_empty_text() -> None:
    assert pack([], 100, _words) == Context()
    assert pack([_told(1, "one two three")], 3, _words) == Context()
