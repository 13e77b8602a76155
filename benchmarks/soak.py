"""Whether a server stays as it is: a mixed load for half an hour, with all that wears meanwhile.

    python -m benchmarks.soak --json FILE [--minutes 30]

One `tacit serve`, four callers. Each has a few people, stores and recalls without pause, deletes a
memory now and then, and has a person forgotten who has many; another one begins in their place.
So as much is kept at the end as soon after the beginning. A key epoch is rotated every minute.
Every second the server is looked at from outside; figures are of what came after warm-up, which
is the first quarter.

    results.resident_mb           .after_warm_up, .end, .slope_per_hour (least squares)
    results.files                 the same of file handles
    results.index_lag             tasks: p95 and most
    results.calls.KIND            count, p50_ms, p95_ms, p99_ms of the whole run
    results.errors                by status; empty is good
    results.forgotten, .rotations
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count, cycle
from typing import Any, Final

import grpc
import numpy as np

from benchmarks.frame import Figure, parser, publish, table
from benchmarks.made_texts import TextSource
from benchmarks.process import open_files, resident_bytes
from benchmarks.server import Client, RunningServer, tacit_server
from memory.v1.core_pb2 import Memory

CALLERS: Final = 4
PEOPLE_EACH: Final = 5
MOST_MEMORIES: Final = 120
"""Of a person; whoever has so many is forgotten."""

WORKS: Final = {"recall": 65, "store": 32, "delete": 3}
"""How often each comes."""

SAMPLE_SECONDS: Final = 1.0
ROTATE_SECONDS: Final = 60.0
WARM_UP: Final = 0.25


class Load:
    """What the callers did."""

    def __init__(self, client: Client, seed: int) -> None:
        self.client = client
        self.times: dict[str, list[float]] = {}
        self.errors: Counter[str] = Counter()
        self.stop = threading.Event()
        self._texts = TextSource(seed)
        self._queries = cycle(self._texts.asked(500))
        self._numbers = count()
        self._lock = threading.Lock()

    def call(self, seed: int) -> None:
        """One caller, until it is told to stop."""
        chance = random.Random(seed)
        mine: dict[str, list[str]] = {}
        while not self.stop.is_set():
            if len(mine) < PEOPLE_EACH:
                with self._lock:
                    person = f"person{next(self._numbers)}"
                self._timed("grant", self.client.grant, person)
                # At different ages, so that not all of them are forgotten at once.
                share = MOST_MEMORIES * len(mine) // PEOPLE_EACH
                mine[person] = self._store(person, share) if share else []
            person = chance.choice(list(mine))
            (work,) = chance.choices(list(WORKS), list(WORKS.values()))
            if len(mine[person]) >= MOST_MEMORIES:
                self._timed("forget", self.client.forget, person)
                del mine[person]
            elif work == "recall":
                with self._lock:
                    query = next(self._queries)
                self._timed("recall", self.client.recall, person, query, 10)
            elif work == "store" or not mine[person]:
                mine[person] += self._store(person, 1)
            else:
                name = mine[person].pop(chance.randrange(len(mine[person])))
                self._timed("delete", self.client.delete, name)

    def _store(self, person: str, memories: int) -> list[str]:
        with self._lock:
            texts = self._texts.said(memories)
        kind = "store" if memories == 1 else "batch"
        told = [Memory(text=text, speaker="Ana") for text in texts]
        return self._timed(kind, self.client.store, person, told) or []

    def _timed(self, kind: str, call: Callable[..., Any], *arguments: object) -> Any:
        began = time.perf_counter()
        try:
            return call(*arguments)
        except grpc.RpcError as error:
            with self._lock:
                self.errors[error.code().name] += 1
            return None
        finally:
            took = (time.perf_counter() - began) * 1000
            with self._lock:
                self.times.setdefault(kind, []).append(took)


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    options_parser.add_argument("--minutes", type=float, default=30.0, help="default %(default)s")
    options = options_parser.parse_args(arguments)
    with tacit_server() as server:
        results = measure(server, options.minutes * 60, options.seed)
    calls, resident, files = results["calls"], results["resident_mb"], results["files"]
    rows: list[list[Figure]] = [
        [kind, *(figures[name] for name in ("count", "p50_ms", "p95_ms", "p99_ms"))]
        for kind, figures in calls.items()
    ]
    columns = ["", "after warm-up", "end", "slope an hour"]
    publish(
        "soak",
        options,
        results,
        [
            table(f"{options.minutes:g} minutes", ["", "calls", "p50, ms", "p95", "p99"], rows),
            table(
                "The server",
                columns,
                [["memory, MB", *resident.values()], ["file handles", *files.values()]],
            ),
            table(
                "Meanwhile",
                ["forgotten", "rotations", "index lag p95", "most", "errors"],
                [
                    [
                        results["forgotten"],
                        results["rotations"],
                        *results["index_lag"].values(),
                        sum(results["errors"].values()),
                    ]
                ],
            ),
        ],
    )


def measure(server: RunningServer, seconds: float, seed: int) -> dict[str, Any]:
    """The load, and what the server is like meanwhile."""
    load = Load(server.client(), seed)
    watcher = server.client()
    rotations = 0
    samples: list[tuple[float, float, int, int]] = []
    with ThreadPoolExecutor(CALLERS) as pool:
        callers = [pool.submit(load.call, seed + number) for number in range(CALLERS)]
        try:
            began = time.monotonic()
            for now in ticks(seconds):
                lag = watcher.status().unindexed_count
                memory = resident_bytes(server.pid) / 2**20
                samples.append((now, memory, open_files(server.pid), lag))
                if now > (rotations + 1) * ROTATE_SECONDS:
                    with suppress(grpc.RpcError):  # one that forgetting asked for is under way
                        watcher.rotate()
                    rotations += 1
                    sys.stderr.write(f"{now / 60:.0f} min: {memory:.0f} MB, {lag} to index\n")
            sys.stderr.write(f"{time.monotonic() - began:.0f} s\n")
        finally:
            load.stop.set()
    for caller in callers:
        caller.result()
    load.client.close()
    watcher.close()
    late = np.array(samples[int(len(samples) * WARM_UP) :])
    return {
        "seconds": seconds,
        "calls": {kind: _summary(times) for kind, times in sorted(load.times.items())},
        "resident_mb": course(late[:, 0], late[:, 1]),
        "files": course(late[:, 0], late[:, 2]),
        "index_lag": {"p95": float(np.percentile(late[:, 3], 95)), "most": float(late[:, 3].max())},
        "errors": dict(load.errors),
        "forgotten": len(load.times.get("forget", ())),
        "rotations": rotations,
    }


def ticks(seconds: float) -> Iterator[float]:
    """How much time has passed, about every second."""
    began = time.monotonic()
    while (now := time.monotonic() - began) < seconds:
        yield now
        time.sleep(max(0.0, SAMPLE_SECONDS - (time.monotonic() - began - now)))


def course(at: np.ndarray[Any, Any], values: np.ndarray[Any, Any]) -> dict[str, float]:
    """Medians of the first and the last tenth, and the slope in between."""
    tenth = max(1, len(values) // 10)
    slope = float(np.polyfit(at, values, 1)[0]) * 3600
    first, last = (float(np.median(part)) for part in (values[:tenth], values[-tenth:]))
    return {"after_warm_up": first, "end": last, "slope_per_hour": slope}


def _summary(times: Sequence[float]) -> dict[str, float]:
    p50, p95, p99 = (float(value) for value in np.percentile(times, [50, 95, 99]))
    return {"count": len(times), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}


if __name__ == "__main__":
    main()
