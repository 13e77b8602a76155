"""Everything of a person goes out, interrupted and continued, in elsewhere, and out again.

    python -m benchmarks.export --json FILE [--memories 10000]

One `tacit serve` is filled with one person's memories, every hundredth of them corrected once. The
person's archive is exported whole, then once more in calls that are cut off and continued, checked
with the deployment's key as it comes, and sent to another server whose instance is empty; what that
one exports must be the same, but for what docs/archive.md says may differ. Memory is the growth of
a server's resident set over the call, sampled every 10 ms. The first export of so many also fills
SQLite's page caches, of at most 8 MB a connection; the one after it shows what an export takes.

    results.first.growth_mb          of the server, over the first export of all memories
    results.export.growth_mb         the same, over the next one
    results.tenth.growth_mb          the same with a tenth of them: bounded memory shows as equal
    results.round_trip.equal         whether pseudonyms, memories and versions are the same
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final

import grpc

from benchmarks.frame import parser, publish, table
from benchmarks.made_texts import TextSource
from benchmarks.process import resident_bytes
from benchmarks.server import PURPOSE, RunningServer, tacit_server
from memory.config import load_config
from memory.core.archive import Reader, lines_of
from memory.core.signing import Verifier
from memory.v1.core_pb2 import AccessContext, Memory
from memory.v1.memory_service_pb2 import UpdateMemoryRequest
from memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from memory.v1.subject_rights_service_pb2 import ExportDataRequest, ImportDataRequest
from memory.v1.subject_rights_service_pb2_grpc import SubjectRightsServiceStub
from server.cli.session import mint_local

PERSON: Final = "ana"
CUT_AFTER: Final = 10
"""Pieces of 64 KB that come before the stream is cut off."""

CALL_SECONDS: Final = 600.0
_LIFETIME: Final = timedelta(hours=12)
_SAME: Final = frozenset({"pseudonym", "memory", "version"})
_SAMPLE_SECONDS: Final = 0.01


@dataclass(slots=True)
class Watched:
    """What a call took."""

    seconds: float = 0.0
    growth_mb: float = 0.0


class Rights:
    """One person's rights at one server."""

    def __init__(self, server: RunningServer) -> None:
        self.calls = 0
        """How many it took to export last."""
        config = load_config(environ={}, flags={"data": str(server.data)})
        scopes = ("data.export", "memory.reveal", "memory.write", "consent.manage")
        token = mint_local(
            config, tenant="benchmark", client="benchmark", scopes=scopes, lifetime=_LIFETIME
        )
        self._metadata = (("authorization", f"Bearer {token}"),)
        self._channel = grpc.insecure_channel(server.address.target)
        self._rights = SubjectRightsServiceStub(self._channel)
        self._memory = MemoryServiceStub(self._channel)

    def correct(self, names: Sequence[str], text: Callable[[], str]) -> None:
        for name in names:
            request = UpdateMemoryRequest(
                memory=Memory(name=name, text=text()), access=AccessContext(purpose=PURPOSE)
            )
            request.update_mask.paths.append("text")
            self._memory.UpdateMemory(request, timeout=CALL_SECONDS, metadata=self._metadata)

    def export(self, cut_after: int | None = None) -> Iterator[bytes]:
        """The archive's pieces; with `cut_after`, by as many calls as it takes."""
        request = ExportDataRequest(name=f"people/{PERSON}", reveal=True)
        self.calls = 0
        while True:
            self.calls += 1
            stream = self._rights.ExportData(request, timeout=CALL_SECONDS, metadata=self._metadata)
            for piece in islice(stream, cut_after):
                yield piece.data
                request.resume_token = piece.resume_token
            stream.cancel()  # type: ignore[no-untyped-call]
            if not request.resume_token:
                return

    def take_in(self, file: Path) -> int:
        """How many memories were stored."""

        def messages() -> Iterator[ImportDataRequest]:
            name = f"people/{PERSON}"
            yield ImportDataRequest(name=name, request_id=str(uuid.uuid4()))
            with file.open("rb") as source:
                while data := source.read(64 * 1024):
                    yield ImportDataRequest(data=data)

        taken = self._rights.ImportData(messages(), timeout=CALL_SECONDS, metadata=self._metadata)
        return taken.memory_count


