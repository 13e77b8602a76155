"""How cost grows: with the memories of one person, and with the people of a deployment.

    python -m benchmarks.scale --json FILE [--plot FILE.svg] [--memories N …] [--people N …]

Two deployments grow step by step, each a `tacit serve` as it comes. In one, a single person has
100, 1,000 and 10,000 memories; in the other, 10 and 1,000 people have ten memories each. At each
step the server is started anew over what is stored, and then called over gRPC by one caller.
`--memories 100 1000 10000 50000` and `--people 10 1000 10000` take longer. A million memories, for
hours, in as many runs as it takes: `--memories --people 10000 --each 100 --keep FOLDER`.

    results.memories.N, results.people.N
        .start_s                from the start of the process to the first recall that is answered
        .first                  p50 and p95 in milliseconds of first recalls since the start: of
                                the one person, or of people who were not recalled yet
        .recall, .store         the same of later calls; with many people, each call is about
                                somebody drawn at random
        .returning              recalls of the same ten people in turn
        .disk_bytes, .disk_bytes_each   of the data folder, and for each memory
        .resident_bytes, .files of the server after all calls
    results.growth              exponents of p50 over the amount: 0 is no growth, 1 is in step
    results.fit.disk, .resident bytes as fixed + each_memory * memories + each_person * people,
                                fitted to all steps by least squares of relative errors, of which
                                .worst is the largest
    results.in_turn.N           recalls of somebody drawn at random, with the fewest people and with
                                the most, both servers called in turn: a machine is faster at one
                                moment than at another
    results.people_ratio_p95    of these: the most people over the fewest (goal: 1.5)
"""

from __future__ import annotations

import random
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from rich.table import Table

from benchmarks.frame import Figure, parser, publish, table
from benchmarks.made_texts import TextSource
from benchmarks.process import open_files, resident_bytes
from benchmarks.scale_plot import svg
from benchmarks.server import BATCH, Client, tacit_server
from memory.v1.core_pb2 import Memory

MEMORIES: Final = (100, 1_000, 10_000)
PEOPLE: Final = (10, 1_000)
EACH: Final = 10
"""Memories of one of many people, unless told otherwise."""

FILLERS: Final = 4
SHARE: Final = 256
"""Batches that are made at a time."""

WARM_UP: Final = 20
RECALLS: Final = 300
TURN: Final = 30
"""Recalls from one server, before it is the other's turn."""

STORES: Final = 60
FIRST: Final = 100
"""People whose first recall is timed, if there are so many."""

RETURNING: Final = 10
GOALS: Final = {"people_ratio_p95": 1.5, "start_s": 5.0}

Step = dict[str, Any]
Steps = dict[int, Step]


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    options_parser.add_argument("--memories", type=int, nargs="*", default=MEMORIES, metavar="N")
    options_parser.add_argument("--people", type=int, nargs="*", default=PEOPLE, metavar="N")
    options_parser.add_argument("--each", type=int, default=EACH, help="default %(default)s")
    options_parser.add_argument(
        "--keep", type=Path, help="fill this folder, or what of it is empty"
    )
    options_parser.add_argument("--plot", type=Path, help="write the plot to this file (SVG)")
    options = options_parser.parse_args(arguments)
    each: int = options.each
    bench = Bench(TextSource(options.seed), random.Random(options.seed))
    with TemporaryDirectory(prefix="tacit-scale-", ignore_cleanup_errors=True) as temporary:
        folder = options.keep or Path(temporary)
        memories = bench.grow(
            folder / "memories", sorted(options.memories), lambda size: (["someone"], size)
        )
        sizes: list[int] = sorted(options.people)
        many = folder / "people"
        few = folder / "fewest" if sizes[1:] else many
        people = bench.grow(few, sizes[:1], _everyone(each))
        if sizes[1:] and not many.exists():
            shutil.copytree(few, many)
        people |= bench.grow(many, sizes[1:], _everyone(each))
        in_turn = bench.in_turn({sizes[0]: few, sizes[-1]: many}) if sizes[1:] else {}
    growth = {
        f"{kind}_with_{name}": exponent({n: s[kind]["p50_ms"] for n, s in grown.items()})
        for name, grown in (("memories", memories), ("people", people))
        for kind in ("recall", "store")
    }
    steps = [*memories.values(), *people.values()]
    results: dict[str, Any] = {
        "memories": memories,
        "people": people,
        "growth": growth,
        "fit": {
            "disk": fit([(s["memories"], s["people"], s["disk_bytes"]) for s in steps]),
            "resident": fit([(s["memories"], s["people"], s["resident_bytes"]) for s in steps]),
        },
        "each": each,
        "in_turn": in_turn,
        "goals": GOALS,
    }
    if in_turn:
        fewest, most = (step["p95_ms"] for step in in_turn.values())
        results["people_ratio_p95"] = most / fewest
    publish("scale", options, results, tables(results))
    if options.plot:
        curves = {
            f"{kind}, {what}": {n: step[kind]["p95_ms"] for n, step in grown.items()}
            for what, grown in (("memories of one", memories), ("people", people))
            for kind in ("recall", "store")
        }
        options.plot.parent.mkdir(parents=True, exist_ok=True)
        options.plot.write_text(svg(curves), encoding="utf-8")


