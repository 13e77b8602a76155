"""Trying weights out, and not fooling oneself."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from benchmarks.ranking import (
    Asked,
    Ranking,
    Trial,
    held_out,
    leave_one_out,
    switched_off,
    times,
    variants,
)
from memory.core.content import Features
from memory.core.corpus import corpus
from memory.core.dates import query_dates
from memory.core.ranking import PARTS, WEIGHTS, Query
from memory.core.rows import MemoryHead
from memory.core.values import RecordId

TODAY = date(2023, 6, 21)
AHEAD = np.array([1.0, 0.0], np.float32)


def ranking(name: str, *, misled: bool) -> Ranking:
    """m0 is the evidence. The question names who said m1 if `misled`, else who said m0."""
    when = datetime(2024, 1, 1, tzinfo=UTC)
    nearness, speakers = (
        ((1.0, 0.9), ("", "person_1")) if misled else ((0.5, 0.6), ("person_1", ""))
    )
    features = [
        Features(AHEAD * near, (), speaker, frozenset(), when)
        for near, speaker in zip(nearness, speakers, strict=True)
    ]
    heads = [MemoryHead(RecordId(bytes([i] * 16)), i, 1, b"") for i in range(2)]
    query = Query(AHEAD, (), frozenset({"person_1"}), query_dates("", TODAY))
    asked = [Asked(query, "1", frozenset({"m0"}))]
    return Ranking(name, corpus(heads, features), ["m0", "m1"], asked)


def trial() -> Trial:
    """The speaker misleads everywhere."""
    return Trial([ranking(name, misled=True) for name in ("a", "b", "c")])


def test_a_part_switched_off_no_longer_counts():
    tried = trial()
    assert tried.score(WEIGHTS)["mrr"] == 0.5
    assert tried.score(times(WEIGHTS, "speaker", 0.0))["mrr"] == 1.0


def test_each_part_is_switched_off_and_only_the_first_keeps_the_scale():
    named = dict(variants())
    assert named["all parts"] == WEIGHTS
    assert named["without dense"].dense == 0
    assert named["session x 2"].session == 2 * WEIGHTS.session
    assert "dense x 2" not in named
    assert len(list(switched_off())) == len(PARTS) + 2


def test_fits_learn_from_the_other_conversations_alone():
    tried = trial()
    fits = leave_one_out(tried)
    assert set(fits) == {"a", "b", "c"}
    assert held_out(tried, fits)["mrr"] == 1.0
    odd = Trial([*tried.rankings[:2], ranking("c", misled=False)])
    weights = leave_one_out(odd)["c"]
    assert weights.speaker < WEIGHTS.speaker
    assert odd.score(WEIGHTS, only="c")["mrr"] == 1.0
    assert odd.score(weights, only="c")["mrr"] == pytest.approx(0.5)


def test_two_conversations_are_too_few_to_leave_one_out():
    assert leave_one_out(Trial(trial().rankings[:2])) == {}
