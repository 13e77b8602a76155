"""Ratings move a person's own weights, within bounds, and nothing else."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.feedback import (
    BOUND,
    MAX_GAIN,
    MAX_RATINGS,
    TUNED,
    UNIT,
    Feedback,
    Gains,
    Rated,
    Rating,
    Standing,
    decode_feedback,
    encode_feedback,
    from_points,
    of_parts,
    standings,
    to_points,
)
from memory.core.ranking import PARTS, WEIGHTS
from memory.core.rows import MemoryHead
from memory.core.values import RecordId
from memory.errors import SealError

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
STEPS = st.lists(st.integers(-MAX_GAIN, MAX_GAIN), min_size=len(TUNED), max_size=len(TUNED)).map(
    tuple
)
RATED = st.builds(
    Rated,
    st.integers(0, 30).map(lambda n: RecordId(n.to_bytes(16))),
    st.integers(1, 3),
    st.sampled_from(Rating),
    st.integers(0, 10_000).map(lambda n: FIRST + timedelta(microseconds=n)),
    st.one_of(st.just(()), STEPS),
)
RATINGS = st.lists(RATED, max_size=40)
POINTS = st.lists(st.lists(st.floats(-1, 2), min_size=len(PARTS), max_size=len(PARTS)), max_size=8)


def _record(number: int) -> RecordId:
    return RecordId(number.to_bytes(16))


def _rated(number: int, rating: Rating = Rating.USEFUL, steps: Gains = (), day: int = 0) -> Rated:
    return Rated(_record(number), 1, rating, FIRST + timedelta(days=day, seconds=number), steps)


@given(RATINGS)
def test_whatever_the_ratings_no_weight_leaves_its_bounds_and_only_tuned_ones_move(
    ratings: list[Rated],
) -> None:
    weights = Feedback().rated(*ratings).weights
    for field in fields(WEIGHTS):
        now, everyones = getattr(weights, field.name), getattr(WEIGHTS, field.name)
        if field.name in TUNED:
            assert everyones / BOUND <= now <= everyones * BOUND
        else:
            assert now == everyones


def test_the_bounds_are_reached_and_not_passed() -> None:
    most = tuple([MAX_GAIN, -MAX_GAIN] + [0] * (len(TUNED) - 2))
    feedback = Feedback().rated(*(_rated(n, steps=most) for n in range(MAX_RATINGS)))
    assert list(feedback.factors.values()) == [BOUND, 1 / BOUND] + [1.0] * (len(TUNED) - 2)


@given(RATINGS, st.randoms(use_true_random=False))
def test_the_order_of_ratings_changes_nothing(ratings: list[Rated], dice: object) -> None:
    ratings = list({(one.record, one.at): one for one in ratings}.values())
    shuffled = list(ratings)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = Feedback().rated(*ratings), Feedback()
    for each in shuffled:
        other = other.rated(each)
    assert one == other
    assert one.weights == other.weights


@given(RATINGS, RATED)
def test_a_rating_taken_back_is_as_if_it_had_never_been_given(
    ratings: list[Rated], more: Rated
) -> None:
    before = Feedback().rated(*(one for one in ratings if one.record != more.record))
    after = before.rated(more)
    assert after.of({one.record for one in before.ratings}) == before


@given(RATINGS)
def test_what_is_sealed_comes_back_as_it_was(ratings: list[Rated]) -> None:
    feedback = Feedback().rated(*ratings)
    assert decode_feedback(encode_feedback(feedback)) == feedback
    for one in feedback.ratings:
        assert from_points(to_points(one.steps)) == one.steps


@pytest.mark.parametrize("data", [b"", b"{}", b'{"version":2,"parts":[],"ratings":[]}'])
def test_what_was_not_sealed_here_is_told(data: bytes) -> None:
    with pytest.raises(SealError):
        decode_feedback(data)


def test_parts_that_are_tuned_no_more_are_left_out() -> None:
    assert of_parts({"lexical": 5, "gone": 7}) == (5, *[0] * (len(TUNED) - 1))


def test_one_rating_teaches_nothing_and_more_of_the_same_do() -> None:
    steps = (1_000, -1_000, *[0] * (len(TUNED) - 2))
    assert Feedback().rated(_rated(0, steps=steps)).weights == WEIGHTS
    two = Feedback().rated(*(_rated(n, steps=steps) for n in range(2))).factors
    many = Feedback().rated(*(_rated(n, steps=steps) for n in range(9))).factors
    assert 1 < two["lexical"] < many["lexical"] < BOUND
    assert many["speaker"] == pytest.approx(1 / many["lexical"])
    against = [_rated(9, steps=tuple(-step for step in steps))]
    assert Feedback().rated(_rated(0, steps=steps), *against).weights == WEIGHTS


def test_of_one_memory_the_newest_rating_counts() -> None:
    old, new = _rated(1, Rating.WRONG), _rated(1, Rating.USEFUL, day=1)
    assert Feedback().rated(old, new).ratings == (new,)
    assert Feedback().rated(new).rated(old).ratings == (new,)


def test_of_too_many_the_oldest_go_and_doubts_last() -> None:
    doubt = _rated(0, Rating.WRONG)
    rest = [_rated(n) for n in range(1, MAX_RATINGS + 3)]
    kept = Feedback().rated(doubt, *rest).ratings
    assert kept == (doubt, *rest[3:])
    doubts = [_rated(n, Rating.WRONG) for n in range(MAX_RATINGS + 1)]
    assert Feedback().rated(*doubts).ratings == tuple(doubts[1:])


def test_a_memory_is_doubted_until_it_has_another_version() -> None:
    feedback = Feedback().rated(_rated(1, Rating.WRONG), _rated(2))
    heads = [MemoryHead(_record(n), n, 1, b"") for n in (1, 2, 3)]
    assert feedback.doubted(heads) == {_record(1)}
    assert feedback.doubted([MemoryHead(_record(1), 1, 2, b"")]) == frozenset()
    assert Feedback().doubted(heads) == frozenset()


def test_without_what_was_learnt_only_doubts_are_left() -> None:
    steps = (1,) * len(TUNED)
    feedback = Feedback().rated(_rated(1, Rating.WRONG, steps), _rated(2, steps=steps))
    assert feedback.unlearnt().ratings == (_rated(1, Rating.WRONG),)


@given(POINTS)
def test_shares_are_of_one_whole_and_who_fits_better_has_the_larger(
    points: list[list[float]],
) -> None:
    stood = standings(np.array(points).reshape(-1, len(PARTS)))
    assert len(stood) == len(points)
    if points:
        assert sum(one.share for one in stood) == pytest.approx(UNIT, abs=len(points))
    scores = [sum(row) for row in points]
    for one, score in zip(stood, scores, strict=True):
        for other, lower in zip(stood, scores, strict=True):
            assert score < lower or one.share >= other.share


def test_a_step_goes_where_a_part_told_the_memory_from_the_others() -> None:
    points = np.zeros((3, len(PARTS)))
    points[0, PARTS.index("lexical")] = 0.2
    points[2, PARTS.index("date")] = 0.1
    first, second, third = standings(points)
    place = TUNED.index("lexical")
    assert first.gains[place] == 2_000
    assert first.gains[TUNED.index("date")] < 0
    useful, useless = first.steps(Rating.USEFUL), first.steps(Rating.NOT_USEFUL)
    assert useful[place] > 0 > useless[place] == first.steps(Rating.WRONG)[place]
    assert useful[place] - useless[place] == pytest.approx(2_000, abs=1)
    assert second.gains[place] < 0
    assert third.share < first.share


def test_alone_a_memory_teaches_nothing() -> None:
    (alone,) = standings(np.ones((1, len(PARTS))))
    assert alone == Standing(UNIT, (0,) * len(TUNED))
    assert standings(np.empty((0, len(PARTS)))) == []
