"""The page of benchmarks is made of results alone."""

import pytest

from benchmarks.summary import figure, page

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


def test_a_star_stands_for_every_key_that_has_the_figure():
    told = page(
        [
            RUN
            | {
                "name": "observing",
                "results": {"off": {"ratio": 1.0}, "metrics": {"ratio": 1.02}, "calls": 500},
            }
        ],
        {"observing": "images/observing.svg"},
    )
    assert "| a recall, processor time over unobserved, off | 1 |" in told
    assert "| a recall, processor time over unobserved, metrics | 1.02 |" in told
    assert "calls" not in told
    assert "![observing](images/observing.svg)" in told


def test_where_a_star_finds_nothing_nothing_is_told():
    run = RUN | {"name": "leakage", "results": {"tacit": {"cross_person_linked": 0.002}}}
    told = page([run])
    assert "| equal texts of two people put together, tacit | 0.002 |" in told
    assert "named without any pair" not in told
    scale = {"people_ratio_p95": 1.1}
    assert "exponent" not in page([RUN | {"name": "scale", "results": scale}])


def test_figures_are_short_and_yes_is_a_word():
    assert [figure(v) for v in (True, 12345, 17_512.6, 0.12345, 3)] == [
        "yes", "12,345", "17,513", "0.123", "3",
    ]  # fmt: skip
