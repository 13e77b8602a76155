"""How long Store and Recall take over gRPC, beside plain Chroma without any of it.

    python -m benchmarks.latency --json FILE

All sides hold 1,000 memories of one person. Tacit is a `tacit serve` with everything on, called
over gRPC by a client process; plain Chroma runs in the process that calls it, with `documents=`
and fp32 MiniLM as its embedding function. They take turns, round by round, and never run at
the same time: what Tacit puts off until after the acknowledgement (indexing) is done before
another's turn, and its time is in the results. Recalls ask for 10. Every text and query is new.

Stores go on top of the 1,000, and equally many on all sides, after the recalls.

mem0 takes part where it is installed, though Tacit does not need it (`benchmarks.mem0_side` and
docs/measuring.md say how). It runs in the process that calls it, over Chroma in a local folder,
with the same fp32 encoder and `infer=False`.

    results.ratio.recall_p50      Tacit's median over Chroma's, one caller: below 1 is faster
    results.ratio.store_p50       the same for Store
    results.ratio.throughput_16   Tacit's recalls a second over Chroma's, sixteen callers: above
                                  1 is faster
    results.ratio_mem0            the same over mem0, when it took part
    results.recall_parts_ms       what a Recall does, in the process (`benchmarks.recall_parts`)
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from rich.table import Table

from benchmarks.frame import Figure, parser, progress, publish, table
from benchmarks.made_texts import TextSource
from benchmarks.recall_parts import Times, recall_parts
from benchmarks.server import tacit_server
from benchmarks.sides import PERSON, ChromaSide, Remote, Side, TacitSide, Timings, in_process

MANY: Final = 16
WARM_UP: Final = {1: 50, MANY: 640}
"""Recalls of so many callers before anything is timed. After some seconds of sixteen, Tacit has a
second process that recalls (docs/adr/0032-recall-processes.md)."""

RECALLS: Final = 30
STORES: Final = 10
RECALLS_OF_EACH: Final = 10
STORES_OF_EACH: Final = 3
"""Calls a round: of one caller, and of each of sixteen."""

MEM0_NEEDS: Final = ("mem0", "langchain", "posthog", "qdrant_client")
"""Modules that have to be there for mem0 to take part."""

PARTS_QUERIES: Final = 100
"""Recalls whose parts are timed."""

PATIENCE: Final = 150.0
"""Seconds after which no new round of recalls, or of stores, begins; at least two are run."""


@dataclass(slots=True)
class Measured:
    """All calls of one kind, by one side."""

    calls: list[float] = field(default_factory=list)
    wall: float = 0.0
    put_off: float = 0.0

    def add(self, timings: Timings) -> None:
        self.calls += timings.calls
        self.wall += timings.wall
        self.put_off += timings.put_off

    @property
    def per_second(self) -> float:
        return len(self.calls) / self.wall

    @property
    def p50(self) -> float:
        """Milliseconds."""
        return float(np.percentile(self.calls, 50)) * 1000

    @property
    def p95(self) -> float:
        """Milliseconds."""
        return float(np.percentile(self.calls, 95)) * 1000

    def figures(self) -> dict[str, float]:
        figures = {"p50_ms": self.p50, "p95_ms": self.p95, "per_second": self.per_second}
        if self.put_off:
            figures["put_off_ms_each"] = self.put_off * 1000 / len(self.calls)
        return figures | {"calls": len(self.calls)}


Kinds = dict[str, Measured]
"""recall, recall_16, store, store_16."""


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    options_parser.add_argument("--memories", type=int, default=1000, help="default %(default)s")
    options_parser.add_argument("--rounds", type=int, default=10, help="default %(default)s")
    options = options_parser.parse_args(arguments)
    texts = TextSource(options.seed)
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        loaded, kinds, parts = measure(Path(folder) / "data", texts, options)
    results = {
        **{side: {kind: m.figures() for kind, m in kinds[side].items()} for side in kinds},
        **all_ratios(kinds),
        "recall_parts_ms": parts,
        "load_seconds": loaded,
        "memories": options.memories,
        "rounds": options.rounds,
    }
    publish("latency", options, results, tables(kinds, parts))


def measure(
    folder: Path, texts: TextSource, options: argparse.Namespace
) -> tuple[dict[str, float], dict[str, Kinds], Times]:
    """The race, and then what a Recall is made of, over the memories that were raced with."""
    with tacit_server(folder) as server, ExitStack() as stack:
        sides = {"tacit": stack.enter_context(in_process(TacitSide, server.address))}
        for name, make in peers().items():
            sides[name] = stack.enter_context(in_process(make))
        loaded = load(sides, texts, options.memories)
        kinds = race(sides, texts, options.rounds)
    return loaded, kinds, recall_parts(folder, PERSON, texts.asked(PARTS_QUERIES))


def peers() -> dict[str, Callable[[], Side]]:
    """Whom Tacit is compared with, as far as they are installed; who is missing is told."""
    missing = [name for name in MEM0_NEEDS if find_spec(name) is None]
    if missing:
        progress(
            f"without mem0, for {', '.join(missing)} not installed: docs/measuring.md says how"
        )
        return {"chroma": ChromaSide}
    from benchmarks.mem0_side import Mem0Side

    return {"chroma": ChromaSide, "mem0": Mem0Side}


def load(sides: dict[str, Remote], texts: TextSource, count: int) -> dict[str, float]:
    """The same memories for all; the seconds until all are stored and indexed."""
    memories = list(zip(texts.speakers(), texts.said(count), strict=False))
    seconds = {}
    for name, side in sides.items():
        timings = side.load(memories)
        seconds[name] = timings.wall + timings.put_off
        sys.stderr.write(f"{name}: {count} memories in {seconds[name]:.1f} s\n")
        for callers, recalls in WARM_UP.items():
            side.recall(texts.asked(recalls), callers)
    return seconds


def race(sides: dict[str, Remote], texts: TextSource, rounds: int) -> dict[str, Kinds]:
    """All rounds of recalls, then all rounds of stores, the sides taking turns to go first."""
    speakers = texts.speakers()
    measured: dict[str, Kinds] = {
        name: {kind: Measured() for kind in ("recall", "recall_16", "store", "store_16")}
        for name in sides
    }
    for number in patiently(rounds):
        for callers, each, kind in ((1, RECALLS, "recall"), (MANY, RECALLS_OF_EACH, "recall_16")):
            queries = texts.asked(callers * each)
            for name in in_turn(sides, number):
                measured[name][kind].add(sides[name].recall(queries, callers))
    for number in patiently(rounds):
        for callers, each, kind in ((1, STORES, "store"), (MANY, STORES_OF_EACH, "store_16")):
            said = list(zip(speakers, texts.said(callers * each), strict=False))
            for name in in_turn(sides, number):
                measured[name][kind].add(sides[name].store(said, callers))
    return measured


def patiently(rounds: int) -> Iterator[int]:
    """The numbers of the rounds, fewer when they take long."""
    start = time.monotonic()
    for number in range(rounds):
        if number >= 2 and time.monotonic() - start > PATIENCE:
            sys.stderr.write(f"stopped after {number} of {rounds} rounds\n")
            return
        yield number


def in_turn(sides: dict[str, Remote], number: int) -> list[str]:
    """Who goes first changes with every round."""
    names = list(sides)
    first = number % len(names)
    return names[first:] + names[:first]


def all_ratios(kinds: dict[str, Kinds]) -> dict[str, dict[str, float]]:
    """`ratio`, over plain Chroma, and `ratio_mem0` when it took part."""
    found = {"ratio": ratios(kinds, "chroma")}
    return found | {"ratio_mem0": ratios(kinds, "mem0")} if "mem0" in kinds else found


def ratios(kinds: dict[str, Kinds], peer: str) -> dict[str, float]:
    """Tacit's figures over the peer's."""
    tacit, other = kinds["tacit"], kinds[peer]
    return {
        "recall_p50": tacit["recall"].p50 / other["recall"].p50,
        "recall_p95": tacit["recall"].p95 / other["recall"].p95,
        "store_p50": tacit["store"].p50 / other["store"].p50,
        "store_p95": tacit["store"].p95 / other["store"].p95,
        "throughput_16": tacit["recall_16"].per_second / other["recall_16"].per_second,
        "store_throughput_16": tacit["store_16"].per_second / other["store_16"].per_second,
    }


def tables(kinds: dict[str, Kinds], parts: Times) -> list[Table]:
    """Times of calls, then the ratios, then what a Recall is made of."""
    titles = {
        "recall": "Recall, 1 caller",
        "recall_16": "Recall, 16 callers",
        "store": "Store, 1 caller",
        "store_16": "Store, 16 callers",
    }
    rows: list[list[Figure]] = [
        [title, side, m.p50, m.p95, m.per_second]
        for kind, title in titles.items()
        for side in kinds
        for m in (kinds[side][kind],)
    ]
    found = all_ratios(kinds)
    ratio_rows: list[list[Figure]] = [
        [name, *(over[name] for over in found.values())] for name in found["ratio"]
    ]
    return [
        table("Milliseconds a call", ["", "side", "p50", "p95", "calls/s"], rows),
        table("Tacit over", ["", "plain Chroma", "mem0"][: 1 + len(found)], ratio_rows),
        table("A Recall in the process", ["", "ms"], [[part, ms] for part, ms in parts.items()]),
    ]


if __name__ == "__main__":
    main()
