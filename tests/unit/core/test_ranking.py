"""Ranking is deterministic, its parts add up, and each part pulls the way it says."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.content import Features
from memory.core.dates import QueryDates, query_dates
from memory.core.ranking import Query, nearest, rank

NAMES = st.frozensets(st.sampled_from(["person_1", "person_2", "location_1"]))
VECTORS = st.lists(st.floats(-1, 1, width=32), min_size=4, max_size=4)
TERMS = st.lists(st.sampled_from("abcde"), max_size=6).map(tuple)
NO_DATES = QueryDates(frozenset(), frozenset(), frozenset())
MAY = datetime(2023, 5, 8, tzinfo=UTC)


def _features(
    vector: list[float] | None = None,
    terms: tuple[str, ...] = (),
    speaker: str = "",
    entities: frozenset[str] = frozenset(),
    time: datetime = MAY,
) -> Features:
    return Features(np.array(vector or [1, 0, 0, 0], np.float32), terms, speaker, entities, time)


def _query(
    vector: list[float] | None = None,
    terms: tuple[str, ...] = (),
    entities: frozenset[str] = frozenset(),
    dates: QueryDates = NO_DATES,
) -> Query:
    return Query(np.array(vector or [1, 0, 0, 0], np.float32), terms, entities, dates)


FEATURES = st.builds(
    _features,
    vector=VECTORS,
    terms=TERMS,
    speaker=st.sampled_from(["", "person_1", "person_2"]),
    entities=NAMES,
    time=st.datetimes(timezones=st.just(UTC)),
)
QUERIES = st.builds(
    _query,
    vector=VECTORS,
    terms=TERMS,
    entities=NAMES,
    dates=st.sampled_from([NO_DATES, query_dates("in May 2023")]),
)


@given(candidates=st.lists(FEATURES, max_size=20), query=QUERIES)
def test_best_first_and_the_parts_add_up(candidates: list[Features], query: Query) -> None:
    ranked = rank(query, candidates, range(len(candidates)), 10)
    assert ranked == rank(query, candidates, range(len(candidates)), 10)
    assert len(ranked) == min(10, len(candidates))
    assert all(a.score >= b.score for a, b in pairwise(ranked))
    for r in ranked:
        assert sum(points for _, points in r.parts) == pytest.approx(r.score, abs=1e-9)


@pytest.mark.parametrize(
    ("fits", "other", "query"),
    [
        (_features(terms=("hike",)), _features(terms=("cook",)), _query(terms=("hike",))),
        (
            _features(speaker="person_1"),
            _features(speaker="person_2"),
            _query(entities=frozenset({"person_1"})),
        ),
        (
            _features(entities=frozenset({"person_3"})),
            _features(entities=frozenset({"person_2"})),
            _query(entities=frozenset({"person_3"})),
        ),
        (
            _features(time=MAY),
            _features(time=MAY.replace(month=9)),
            _query(dates=query_dates("in May 2023")),
        ),
    ],
    ids=["words", "speaker", "mention", "date"],
)
def test_what_the_query_asks_for_ranks_higher(
    fits: Features, other: Features, query: Query
) -> None:
    ranked = rank(query, [other, fits], [1, 0], 2)
    assert [r.index for r in ranked] == [1, 0]


def test_of_equals_the_newer_comes_first() -> None:
    ranked = rank(_query(), [_features()] * 3, [5, 9, 7], 3)
    assert [r.index for r in ranked] == [1, 2, 0]


def test_nothing_ranks_to_nothing() -> None:
    assert rank(_query(), [], [], 10) == []


def test_of_too_many_candidates_the_exactly_nearest_are_ranked() -> None:
    matrix = np.array([[x, 0, 0, 0] for x in (0.1, 0.9, 0.5, 0.7)], np.float32)
    query = np.array([1, 0, 0, 0], np.float32)
    assert nearest(matrix, query, 2) == [1, 3]
    assert nearest(matrix, query, 4) == [0, 1, 2, 3]
    assert nearest(matrix[:0], query, 4) == []
