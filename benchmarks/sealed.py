"""How long sealed mode takes to open a person's vectors, and to search them.

    python -m benchmarks.sealed --json FILE

One person of a sealed tenant has 10,000 memories, stored through Tacit in this process with
everything on, in SQLite. Opening reads the segments out of SQL, unseals them and makes the matrix;
before each opening what was open is dropped, as it is when idle. A search asks SQL which segments
there are and compares the query with every vector, exactly, for 100 candidates. A recall is all of
it: consent, detection in the query, embedding, search, opening and ranking of the candidates.

    results.open_ms.p50      results.search_ms.p50      results.recall_ms.p50
    results.first_recall_ms  the first recall of someone whose vectors are not open
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from benchmarks.frame import Figure, parser, publish, table
from benchmarks.made_texts import TextSource
from memory.app.candidates import NEAREST
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.draft import Draft
from memory.core.values import (
    Access,
    AssistantId,
    Caller,
    PersonId,
    PseudonymizedText,
    PurposeId,
    RawText,
    TenantId,
)

OPENINGS: Final = 20
SEARCHES: Final = 500
RECALLS: Final = 100
BATCH: Final = 256

CALLER: Final = Caller(TenantId("clinic"), AssistantId("benchmark"), frozenset())
PERSON: Final = PersonId("someone")
ACCESS: Final = Access(CALLER, PERSON, PurposeId("assistance"))


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    options_parser.add_argument("--memories", type=int, default=10_000, help="default %(default)s")
    options = options_parser.parse_args(arguments)
    texts = TextSource(options.seed)
    with TemporaryDirectory() as folder:
        settings = Path(folder) / "protection.toml"
        settings.write_text('protection = "sealed"\n')
        with open_tacit(Config(data=Path(folder) / "data", protection=settings)) as tacit:
            store(tacit, texts, options.memories)
            results = measure(tacit, texts)
    results["memories"] = options.memories
    rows: list[list[Figure]] = [
        [name, results[key]["p50"], results[key]["p95"]]
        for name, key in (("open", "open_ms"), ("search", "search_ms"), ("recall", "recall_ms"))
    ]
    rows.append(["first recall, not open", results["first_recall_ms"], None])
    title = f"Sealed mode, {options.memories} memories, milliseconds"
    publish("sealed", options, results, [table(title, ["", "p50", "p95"], rows)])


def store(tacit: Tacit, texts: TextSource, count: int) -> None:
    """Through the use case, and until every vector is in a segment."""
    tacit.consents.grant(CALLER, PERSON, ACCESS.purpose, CALLER.assistant)
    for start in range(0, count, BATCH):
        drafts = [Draft(RawText(text)) for text in texts.said(min(BATCH, count - start))]
        tacit.remember(ACCESS, drafts)
        sys.stderr.write(f"\r{start + len(drafts)} of {count} stored")
    sys.stderr.write("\n")
    while tacit.status().unindexed:
        time.sleep(0.05)


def measure(tacit: Tacit, texts: TextSource) -> dict[str, Any]:
    """Milliseconds by what was done, with the segments that there were."""
    matrices, keyring = tacit.indexer.matrices, tacit.recall.keyring
    with tacit.recall.store.read() as uow:
        person = uow.person(keyring.ref(CALLER.tenant, PERSON))
        assert person is not None
        segments = uow.segments(person.subject)
    keys = keyring.keys(person)
    queries = tacit.recall.encoder.encode([PseudonymizedText(t) for t in texts.asked(SEARCHES)])

    def search(number: int) -> None:
        with tacit.recall.store.read() as uow:
            matrices.query(uow, keys, queries[number % len(queries)], NEAREST)

    def reopen(number: int) -> None:
        with tacit.recall.store.read() as uow:
            matrices.open(uow, keys)

    def closed(_number: int) -> None:
        matrices.forget(person.subject)

    opened = timed(reopen, OPENINGS, before=closed)
    search(0)
    searched = timed(search, SEARCHES)
    asked = [RawText(text) for text in texts.asked(RECALLS + 1)]
    tacit.recall.candidates.opened.forget(person.subject)
    matrices.forget(person.subject)
    (first,) = timed(lambda _n: void(tacit.recall(ACCESS, asked[-1])), 1)
    recalled = timed(lambda n: void(tacit.recall(ACCESS, asked[n])), RECALLS)
    return {
        "open_ms": spread(opened),
        "search_ms": spread(searched),
        "recall_ms": spread(recalled),
        "first_recall_ms": first,
        "segments": len(segments),
    }


def void(_: object) -> None:
    """What came back is not measured."""


def timed(
    work: Callable[[int], None], times: int, before: Callable[[int], None] = void
) -> list[float]:
    """Milliseconds of each time."""
    taken = []
    for number in range(times):
        before(number)
        start = time.perf_counter()
        work(number)
        taken.append(1000 * (time.perf_counter() - start))
    return taken


def spread(taken: Sequence[float]) -> dict[str, float]:
    return {"p50": float(np.percentile(taken, 50)), "p95": float(np.percentile(taken, 95))}


if __name__ == "__main__":
    main()
