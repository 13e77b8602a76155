"""A brief never goes over its budget, tells each memory once and says where from."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from memory.core.affect import Affect
from memory.core.context import Context
from memory.core.handover import MOODS, Brief, brief, mood, revealed
from memory.core.threads import Lack
from tests.unit.core.test_context import MAY, TOLD, _greedy, _told, _words

DAY = timedelta(days=1)
NOTHING = Brief([], [], [])
TOLD_OR_OVER = st.builds(replace, TOLD, until=st.sampled_from([None, None, MAY + DAY]))


@st.composite
def briefs(draw: st.DrawFn) -> Brief:
    said = draw(st.lists(TOLD_OR_OVER, max_size=20, unique_by=lambda told: told.id))
    part = st.lists(st.sampled_from(said), max_size=12, unique_by=lambda told: told.id)
    some = part if said else st.just([])
    return Brief(
        [(told, draw(st.sampled_from(Lack))) for told in draw(some)],
        draw(some),
        said,
        draw(st.sampled_from(["", "Mood, guessed from the last message that tells one"])),
    )


@given(of=briefs(), budget=st.integers(1, 300), count=st.sampled_from([_words, _greedy]))
def test_never_over_the_budget_and_every_mark_has_its_memory(of, budget, count) -> None:
    made = brief(of, budget, count)
    assert made == brief(of, budget, count)
    assert made.tokens == count(made.text) <= budget
    known = {told.id for told in (*of.holds, *of.said, *(told for told, _ in of.open))}
    assert set(made.cited) <= known
    assert len(set(made.cited)) == len(made.cited)
    marks = [line.split(" ")[0] for line in made.text.split("\n") if re.match(r"\[\d+\] ", line)]
    assert marks[: len(made.cited)] == [f"[{i + 1}]" for i in range(len(made.cited))]


@given(of=briefs())
def test_with_room_enough_everything_that_tells_something_is_told_once(of: Brief) -> None:
    made = brief(of, 100_000, _words)
    assert len(made.cited) == len(
        {
            (told.speaker, *re.findall(r"\w+", told.text.casefold()))
            for told in of.said
            if told.id in set(made.cited)
        }
    )
    assert (of.mood in made.text) is True
    assert revealed(of, {told.id: told for told in of.said}) == of
    assert revealed(of, {}) == replace(NOTHING, mood=of.mood)


def _brief() -> Brief:
    open_ = _told(3, "When does the  warranty\nend?", "user")
    task = replace(_told(4, "I'll send you the contract.", "assistant"), time=MAY + DAY)
    home = _told(1, "I live in Leeds.")
    jazz = replace(_told(2, "I love jazz and live in Bristol."), until=MAY + DAY)
    said = _told(5, "I have been waiting for three weeks.", "user")
    thanks = _told(6, "Ok, thanks!", "user")
    return Brief(
        [(task, Lack.DEED), (open_, Lack.ANSWER)],
        [home, jazz],
        [thanks, said, task, open_, jazz, home],
        mood([Affect(-0.6, 0.7), Affect(-0.2, 0.1)]),
    )


def test_told_under_headings_each_memory_once() -> None:
    made = brief(_brief(), 400, _words)
    assert made.text == (
        "Open\n"
        "[1] 9 May 2023, to do: assistant: I'll send you the contract.\n"
        "[2] 8 May 2023, asked: user: When does the warranty end?\n"
        "\n"
        "What holds\n"
        "[3] 8 May 2023: person_1: I live in Leeds.\n"
        "[4] 8 May 2023, partly until 9 May 2023: person_1: I love jazz and live in Bristol.\n"
        "\n"
        "Mood, guessed from the last 2 messages that tell one: rather bad (-0.40), "
        "frustration up to 0.70\n"
        "\n"
        "Last said\n"
        "[5] 8 May 2023: user: I have been waiting for three weeks."
    )
    assert [record.value[-1] for record in made.cited] == [4, 3, 1, 2, 5]


def test_a_small_budget_has_the_best_of_each_section() -> None:
    made = brief(replace(_brief(), mood=""), 70, _words)
    assert [record.value[-1] for record in made.cited] == [4, 1, 5]


def test_a_very_long_memory_is_cut() -> None:
    long = _told(1, "alpha beta gamma " * 100)
    made = brief(replace(NOTHING, said=[long]), 60, _words)
    assert made.text.endswith("…")
    assert made.tokens <= 60


def test_nothing_to_tell_or_no_room_is_an_empty_text() -> None:
    assert brief(NOTHING, 100, _words) == Context()
    assert brief(_brief(), 3, _words) == Context()


def test_mood_is_that_of_the_last_messages() -> None:
    assert mood([]) == ""
    old = [Affect(-1.0, 1.0)] * 3
    assert "the last 5 messages that tell one: rather good (0.50)" in mood(
        [*old, *[Affect(0.5, 0.0)] * MOODS]
    )
    assert mood([Affect(0.1, 0.0)]) == (
        "Mood, guessed from the last message that tells one: neither good nor bad (0.10), "
        "frustration up to 0.00"
    )
