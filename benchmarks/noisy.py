"""What a tenant far over its quota does to another one's recalls.

    python -m benchmarks.noisy --json FILE [--over 50]

One `tacit serve` has a limit for one tenant (`limits`, 10 calls a second) and none for another. The
other one's caller recalls at a steady pace, in turns: alone, and while a process of the limited
tenant calls at fifty times its quota, whatever it is answered. Its 32 threads call at moments of
chance (Poisson processes), as many users do. That process has the lowest priority: its machine
would be another one, and what it takes of this one is no server's.

    results.p95_ms.alone, .beside, .ratio   the recalls of the tenant without a limit
    results.noise.offered_per_second, .passed_per_second, .refused_share
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import grpc
import numpy as np

from benchmarks.frame import parser, publish, table
from benchmarks.made_texts import TextSource
from benchmarks.server import Address, RunningServer, address_of, tacit_server
from memory.config import load_config
from memory.v1.core_pb2 import Memory

NOISY: Final = "noisy"
QUOTA: Final = 10
THREADS: Final = 32
MEMORIES: Final = 1_000
PEOPLE: Final = ("amara", "bela")
ROUNDS: Final = 5
ROUND_SECONDS: Final = 8.0
SETTLE_SECONDS: Final = 1.0
PACE_SECONDS: Final = 0.025
"""Between two recalls of the tenant that is measured."""


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    options_parser.add_argument("--over", type=float, default=50.0, help="default %(default)s")
    options = options_parser.parse_args(arguments)
    texts = TextSource(options.seed)
    with TemporaryDirectory() as folder:
        limits = Path(folder) / "limits.toml"
        limits.write_text(f"[tenants.{NOISY}]\ncalls_per_second = {QUOTA}\nburst = {QUOTA}\n")
        with tacit_server(None, "--limits", str(limits)) as server:
            results = measure(server, texts, QUOTA * options.over)
    p95, noise = results["p95_ms"], results["noise"]
    publish(
        "noisy",
        options,
        results,
        [
            table(
                "Recalls beside a noisy tenant, 95th percentile",
                ["alone, ms", "beside, ms", "ratio"],
                [[p95["alone"], p95["beside"], p95["ratio"]]],
            ),
            table(
                f"The noise, with a quota of {QUOTA} calls a second",
                ["offered/s", "passed/s", "refused"],
                [[noise["offered_per_second"], noise["passed_per_second"], noise["refused_share"]]],
            ),
        ],
    )


def measure(server: RunningServer, texts: TextSource, rate: float) -> dict[str, Any]:
    """Alone and beside the noise, in turns."""
    client = server.client()
    config = load_config(environ={}, flags={"data": str(server.data)})
    noisy = address_of(config, server.address.target, NOISY)
    for person in PEOPLE:
        client.grant(person)
        said = zip(texts.speakers(), texts.said(MEMORIES), strict=False)
        client.store(person, [Memory(text=text, speaker=who) for who, text in said])
    client.wait_until_indexed()
    queries, people = cycle(texts.asked(500)), cycle(PEOPLE)
    times: dict[str, list[float]] = {"alone": [], "beside": []}
    counts = np.zeros(2)

    def recalls() -> Iterator[float]:
        end = time.perf_counter() + ROUND_SECONDS
        while (begun := time.perf_counter()) < end:
            client.hits(next(people), next(queries), 10)
            yield (time.perf_counter() - begun) * 1000
            time.sleep(PACE_SECONDS)

    list(recalls())
    for number in range(ROUNDS):
        times["alone"] += recalls()
        with noise(noisy, rate) as told:
            time.sleep(SETTLE_SECONDS)
            times["beside"] += recalls()
        counts += told
        sys.stderr.write(f"round {number + 1} of {ROUNDS}\n")
    client.close()
    alone, beside = (float(np.percentile(times[side], 95)) for side in ("alone", "beside"))
    passed, refused = counts
    seconds = ROUNDS * (ROUND_SECONDS + SETTLE_SECONDS)
    return {
        "p95_ms": {"alone": alone, "beside": beside, "ratio": beside / alone},
        "p50_ms": {side: float(np.median(each)) for side, each in times.items()},
        "noise": {
            "offered_per_second": (passed + refused) / seconds,
            "passed_per_second": passed / seconds,
            "refused_share": refused / (passed + refused),
        },
    }


@contextmanager
def noise(address: Address, rate: float) -> Iterator[list[int]]:
    """Calls from a process of its own until the end; how many passed and were refused."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=call_away, args=(there, address, rate)
    )
    process.start()
    there.close()
    here.recv()
    told: list[int] = []
    yield told
    here.send(None)
    told += here.recv()
    process.join(60)


def call_away(pipe: Connection[Any, Any], address: Address, rate: float) -> None:
    """Asks for somebody's consent to be recorded, at a pace that heeds no refusal."""
    os.nice(19)
    client = address.client()
    stop = threading.Event()
    counts = [[0, 0] for _ in range(THREADS)]

    def work(mine: list[int], chance: random.Random) -> None:
        due = time.perf_counter()
        while not stop.is_set():
            try:
                client.grant("someone")
                mine[0] += 1
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                    raise
                mine[1] += 1
            due += chance.expovariate(rate / THREADS)
            stop.wait(max(0.0, due - time.perf_counter()))

    threads = [
        threading.Thread(target=work, args=(mine, random.Random(place)))
        for place, mine in enumerate(counts)
    ]
    for thread in threads:
        thread.start()
    pipe.send(None)
    pipe.recv()
    stop.set()
    for thread in threads:
        thread.join()
    passed, refused = (sum(mine[i] for mine in counts) for i in (0, 1))
    pipe.send([passed, refused])


if __name__ == "__main__":
    main()
