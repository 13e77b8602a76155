"""Trying weights out, and not fooling oneself."""

import numpy as np
import pytest

from benchmarks.ranking import Recalled, Trial, as_matrix, held_out, leave_one_out, variants

PARTS = ("dense", "speaker", "noise")


def recalled(conversation: str, points: list[list[float]]) -> Recalled:
    """Hits m0, m1...; m0 is the evidence."""
    ids = [f"m{i}" for i in range(len(points))]
    return Recalled(conversation, "1", frozenset({"m0"}), ids, np.array(points))


def trial() -> Trial:
    """The speaker finds the evidence at half its weight; noise only harms."""
    one = [[0.5, 0.3, 0.0], [0.6, 0.0, 0.0], [0.4, 0.0, 0.9], [0.3, 0.0, 0.8]]
    return Trial(PARTS, [recalled(name, one) for name in ("a", "b", "c")])


def test_a_part_switched_off_no_longer_counts():
    tried = trial()
    assert tried.score({})["mrr"] == pytest.approx(1 / 3)
    assert tried.score({"noise": 0.0})["mrr"] == 1.0
    assert tried.score({"noise": 0.0, "speaker": 0.0})["mrr"] == 0.5


def test_each_part_is_switched_off_and_only_the_first_keeps_the_scale():
    named = dict(variants(PARTS))
    assert named["without dense"] == {"dense": 0.0}
    assert named["noise x 2"] == {"noise": 2.0}
    assert "dense x 2" not in named


def test_fits_learn_from_the_other_conversations_alone():
    tried = trial()
    fits = leave_one_out(tried)
    assert set(fits) == {"a", "b", "c"}
    assert held_out(tried, fits)["mrr"] == 1.0
    other = recalled("c", [[0.5, 0.0, 0.0], [0.4, 0.05, 0.0]])
    odd = Trial(PARTS, [*tried.recalled[:2], other])
    assert odd.score({}, only="c")["mrr"] == 1.0
    assert odd.score(leave_one_out(odd)["c"], only="c")["mrr"] == 0.5


def test_two_conversations_are_too_few_to_leave_one_out():
    assert leave_one_out(Trial(PARTS, trial().recalled[:2])) == {}


def test_a_missing_part_gives_nothing_and_no_hits_make_an_empty_matrix():
    assert as_matrix([{"dense": 1.0}], PARTS).tolist() == [[1.0, 0.0, 0.0]]
    assert as_matrix([], PARTS).shape == (0, 3)
