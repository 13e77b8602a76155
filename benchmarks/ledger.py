"""What the ledger costs: of a million events, and of every recall.

    python -m benchmarks.ledger --json FILE

First, a SQLite ledger is filled through the store, as the sequencer does it but in larger batches.
Then proofs are asked for at random places, the start-up check and the full check of the tree are
timed, and the file is weighed.

Then one Tacit with 1,000 memories of one person serves on two ports in one process of its own: on
one as it is, on the other with a ledger that writes nothing down, which exists in this benchmark
alone. One caller recalls over gRPC on both in turn, the same query on each.

    results.proof_ms.p50, .p95        one inclusion proof
    results.start_check_s             what a start waits for
    results.bytes_each                of an event: row, leaf, tile and index
    results.recall.added_p50_ms       median with the ledger less median without
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import io
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

import numpy as np

from benchmarks.frame import Figure, parser, publish, table
from benchmarks.made_texts import TextSource
from benchmarks.server import TENANT, Address, address_of
from memory.adapters.checkpoint_file import CheckpointFile
from memory.adapters.sql.store import SqlStore, open_store
from memory.app import sequencer as sequencing
from memory.app.ledger import Ledger
from memory.app.ledger_check import check_at_start
from memory.app.proofs import Proofs
from memory.app.sequencer import Sequencer
from memory.bootstrap import open_tacit
from memory.config import Config
from memory.core.signing import Signer
from memory.core.values import (
    AssistantId,
    PersonRef,
    PurposeId,
    RecordId,
    Secret,
    SubjectId,
    TenantId,
)
from memory.ports import AccessAction, AccessEvent, PersonRow, PersonState, WrappedKey
from memory.v1.core_pb2 import Memory
from server.app import Server
from server.logs import Log

PROOFS: Final = 500
PEOPLE: Final = 1_000
BATCH: Final = 10_000
MEMORIES: Final = 1_000
WARM_UP: Final = 50
PERSON: Final = "someone"
THEN: Final = datetime(2026, 1, 1, tzinfo=UTC)


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    options_parser.add_argument("--events", type=int, default=1_000_000, help="default %(default)s")
    options_parser.add_argument("--recalls", type=int, default=1_000, help="default %(default)s")
    options = options_parser.parse_args(arguments)
    results: dict[str, Any] = {"events": options.events}
    with TemporaryDirectory() as folder:
        results |= many(Path(folder), options.events, options.seed)
    results["recall"] = recalls(options.recalls, options.seed)
    recall, proof = results["recall"], results["proof_ms"]
    rows: list[list[Figure]] = [
        ["inclusion proof, p50, ms", proof["p50"]],
        ["inclusion proof, p95, ms", proof["p95"]],
        ["check at the start, s", results["start_check_s"]],
        ["full check of the tree, s", results["full_check_s"]],
        ["bytes an event", results["bytes_each"]],
    ]
    recall_rows: list[list[Figure]] = [
        [side, recall[side]["p50_ms"], recall[side]["p95_ms"]] for side in ("with", "without")
    ]
    recall_rows.append(["added", recall["added_p50_ms"], None])
    publish(
        "ledger",
        options,
        results,
        [
            table(f"A ledger of {options.events:,} events", ["", ""], rows),
            table("Recall over gRPC, milliseconds", ["ledger", "p50", "p95"], recall_rows),
        ],
    )


def many(folder: Path, count: int, seed: int) -> dict[str, Any]:
    """Fills a ledger, and measures it."""
    store = open_store(f"sqlite:///{folder / 'tacit.db'}")
    signer = Signer("benchmark", Secret(os.urandom(32)))
    file = CheckpointFile(folder / "ledger-checkpoint")
    sequencer = Sequencer(store, signer, file, lambda: datetime.now(UTC))
    people = [_person(store, number) for number in range(PEOPLE)]
    store.scrub()
    before = (folder / "tacit.db").stat().st_size
    start = time.perf_counter()
    _fill(store, sequencer, people, count)
    filled = time.perf_counter() - start
    store.scrub()
    weight = (folder / "tacit.db").stat().st_size - before
    proofs = Proofs(store, sequencer, signer.verifier)
    chosen = random.Random(seed)
    times = []
    for _ in range(PROOFS):
        leaf = _leaf(chosen.randrange(count))
        begin = time.perf_counter()
        proofs.inclusion(leaf)
        times.append((time.perf_counter() - begin) * 1000)
    start = time.perf_counter()
    check_at_start(store, signer.verifier, file)
    start_check = time.perf_counter() - start
    start = time.perf_counter()
    check_at_start(store, signer.verifier, file, tiles=None)
    full_check = time.perf_counter() - start
    store.close()
    return {
        "fill_s": filled,
        "proof_ms": {
            "p50": float(np.percentile(times, 50)),
            "p95": float(np.percentile(times, 95)),
        },
        "start_check_s": start_check,
        "full_check_s": full_check,
        "bytes_each": weight / count,
    }


def _person(store: SqlStore, number: int) -> SubjectId:
    subject = SubjectId(number.to_bytes(16, "big"))
    row = PersonRow(
        subject=subject,
        tenant=TenantId(TENANT),
        ref=PersonRef(number.to_bytes(32, "big")),
        state=PersonState.ACTIVE,
        key_version=1,
        wrapped_key=WrappedKey(1, bytes(60)),
        collection=str(number),
        created_at=THEN,
    )
    with store.write() as unit:
        unit.add_person(row)
        unit.commit()
    return subject


def _fill(store: SqlStore, sequencer: Sequencer, people: Sequence[SubjectId], count: int) -> None:
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        events = [(_event(people[number % PEOPLE], number), _leaf(number)) for number in numbers]
        with store.write() as unit:
            unit.add_access_events(events)
            unit.commit()
        with _batches_of(BATCH):
            sequencer.work()
        sys.stderr.write(f"\r{numbers[-1] + 1:,} of {count:,} events")
    sys.stderr.write("\n")


@contextmanager
def _batches_of(size: int) -> Iterator[None]:
    """So that filling does not take longer than measuring."""
    kept = sequencing.BATCH
    sequencing.BATCH = size  # type: ignore[misc]
    try:
        yield
    finally:
        sequencing.BATCH = kept  # type: ignore[misc]


def _event(subject: SubjectId, number: int) -> AccessEvent:
    return AccessEvent(
        id=RecordId(hashlib.sha256(b"id%d" % number).digest()[:16]),
        subject=subject,
        at=THEN + timedelta(milliseconds=number),
        assistant=AssistantId("companion"),
        purpose=PurposeId("assistance"),
        action=AccessAction.READ,
        memories=10,
    )


def _leaf(number: int) -> bytes:
    return hashlib.sha256(b"leaf%d" % number).digest()


def recalls(count: int, seed: int) -> dict[str, Any]:
    """Recalls with and without, in turn."""
    texts = TextSource(seed)
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve_both, args=(there,))
    process.start()
    there.close()
    try:
        addresses: dict[str, Address] = here.recv()
        clients = {name: address.client() for name, address in addresses.items()}
        clients["with"].grant(PERSON)
        said = zip(texts.speakers(), texts.said(MEMORIES), strict=False)
        clients["with"].store(PERSON, [Memory(text=text, speaker=who) for who, text in said])
        clients["with"].wait_until_indexed()
        times: dict[str, list[float]] = {name: [] for name in clients}
        for number, query in enumerate(texts.asked(WARM_UP + count)):
            names = list(clients) if number % 2 else list(clients)[::-1]
            for name in names:
                start = time.perf_counter()
                clients[name].hits(PERSON, query, 10)
                times[name].append((time.perf_counter() - start) * 1000)
    finally:
        here.close()
        process.join(60)
    figures = {
        name: {
            "p50_ms": float(np.percentile(each[WARM_UP:], 50)),
            "p95_ms": float(np.percentile(each[WARM_UP:], 95)),
        }
        for name, each in times.items()
    }
    added = figures["with"]["p50_ms"] - figures["without"]["p50_ms"]
    return {**figures, "added_p50_ms": added, "recalls": count}


class Silent:
    """A ledger that writes nothing down."""

    def record(self, *_: object) -> Silent:
        return self

    def wait(self) -> None: ...


def serve_both(pipe: Connection[Any, Any]) -> None:
    """One Tacit behind two servers, until the pipe is closed."""
    with TemporaryDirectory() as folder:
        config = Config(data=Path(folder) / "data", listen="127.0.0.1:0")
        with open_tacit(config) as tacit:
            silent = dataclasses.replace(tacit.recall, ledger=cast(Ledger, Silent()))
            sides = {"with": tacit, "without": dataclasses.replace(tacit, recall=silent)}

            async def run() -> None:
                servers = {n: Server(config, side, Log(io.StringIO())) for n, side in sides.items()}
                started = {name: await server.start() for name, server in servers.items()}
                pipe.send({name: address_of(config, target) for name, target in started.items()})
                await asyncio.to_thread(_wait, pipe)
                for server in servers.values():
                    await server.stop(5)

            asyncio.run(run())


def _wait(pipe: Connection[Any, Any]) -> None:
    try:
        pipe.recv()
    except EOFError:
        return


if __name__ == "__main__":
    main()