@contextmanager
def watched(server: RunningServer) -> Iterator[Watched]:
    """Times a block, and sees how far the server's resident set grows in it."""
    made = Watched()
    before = peak = resident_bytes(server.pid)
    stop = threading.Event()

    def sample() -> None:
        nonlocal peak
        while not stop.wait(_SAMPLE_SECONDS):
            peak = max(peak, resident_bytes(server.pid))

    thread = threading.Thread(target=sample)
    thread.start()
    began = time.perf_counter()
    try:
        yield made
    finally:
        made.seconds = time.perf_counter() - began
        stop.set()
        thread.join()
        made.growth_mb = (max(peak, resident_bytes(server.pid)) - before) / 2**20


def check(pieces: Iterator[bytes], into: Path) -> tuple[Reader, str]:
    """Writes the archive and checks it as it comes; and a hash of what must be the same."""
    reader = Reader()
    same = sha256()

    def kept() -> Iterator[bytes]:
        with into.open("wb") as sink:
            for piece in pieces:
                sink.write(piece)
                yield piece

    for raw in lines_of(kept()):
        line = reader.read(raw)
        if line is not None and line.type in _SAME:
            same.update(raw)
    reader.verify(Verifier.parse(str(reader.header["signer"])))
    return reader, same.hexdigest()


def fill(server: RunningServer, rights: Rights, texts: TextSource, count: int) -> None:
    """Stores so many memories more, and corrects every hundredth."""
    client = server.client()
    client.grant(PERSON)
    names = client.store(
        PERSON,
        [
            Memory(text=text, speaker="Ana", session=f"s{n // 50}")
            for n, text in enumerate(texts.said(count))
        ],
    )
    rights.correct(names[::100], lambda: texts.said(1)[0])
    client.wait_until_indexed()
    client.close()


def main(arguments: Sequence[str] | None = None) -> None:
    made = parser(__doc__)
    made.add_argument("--memories", type=int, default=10_000, help="default %(default)s")
    options = made.parse_args(arguments)
    texts = TextSource(options.seed)
    with tacit_server() as here, tacit_server() as there:
        folder = here.data.parent
        home, away = Rights(here), Rights(there)
        tenth = options.memories // 10
        fill(here, home, texts, tenth)
        check(home.export(), folder / "warm.jsonl")
        with watched(here) as small:
            check(home.export(), folder / "tenth.jsonl")
        fill(here, home, texts, options.memories - tenth)
        with watched(here) as first:
            check(home.export(), folder / "warm.jsonl")
        with watched(here) as whole:
            reader, same = check(home.export(), folder / "whole.jsonl")
        with watched(here) as resumed:
            again, same_resumed = check(home.export(CUT_AFTER), folder / "resumed.jsonl")
        calls = home.calls
        warm = there.client()
        for person in (PERSON, "warm"):
            warm.grant(person)
        warm.store("warm", [Memory(text=text) for text in texts.said(200)])
        with watched(there) as import_:
            stored = away.take_in(folder / "resumed.jsonl")
        back, same_back = check(away.export(), folder / "back.jsonl")
        size = (folder / "whole.jsonl").stat().st_size / 1e6
    kept = {name: reader.counts[name] for name in ("pseudonyms", "memories", "versions")}
    equal = same == same_resumed == same_back and all(
        {name: each.counts[name] for name in kept} == kept for each in (again, back)
    )
    results = {
        "archive": {"mb": size, **kept},
        "tenth": {"seconds": small.seconds, "growth_mb": small.growth_mb},
        "first": {"seconds": first.seconds, "growth_mb": first.growth_mb},
        "export": {"seconds": whole.seconds, "growth_mb": whole.growth_mb},
        "resumed": {
            "seconds": resumed.seconds, "growth_mb": resumed.growth_mb, "calls": calls,
        },
        "import": {
            "seconds": import_.seconds, "growth_mb": import_.growth_mb, "memories": stored,
        },
        "round_trip": {"equal": equal},
    }  # fmt: skip
    rows = [
        [name, f"{each.seconds:.1f} s", f"{each.growth_mb:.1f} MB"]
        for name, each in (
            (f"export of {tenth}", small),
            (f"first export of {options.memories}", first),
            (f"export of {options.memories}", whole),
            (f"the same, cut off {calls - 1} times", resumed),
            (f"import of {stored}", import_),
        )
    ]
    rows.append(["round trip equal", "yes" if equal else "NO", json.dumps(kept)])
    publish(
        "export",
        options,
        results,
        [table(f"An archive of {size:.1f} MB", ["", "time", "server grew by"], rows)],
    )


if __name__ == "__main__":
    main()
