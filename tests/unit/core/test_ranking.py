"""Ranking is deterministic, its parts add up, and each part pulls the way it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from memory.core.content import Features
from memory.core.corpus import Corpus, Layout, corpus, in_order
from memory.core.dates import QueryDates, query_dates
from memory.core.facts import CHANGES, SAYS, Claim
from memory.core.feedback import BOUND, TUNED
from memory.core.ranking import (
    PARTS,
    WEIGHTS,
    Query,
    Weights,
    aged,
    around,
    nearest,
    rank,
    replaced,
)
from memory.core.relative_dates import Days
from memory.core.rows import MemoryHead
from memory.core.values import RecordId

NAMES = st.frozensets(st.sampled_from(["person_1", "person_2", "location_1"]))
VECTORS = st.lists(st.floats(-1, 1, width=32), min_size=4, max_size=4)
TERMS = st.lists(st.sampled_from("abcde"), max_size=6).map(tuple)
TODAY = date(2023, 6, 21)
NO_DATES = QueryDates()
MAY = datetime(2023, 5, 8, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
ALONE = PARTS[:-2]
"""Those that do not depend on the list."""
CLAIMS = st.lists(
    st.builds(
        Claim, st.just(""), st.sampled_from(["home", "likes", SAYS, CHANGES]), TERMS.filter(bool)
    ),
    max_size=1,
).map(tuple)


def _features(
    vector: list[float] | None = None,
    terms: tuple[str, ...] = (),
    speaker: str = "",
    entities: frozenset[str] = frozenset(),
    time: datetime = MAY,
    asks: bool = False,
    claims: tuple[Claim, ...] = (),
    days: tuple[Days, ...] = (),
    saying: str = "",
    importance: float = 0.0,
) -> Features:
    exact = np.array(vector or [1, 0, 0, 0], np.float32)
    return Features(
        exact,
        terms,
        speaker,
        entities,
        time,
        asks,
        claims,
        days=days,
        saying=saying,
        importance=importance,
    )


def _head(seq: int, session: str = "") -> MemoryHead:
    return MemoryHead(RecordId(seq.to_bytes(16)), seq, 1, session.encode())


def _corpus(memories: list[tuple[Features, str]]) -> Corpus:
    """Stored one after the other, each with its session."""
    heads = [_head(seq, session) for seq, (_, session) in enumerate(memories)]
    ordered = in_order(heads)
    return corpus(ordered, [memories[head.seq][0] for head in ordered])


def _lone(*memories: Features) -> Corpus:
    return _corpus([(one, "") for one in memories])


def _seqs(ranked_of: Corpus, query: Query, limit: int = 10) -> list[int]:
    return [ranked_of.heads[r.index].seq for r in rank(query, ranked_of, limit)]


def _query(
    vector: list[float] | None = None,
    terms: tuple[str, ...] = (),
    entities: frozenset[str] = frozenset(),
    dates: QueryDates = NO_DATES,
    at: datetime | None = LATER,
    asked: date | None = None,
) -> Query:
    return Query(np.array(vector or [1, 0, 0, 0], np.float32), terms, entities, dates, at, asked)


FEATURES = st.builds(
    _features,
    vector=VECTORS,
    terms=TERMS,
    speaker=st.sampled_from(["", "person_1", "person_2"]),
    entities=NAMES,
    time=st.datetimes(timezones=st.just(UTC)),
    asks=st.booleans(),
    claims=CLAIMS,
    days=st.sampled_from([(), (Days(date(2023, 5, 1), date(2023, 5, 31)),)]),
    saying=st.sampled_from(["", "1", "2"]),
    importance=st.floats(0, 1),
)
MEMORIES = st.lists(st.tuples(FEATURES, st.sampled_from(["", "s", "t"])), max_size=20)
QUERIES = st.builds(
    _query,
    vector=VECTORS,
    terms=TERMS,
    entities=NAMES,
    dates=st.sampled_from([NO_DATES, query_dates("what did we do lately, in May 2023?", TODAY)]),
    asked=st.none() | st.dates(),
)


@given(memories=MEMORIES, query=QUERIES, limit=st.integers(1, 25))
def test_best_first_and_the_parts_add_up(
    memories: list[tuple[Features, str]], query: Query, limit: int
) -> None:
    searched = _corpus(memories)
    ranked = rank(query, searched, limit)
    assert ranked == rank(query, searched, limit)
    assert len(ranked) == min(limit, len(memories))
    order = [(-r.score, -searched.heads[r.index].seq) for r in ranked]
    assert order == sorted(order)
    assert ranked == rank(query, searched, len(memories) or 1)[:limit]
    for r in ranked:
        assert tuple(name for name, _ in r.parts) == PARTS
        assert sum(points for _, points in r.parts) == pytest.approx(r.score, abs=1e-9)


@given(memories=MEMORIES, query=QUERIES, cuts=st.sets(st.integers(1, 19), max_size=4))
def test_memories_laid_out_behind_others_rank_as_if_all_were_laid_out_at_once(
    memories: list[tuple[Features, str]], query: Query, cuts: set[int]
) -> None:
    layout, steps = Layout(room=20), []
    bounds = [0, *sorted(cut for cut in cuts if cut < len(memories)), len(memories)]
    for first, last in pairwise(bounds):
        heads = [_head(seq, memories[seq][1]) for seq in range(first, last)]
        steps.append(layout.add(heads, [f for f, _ in memories[first:last]]))
    for last, step in zip(bounds[1:], steps, strict=True):
        assert rank(query, step, 30) == rank(query, _corpus(memories[:last]), 30)


@given(memories=MEMORIES, query=QUERIES, data=st.data())
def test_the_parts_add_up_under_any_weights_of_a_persons_own_and_with_doubts(
    memories: list[tuple[Features, str]], query: Query, data: st.DataObject
) -> None:
    factor = st.floats(1 / BOUND, BOUND)
    weights = replace(
        WEIGHTS, **{part: data.draw(factor) * getattr(WEIGHTS, part) for part in TUNED}
    )
    searched = _corpus(memories)
    ids = frozenset(h.id for h in searched.heads if data.draw(st.booleans()))
    doubted = corpus(searched.heads, [memories[h.seq][0] for h in searched.heads], ids)
    ranked = rank(query, doubted, 30, weights=weights)
    assert ranked == rank(query, doubted, 30, weights=weights)
    for r in ranked:
        assert sum(points for _, points in r.parts) == pytest.approx(r.score, abs=1e-9)
        assert (dict(r.parts)["doubted"] == -2.0) == (doubted.heads[r.index].id in ids)


@given(memories=MEMORIES, query=QUERIES, data=st.data())
def test_only_what_is_asked_for_is_returned(
    memories: list[tuple[Features, str]], query: Query, data: st.DataObject
) -> None:
    searched = _corpus(memories)
    among = data.draw(
        st.lists(st.sampled_from(range(len(memories))), unique=True) if memories else st.just([])
    )
    ranked = rank(query, searched, 30, among=among)
    assert {r.index for r in ranked} == set(among)
    whole = {r.index: r.parts for r in rank(query, searched, 30)}
    for r in ranked:
        assert r.parts[: len(ALONE)] == whole[r.index][: len(ALONE)]


@given(
    memories=MEMORIES.filter(bool),
    said=st.lists(st.floats(0, 2), min_size=20, max_size=20),
    row=st.integers(0, 19),
    more=st.floats(0, 1),
    factor=st.floats(1 / BOUND, BOUND),
)
def test_who_fits_better_gains_most_by_it(
    memories: list[tuple[Features, str]],
    said: list[float],
    row: int,
    more: float,
    factor: float,
) -> None:
    own = replace(WEIGHTS, session=factor * WEIGHTS.session)
    searched = _corpus(memories)
    row %= len(memories)
    before = np.array(said[: len(memories)])
    after = before.copy()
    after[row] += more
    gained = _score(after, searched, own) - _score(before, searched, own)
    assert np.all(gained >= -1e-9)
    assert np.all(gained <= gained[row] + 1e-9)


def _score(said: NDArray[np.float64], searched: Corpus, weights: Weights) -> NDArray[np.float64]:
    parts = (
        said,
        *around(said, searched, weights),
        *replaced(said, searched, LATER, weights),
    )
    return np.sum(parts, axis=0)


def test_what_holds_no_more_ranks_behind_what_replaced_it_unless_that_is_asked_for() -> None:
    searched = _lone(
        _features([1, 0, 0, 0], claims=(Claim("", "home", ("leed",)),)),
        _features([0.8, 0.6, 0, 0], claims=(Claim("", "home", ("bristol",)),)),
        _features([0.9, 0, 0.4, 0]),
    )
    assert _seqs(searched, _query()) == [1, 2, 0]
    past, current = (dict(rank(_query(), searched, 3)[i].parts) for i in (2, 0))
    assert past["past"] == pytest.approx(-0.2)
    assert current["replaces"] == pytest.approx(0.65)
    assert _seqs(searched, _query(at=None)) == [0, 2, 1]
    assert _seqs(searched, _query(at=MAY - timedelta(days=1))) == [0, 2, 1]


def test_what_is_doubted_ranks_behind_and_replaces_nothing() -> None:
    memories = [
        _features([1, 0, 0, 0], claims=(Claim("", "home", ("leed",)),)),
        _features([0.8, 0.6, 0, 0], claims=(Claim("", "home", ("bristol",)),)),
        _features([0.3, 0, 0.4, 0]),
    ]
    heads = [_head(seq) for seq in range(3)]
    doubted = corpus(heads, memories, frozenset({heads[1].id}))
    assert _seqs(doubted, _query()) == [0, 2, 1]
    first, *_, last = rank(_query(), doubted, 3)
    assert dict(first.parts)["past"] == dict(last.parts)["replaces"] == 0
    assert dict(last.parts)["doubted"] == -2.0


@given(memories=MEMORIES.filter(bool), query=QUERIES, part=st.sampled_from(PARTS))
def test_a_weight_of_zero_switches_its_part_off(
    memories: list[tuple[Features, str]], query: Query, part: str
) -> None:
    for r in rank(query, _corpus(memories), 20, weights=Weights(**{part: 0.0})):
        assert dict(r.parts)[part] == 0


def test_what_answers_a_fitting_question_ranks_before_what_was_said_elsewhere() -> None:
    question = (_features([1, 0, 0, 0], asks=True), "s")
    answer = (_features([0, 1, 0, 0]), "s")
    later = (_features([0, 1, 0, 0]), "s")
    elsewhere = (_features([0, 1, 0, 0]), "t")
    searched = _corpus([elsewhere, question, answer, later])
    assert _seqs(searched, _query()) == [1, 2, 3, 0]
    parts = {searched.heads[r.index].seq: dict(r.parts) for r in rank(_query(), searched, 4)}
    assert parts[2]["answer"] == pytest.approx(0.2)
    assert parts[2]["neighbour"] == pytest.approx(0.1)
    assert parts[3]["answer"] == parts[3]["neighbour"] == 0
    assert parts[3]["session"] == pytest.approx(0.3)
    assert parts[0]["session"] == 0


def test_neighbours_are_of_one_session_and_stored_one_after_the_other() -> None:
    fits, other = _features([1, 0, 0, 0]), _features([0, 1, 0, 0])
    for sessions, numbers in ((b"st", (1, 2)), (b"ss", (1, 3)), (None, (1, 2))):
        heads = [
            MemoryHead(RecordId(bytes(16)), seq, 1, bytes([sessions[i]]) if sessions else b"")
            for i, seq in enumerate(numbers)
        ]
        ranked = rank(_query(), corpus(heads, [fits, other]), 2)
        assert [dict(r.parts)["neighbour"] for r in ranked] == [0, 0]


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
            _query(dates=query_dates("in May 2023", TODAY)),
        ),
    ],
    ids=["words", "speaker", "mention", "date"],
)
def test_what_the_query_asks_for_ranks_higher(
    fits: Features, other: Features, query: Query
) -> None:
    assert _seqs(_lone(fits, other), query) == [0, 1]


@given(
    query=QUERIES,
    memory=FEATURES,
    older=st.integers(0, 4000),
    less=st.floats(0, 1),
)
def test_the_newer_and_the_more_important_of_two_gets_more(
    query: Query, memory: Features, older: int, less: float
) -> None:
    query = replace(query, asked=date(2090, 1, 1))
    newer = replace(memory, time=datetime(2080, 1, 1, tzinfo=UTC))
    aged_one = replace(newer, time=newer.time - timedelta(days=older))
    lesser = replace(newer, importance=less * newer.importance)
    recent, important = aged(query, _lone(newer, aged_one, lesser))
    assert recent[0] >= recent[1]
    assert important[0] >= max(important[1], important[2])
    assert 0 <= recent.min() <= recent.max() <= WEIGHTS.recent
    assert 0 <= important.min() <= important.max() <= WEIGHTS.important


def test_being_recent_and_being_important_have_half_lives() -> None:
    then = MAY.replace(hour=0)
    searched = _lone(
        *(_features(time=then - timedelta(days=days), importance=0.8) for days in (-3, 0, 30, 365))
    )
    recent, important = aged(_query(asked=then.date()), searched)
    assert recent.tolist() == pytest.approx([0.01, 0.01, 0.005, 0.01 * 0.5 ** (365 / 30)])
    assert important.tolist() == pytest.approx([0.08, 0.08, 0.08 * 0.5 ** (30 / 365), 0.04])
    dates = query_dates("what did I cook lately?", TODAY)
    assert aged(_query(dates=dates, asked=then.date()), searched)[0][0] == pytest.approx(0.1)


def test_what_tells_of_the_time_asked_for_ranks_like_what_was_said_then() -> None:
    september = MAY.replace(month=9)
    searched = _lone(
        _features(time=september, days=(Days(date(2023, 5, 8), date(2023, 5, 8)),)),
        _features(time=september, days=(Days(date(2022, 1, 1), date(2022, 12, 31)),)),
        _features(time=MAY),
    )
    query = _query(dates=query_dates("on 8 May 2023", TODAY))
    ranked = rank(query, searched, 3)
    assert ranked[2].index == 1
    parts = {r.index: dict(r.parts) for r in ranked}
    for row, date_points, told in ((0, 0, 0.2), (1, 0, 0), (2, 0.2, 0)):
        assert parts[row]["date"] == pytest.approx(date_points, abs=1e-6)
        assert parts[row]["told"] == pytest.approx(told, abs=1e-6)


def test_of_equals_the_newer_comes_first() -> None:
    heads = [_head(5), _head(9), _head(7)]
    ranked = rank(_query(), corpus(heads, [_features()] * 3), 2)
    assert [r.index for r in ranked] == [1, 2]


def test_nothing_ranks_to_nothing() -> None:
    assert rank(_query(), _lone(), 10) == []
    assert rank(_query(), _lone(_features()), 10, among=[]) == []


def test_of_too_many_candidates_the_exactly_nearest_are_ranked() -> None:
    matrix = np.array([[x, 0, 0, 0] for x in (0.1, 0.9, 0.5, 0.7)], np.float32)
    query = np.array([1, 0, 0, 0], np.float32)
    assert nearest(matrix, query, 2) == [1, 3]
    assert nearest(matrix, query, 4) == [0, 1, 2, 3]
    assert nearest(matrix[:0], query, 4) == []
