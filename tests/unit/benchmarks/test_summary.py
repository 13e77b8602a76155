"""The page of benchmarks is made of results alone."""

import pytest

from benchmarks.summary import page

RUN = {
    "name": "noisy",
    "commit": "abc",
    "machine": "two cores",
    "seed": 7,
    "date": "2026-11-26T08:00:00+00:00",
    "results": {"p95_ms": {"ratio": 1.2345}, "noise": {"refused_share": 0.98}},
}


def test_a_run_is_told_with_where_and_when_and_what_was_not_run_is_named():
    told = page([RUN])
    assert "| recalls beside a noisy tenant, p95 over alone | 1.23 |" in told
    assert "seed 7, commit abc, 2026-11-26T08:00:00+00:00, two cores." in told
    assert "latency" in told.rpartition("Not in these results:")[2]


def test_a_figure_that_the_results_lack_is_an_error():
    with pytest.raises(KeyError):
        page([RUN | {"results": {"noise": {"refused_share": 0.98}}}])
