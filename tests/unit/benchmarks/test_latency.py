"""The race's arithmetic, that all sides are served alike, and who takes part."""

import json
import sys

import pytest

from benchmarks.latency import Measured, all_ratios, in_turn, load, peers, race, ratios
from benchmarks.made_texts import TextSource
from benchmarks.sides import ChromaSide, Timings


class Recorder:
    """A side that takes a fixed time for each call and remembers what it was given."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.given: list[tuple[str, list[object], int]] = []

    def load(self, texts):
        return self._do("load", texts, 1)

    def store(self, texts, callers):
        return self._do("store", texts, callers)

    def recall(self, queries, callers):
        return self._do("recall", queries, callers)

    def _do(self, what, work, callers):
        self.given.append((what, list(work), callers))
        return Timings((self.seconds,) * len(work), self.seconds * len(work) / callers, 0.001)


def test_a_side_twice_as_slow_has_twice_the_median_and_half_the_throughput():
    tacit, chroma = Recorder(0.002), Recorder(0.001)
    kinds = race({"tacit": tacit, "chroma": chroma}, TextSource(1), rounds=2)
    found = ratios(kinds, "chroma")
    assert found["recall_p50"] == pytest.approx(2.0)
    assert found["store_p95"] == pytest.approx(2.0)
    assert found["throughput_16"] == pytest.approx(0.5)


def test_mem0_has_ratios_of_its_own_only_when_it_took_part():
    sides = {"tacit": Recorder(0.002), "chroma": Recorder(0.001), "mem0": Recorder(0.004)}
    kinds = race(sides, TextSource(1), rounds=3)
    found = all_ratios(kinds)
    assert found["ratio"] == ratios(kinds, "chroma")
    assert found["ratio"]["recall_p50"] == pytest.approx(2.0)
    assert found["ratio_mem0"]["recall_p50"] == pytest.approx(0.5)
    assert found["ratio_mem0"]["store_p50"] == pytest.approx(0.5)
    assert found["ratio_mem0"]["throughput_16"] == pytest.approx(2.0)
    del kinds["mem0"]
    assert all_ratios(kinds) == {"ratio": found["ratio"]}


@pytest.mark.parametrize("missing", ["mem0", "langchain"])
def test_without_mem0_the_race_goes_on_and_says_so(missing, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, missing, None)
    assert peers() == {"chroma": ChromaSide}
    told = capsys.readouterr().err
    assert missing in told
    assert "docs/measuring.md" in told


def test_all_sides_get_the_same_work_and_no_text_comes_twice():
    tacit, chroma, mem0 = Recorder(0.001), Recorder(0.001), Recorder(0.001)
    sides = {"tacit": tacit, "chroma": chroma, "mem0": mem0}
    texts = TextSource(1)
    load(sides, texts, 20)
    warm_up = len(tacit.given)
    race(sides, texts, rounds=3)
    assert tacit.given[warm_up:] == chroma.given[warm_up:] == mem0.given[warm_up:]
    assert {callers for _, _, callers in tacit.given} == {1, 16}
    flat = [
        json.dumps(work[-1] if isinstance(work, tuple) else work)
        for _, given, _ in tacit.given
        for work in given
    ]
    assert len(flat) == len(set(flat))


def test_the_sides_take_turns_to_go_first():
    sides = {"tacit": None, "chroma": None}
    assert in_turn(sides, 0) == ["tacit", "chroma"]  # type: ignore[arg-type]
    assert in_turn(sides, 1) == ["chroma", "tacit"]  # type: ignore[arg-type]
    three = dict.fromkeys(("tacit", "chroma", "mem0"))
    orders = [in_turn(three, number) for number in range(4)]  # type: ignore[arg-type]
    assert [order[0] for order in orders] == ["tacit", "chroma", "mem0", "tacit"]
    assert all(set(order) == set(three) for order in orders)


def test_what_was_put_off_is_told_by_call():
    measured = Measured()
    measured.add(Timings((0.01, 0.03), 0.04, put_off=0.1))
    figures = measured.figures()
    assert figures["p50_ms"] == pytest.approx(20.0)
    assert figures["put_off_ms_each"] == pytest.approx(50.0)
    assert figures["per_second"] == pytest.approx(50.0)
