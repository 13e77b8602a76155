"""Frustration by rules, and where no word list is asked at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.english import is_english
from memory.core.frustration import MAX_WORDS_CHARS, frustration


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("I am so annoyed with this", "said-so"),
        ("this is a waste of my time", "complaint"),
        ("the app doesn’t work", "not-served"),
        ("nobody ever answers my mails", "not-served"),
        ("I already told you", "repetition"),
        ("not again, the door won't open", "not-served"),
        ("I was charged twice", "not-served"),
        ("the same problem as before", "repetition"),
        ("ugh, what now", "said-so"),
        ("this is going around in circles", "complaint"),
        ("the parcel is two weeks late", "waiting"),
        ("I give up", "leaving"),
        ("I have been waiting here for three hours", "waiting"),
        ("let me speak to a manager", "leaving"),
        ("do it!!!", "exclamation"),
        ("what is this??", "disbelief"),
        ("I want this FIXED NOW please", "capitals"),
    ],
)
def test_each_rule_names_the_words_that_it_found(text: str, rule: str) -> None:
    score, cues = frustration(text, 0.0)
    assert score > 0
    (cue,) = [cue for cue in cues if cue.rule == rule]
    assert cue.words in text.replace("’", "'")


def test_a_calm_text_has_none() -> None:
    assert frustration("We moved the sofa to the other wall.", -0.9) == (0.0, ())
    assert frustration("This time I told him to keep asking her for the cake.", 0.0)[0] < 0.4
    assert frustration("I waited at the station for ten minutes.", 0.0) == (0.0, ())


def test_what_is_negated_does_not_count() -> None:
    assert frustration("I am not annoyed at all", 0.3) == (0.0, ())


def test_more_rules_mean_more_and_never_more_than_one() -> None:
    one, _ = frustration("I am annoyed", 0.0)
    many, _ = frustration(
        "I am annoyed!!! I already told you it doesn't work. USELESS JUNK??", -0.9
    )
    assert 0 < one < many <= 1


def test_a_warm_text_halves_it() -> None:
    assert frustration("thanks, it never worked before", 0.8)[0] == (
        frustration("thanks, it never worked before", 0.0)[0] / 2
    )


@given(st.text(), st.floats(-1, 1))
def test_any_text_is_judged_within_bounds(text: str, valence: float) -> None:
    score, cues = frustration(text, valence)
    assert 0 <= score <= 1
    assert all(len(cue.words) <= MAX_WORDS_CHARS for cue in cues)


@pytest.mark.parametrize(
    "text",
    [
        "Das ist so ein Mist, ich bin wütend",
        "Die Frau war in Rage und hat geweint",
        "je suis vraiment très fâché avec le service",
        "estoy muy enojado con el servicio",
        "sono molto arrabbiato con il servizio",
        "estou muito zangado com o serviço",
        "jag är mycket arg på er",
        "я очень зол",
        "我很生气",
        "42",
        "",
    ],
)
def test_another_language_is_not_english(text: str) -> None:
    assert not is_english(text)


@pytest.mark.parametrize(
    "text", ["This is terrible!!!", "I'm so tired of waiting", "it won’t start"]
)
def test_short_english_is(text: str) -> None:
    assert is_english(text)
