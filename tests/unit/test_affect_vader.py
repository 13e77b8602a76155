"""Mood by word list and rules: the matter-of-fact has none, and who is frustrated is not glad."""

from __future__ import annotations

import pytest

from memory.adapters.affect_vader import VaderAffect
from memory.core.values import PseudonymizedText


@pytest.fixture(scope="module")
def estimator() -> VaderAffect:
    return VaderAffect()


@pytest.mark.parametrize(
    "text",
    [
        "Can you help me write a letter to the school?",
        "No, the other one, the blue folder.",
        "Please send the report to the team when you can.",
    ],
)
def test_asking_and_answering_is_no_mood(estimator: VaderAffect, text: str) -> None:
    affect = estimator.estimate(PseudonymizedText(text))
    assert affect is not None
    assert affect.valence == 0


def test_who_sounds_frustrated_is_in_no_good_mood(estimator: VaderAffect) -> None:
    text = "The form has rejected my postcode for the fourth time, as I said."
    affect = estimator.estimate(PseudonymizedText(text))
    assert affect is not None
    assert affect.frustration >= 0.3
    assert affect.valence <= -affect.frustration / 2


def test_unless_the_rest_of_it_is_very_good(estimator: VaderAffect) -> None:
    text = "I was charged twice, but it is a wonderful, beautiful day and I love it."
    affect = estimator.estimate(PseudonymizedText(text))
    assert affect is not None
    assert affect.valence > 0.5
