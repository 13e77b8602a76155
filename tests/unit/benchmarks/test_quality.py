"""Metrics by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quality import DEPTH, NAMES, Answer, mean, score, summary


def answer(found: list[str], evidence: set[str], category: str = "1") -> Answer:
    return Answer("talk", category, found, evidence)


def test_evidence_first_is_perfect():
    assert score(answer(["a", "b"], {"a", "b"})) == dict.fromkeys(NAMES, 1.0)


def test_a_share_of_the_evidence_counts_as_that_share():
    found = score(answer(["x", "a", "x2", "x3", "x4", "b"], {"a", "b"}))
    assert found["recall@5"] == 0.5
    assert found["recall@10"] == 1.0
    assert found["mrr"] == 0.5
    ideal = 1 + 1 / math.log2(3)
    assert found["ndcg@10"] == pytest.approx((1 / math.log2(3) + 1 / math.log2(7)) / ideal)


def test_nothing_found_is_zero():
    assert score(answer([], {"a"})) == dict.fromkeys(NAMES, 0.0)


def test_no_system_gains_by_repeating_itself_or_by_answering_at_length():
    many = [f"x{i}" for i in range(DEPTH)]
    assert score(answer([*many, "a"], {"a"})) == dict.fromkeys(NAMES, 0.0)
    assert score(answer(["a", "a", "b"], {"a", "b"}))["ndcg@10"] == 1.0


def test_questions_weigh_alike_and_are_told_by_category():
    answers = [answer(["a"], {"a"}, "1"), answer(["x"], {"a"}, "2"), answer(["x"], {"a"}, "2")]
    assert mean(answers)["recall@5"] == pytest.approx(1 / 3)
    told = summary(answers)
    assert told["questions"] == 3
    assert told["categories"]["1"]["recall@5"] == 1.0  # type: ignore[index]
    assert told["categories"]["2"]["mrr"] == 0.0  # type: ignore[index]


@given(
    st.lists(st.sampled_from([f"m{i}" for i in range(80)]), unique=True),
    st.sets(st.sampled_from([f"m{i}" for i in range(80)]), min_size=1),
)
def test_metrics_stay_between_zero_and_one_and_grow_with_depth(found: list[str], wanted: set[str]):
    scored = score(answer(found, wanted))
    assert all(0 <= value <= 1 + 1e-9 for value in scored.values())
    recalls = [scored[f"recall@{k}"] for k in (5, 10, 20, 50)]
    assert recalls == sorted(recalls)
