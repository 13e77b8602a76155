"""How long it takes to forget someone of whom much is kept, and what others feel of it.

    python -m benchmarks.forgetting --json FILE [--memories 10000]

One `tacit serve` keeps many memories of one person and some of others, all stored over gRPC. The
others are recalled without pause by one caller, first with nothing else going on, then while the
one person is forgotten with the key epoch destroyed at once. Erasures are asked for by another
caller, every 50 ms.

    results.key_s.p50, .worst           from the call until the person's key is destroyed
    results.certificate_s.p50, .worst   from the call until the certificate is signed, which is
                                        after the key epoch is destroyed
    results.others_p95_ms.before, .meanwhile, .ratio   recalls of the others, all rounds together
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import cycle
from statistics import median
from typing import Final

import numpy as np

from benchmarks.frame import Figure, parser, publish, table
from benchmarks.made_texts import TextSource
from benchmarks.server import Client, tacit_server
from memory.v1.core_pb2 import Memory
from memory.v1.subject_rights_service_pb2 import Erasure

OTHERS: Final = ("amara", "bela")
OTHERS_MEMORIES: Final = 500
BEFORE_SECONDS: Final = 20.0
WARM_UP: Final = 50
POLL_SECONDS: Final = 0.05

Samples = list[tuple[float, float]]
"""When a recall began, and the milliseconds it took."""


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Seconds from the call on, and the recalls of others before it and while it went on."""

    key: float
    certificate: float
    before: list[float]
    meanwhile: list[float]


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    options_parser.add_argument("--memories", type=int, default=10_000, help="default %(default)s")
    options_parser.add_argument("--rounds", type=int, default=1, help="default %(default)s")
    options = options_parser.parse_args(arguments)
    texts = TextSource(options.seed)
    queries = cycle(texts.asked(200))
    with tacit_server() as server:
        client, watcher = server.client(), server.client()
        for person in OTHERS:
            fill(client, texts, person, OTHERS_MEMORIES)
        rounds = []
        for number in range(options.rounds):
            fill(client, texts, f"someone{number}", options.memories)
            client.wait_until_indexed()
            rounds.append(measure(client, watcher, f"someone{number}", queries))
        client.close()
        watcher.close()
    before, meanwhile = (
        float(np.percentile([ms for r in rounds for ms in getattr(r, name)], 95))
        for name in ("before", "meanwhile")
    )
    results = {
        "memories": options.memories,
        "rounds": options.rounds,
        "key_s": _summary([r.key for r in rounds]),
        "certificate_s": _summary([r.certificate for r in rounds]),
        "others_p95_ms": {"before": before, "meanwhile": meanwhile, "ratio": meanwhile / before},
        "others_recalls": {
            "before": sum(len(r.before) for r in rounds),
            "meanwhile": sum(len(r.meanwhile) for r in rounds),
        },
    }
    rows: list[list[Figure]] = [
        [name, figures["p50"], figures["worst"]]
        for name, figures in (
            ("key destroyed", results["key_s"]),
            ("certificate", results["certificate_s"]),
        )
    ]
    publish(
        "forgetting",
        options,
        results,
        [
            table(f"Forgetting {options.memories:,} memories, seconds", ["", "p50", "worst"], rows),
            table(
                "Recalls of others, 95th percentile",
                ["before, ms", "meanwhile, ms", "ratio"],
                [[before, meanwhile, meanwhile / before]],
            ),
        ],
    )


def fill(client: Client, texts: TextSource, person: str, count: int) -> None:
    """Stores so many memories of a person."""
    client.grant(person)
    said = zip(texts.speakers(), texts.said(count), strict=False)
    client.store(person, [Memory(text=text, speaker=who) for who, text in said])
    sys.stderr.write(f"{count} memories of {person} stored\n")


def measure(client: Client, watcher: Client, person: str, queries: Iterator[str]) -> Forgetting:
    """Forgets a person while others are recalled."""
    samples: Samples = []
    stop = threading.Event()
    recalling = threading.Thread(target=recall, args=(client, queries, samples, stop.is_set))
    recalling.start()
    try:
        time.sleep(BEFORE_SECONDS)
        known = {erasure.name for erasure in watcher.erasures()}
        start = time.perf_counter()
        asking = threading.Thread(target=watcher.forget, args=(person,), kwargs={"at_once": True})
        asking.start()
        key = _until(watcher, known, Erasure.STATE_KEY_DESTROYED) - start
        end = _until(watcher, known, Erasure.STATE_DONE)
        asking.join()
    finally:
        stop.set()
        recalling.join()
    return Forgetting(
        key,
        end - start,
        [ms for begun, ms in samples[WARM_UP:] if begun < start],
        [ms for begun, ms in samples if start <= begun < end],
    )


def recall(
    client: Client, queries: Iterator[str], samples: Samples, stopped: Callable[[], bool]
) -> None:
    """Recalls the others in turn until it is stopped."""
    people = cycle(OTHERS)
    while not stopped():
        begun = time.perf_counter()
        client.hits(next(people), next(queries), 10)
        samples.append((begun, (time.perf_counter() - begun) * 1000))


def _until(watcher: Client, known: AbstractSet[str], state: int) -> float:
    """When the erasure that was not known before had come so far."""
    while not any(e.state >= state for e in watcher.erasures() if e.name not in known):
        time.sleep(POLL_SECONDS)
    return time.perf_counter()


def _summary(seconds: Sequence[float]) -> dict[str, float]:
    return {"p50": median(seconds), "worst": max(seconds)}


if __name__ == "__main__":
    main()