def _everyone(each: int) -> Callable[[int], tuple[list[str], int]]:
    """So many people, with as many memories each."""
    return lambda size: ([f"person{n}" for n in range(size)], each)


class Bench:
    """Fills deployments and calls them."""

    def __init__(self, texts: TextSource, chance: random.Random) -> None:
        self._texts, self._chance = texts, chance
        self._queries = cycle(texts.asked(500))

    def grow(
        self, data: Path, sizes: Sequence[int], content: Callable[[int], tuple[list[str], int]]
    ) -> Steps:
        """Each size in turn, over one data folder; `content` says who is in it, with how many
        memories each. What the folder holds already is not stored again.
        """
        steps: Steps = {}
        for size in sizes:
            people, each = content(size)
            began = time.monotonic()
            with tacit_server(data) as server:
                client = server.client()
                before = client.status()
                if before.person_count < len(people):
                    # When a run was broken off, the last ones may have less than the others.
                    self._fill(client, people[max(0, before.person_count - FILLERS) :], each)
                else:
                    missing = len(people) * each - before.memory_count
                    self._fill(client, people, -(-missing // len(people)))
                client.wait_until_indexed()
                stored = client.status().memory_count
                client.close()
            new, seconds = stored - before.memory_count, time.monotonic() - began
            sys.stderr.write(f"{size}: {new} stored in {seconds:.0f} s\n")
            steps[size] = self._measure(data, people, stored)
        return steps

    def _fill(self, client: Client, people: Sequence[str], each: int) -> None:
        """So many memories of each of these people; none if there would be less."""
        batches = (
            (person, min(BATCH, each - at)) for person in people for at in range(0, each, BATCH)
        )
        with ThreadPoolExecutor(FILLERS) as pool:
            while few := list(islice(batches, SHARE)):
                said = [(person, self._said(size)) for person, size in few]
                list(pool.map(client.grant, dict.fromkeys(person for person, _ in few)))
                list(pool.map(lambda one: client.store(*one), said))

    def _said(self, count: int) -> list[Memory]:
        said = zip(self._texts.speakers(), self._texts.said(count), strict=False)
        return [Memory(text=text, speaker=who) for who, text in said]

    def _measure(self, data: Path, people: Sequence[str], memories: int) -> Step:
        disk = sum(file.stat().st_size for file in data.rglob("*") if file.is_file())
        drawn = self._chance.sample(people, min(FIRST + 1, len(people)))
        anyone = iter(lambda: self._chance.choice(people), None)
        began = time.perf_counter()
        with tacit_server(data) as server:
            client = server.client()
            first = self._recalls(client, drawn[:1])
            start = time.perf_counter() - began
            first = self._recalls(client, drawn[1:]) or first
            self._recalls(client, islice(anyone, WARM_UP))
            recalls = self._recalls(client, islice(anyone, RECALLS))
            same = self._recalls(client, islice(cycle(people[:RETURNING]), RECALLS))
            stores = self._stores(client, islice(anyone, STORES))
            client.wait_until_indexed()
            client.close()
            return {
                "start_s": start,
                "first": percentiles(first),
                "recall": percentiles(recalls),
                "returning": percentiles(same[len(same) // 2 :]),
                "store": percentiles(stores),
                "memories": memories,
                "people": len(people),
                "disk_bytes": disk,
                "disk_bytes_each": disk / memories,
                "resident_bytes": resident_bytes(server.pid),
                "files": open_files(server.pid),
            }

    def in_turn(self, deployments: dict[int, Path]) -> Steps:
        """Recalls of somebody drawn at random, from servers that are called in turn."""
        times: dict[int, list[float]] = {size: [] for size in deployments}
        with ExitStack() as stack:
            clients = {
                size: stack.enter_context(tacit_server(data)).client()
                for size, data in deployments.items()
            }
            for size, client in clients.items():
                self._recalls(client, [f"person{n % size}" for n in range(WARM_UP)])
            for _ in range(RECALLS // TURN):
                for size, client in clients.items():
                    drawn = [f"person{self._chance.randrange(size)}" for _ in range(TURN)]
                    times[size] += self._recalls(client, drawn)
            for client in clients.values():
                client.close()
        return {size: percentiles(taken) for size, taken in times.items()}

    def _recalls(self, client: Client, people: Iterable[str]) -> list[float]:
        """Milliseconds of one recall of each."""
        times = []
        for person in people:
            query = next(self._queries)
            began = time.perf_counter()
            client.hits(person, query, 10)
            times.append((time.perf_counter() - began) * 1000)
        return times

    def _stores(self, client: Client, people: Iterable[str]) -> list[float]:
        """Milliseconds of one store for each."""
        times = []
        for person in people:
            (memory,) = self._said(1)
            began = time.perf_counter()
            client.store_one(person, memory)
            times.append((time.perf_counter() - began) * 1000)
        return times


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """p50 and p95."""
    p50, p95 = np.percentile(milliseconds, [50, 95])
    return {"p50_ms": float(p50), "p95_ms": float(p95)}


def exponent(times: dict[int, float]) -> float:
    """The b of a curve a·n^b through these times, by least squares; 0 for a single one."""
    if len(times) < 2:
        return 0.0
    slope, _ = np.polyfit(np.log(list(times)), np.log(list(times.values())), 1)
    return float(slope)


def fit(points: Sequence[tuple[int, int, int]]) -> dict[str, float]:
    """Bytes over (memories, people, bytes); fewer than three points fix no such formula."""
    amounts = np.array([(1.0, memories, people) for memories, people, _ in points])
    sizes = np.array([size for *_, size in points], dtype=float)
    (fixed, memory, person), *_ = np.linalg.lstsq(
        amounts / sizes[:, np.newaxis], np.ones(len(points)), rcond=None
    )
    wrong = amounts @ (fixed, memory, person) / sizes - 1
    return {
        "fixed": float(fixed),
        "each_memory": float(memory),
        "each_person": float(person),
        "worst": float(abs(wrong).max()),
    }


def tables(results: dict[str, Any]) -> list[Table]:
    """Both growths, and what the goals say."""
    heads = ["recall p50", "p95", "store p50", "p95", "first p50", "p95", "start, s"]
    heads += ["disk, KB each", "memory, MB", "files"]

    def rows(steps: Steps) -> list[list[Figure]]:
        return [
            [
                f"{size:,}",
                *(step[k][p] for k in ("recall", "store", "first") for p in ("p50_ms", "p95_ms")),
                step["start_s"],
                step["disk_bytes_each"] / 1024,
                step["resident_bytes"] / 2**20,
                step["files"],
            ]
            for size, step in steps.items()
        ]

    people: Steps = results["people"]
    start = list((people or results["memories"]).values())[-1]["start_s"]
    goals: list[list[Figure]] = [
        ["start to first recall, most people, s", start, GOALS["start_s"]],
    ]
    if "people_ratio_p95" in results:
        ratio = results["people_ratio_p95"]
        goals.append(["recall p95, most people over fewest", ratio, GOALS["people_ratio_p95"]])
    return [
        table(
            "Memories of one person, milliseconds", ["memories", *heads], rows(results["memories"])
        ),
        table(f"People with {results['each']} memories each", ["people", *heads], rows(people)),
        table(
            "Two servers in turn, recalls of anyone, milliseconds",
            ["people", "p50", "p95"],
            [[f"{n:,}", one["p50_ms"], one["p95_ms"]] for n, one in results["in_turn"].items()],
        ),
        table("Goals", ["", "measured", "at most"], goals),
        table(
            "Bytes, fitted",
            ["", "fixed, MB", "a memory, KB", "a person, KB", "worst error"],
            [
                [
                    name,
                    fitted["fixed"] / 2**20,
                    fitted["each_memory"] / 1024,
                    fitted["each_person"] / 1024,
                    fitted["worst"],
                ]
                for name, fitted in results["fit"].items()
            ],
        ),
        table("Growth of p50", ["", "exponent"], [[k, v] for k, v in results["growth"].items()]),
    ]


if __name__ == "__main__":
    main()
