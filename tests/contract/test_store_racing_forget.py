"""Store racing Forget on two servers: no memory survives the certificate.

Callers on both servers store without pause for a person whom another forgets. What was
acknowledged before the fence is erased, what comes after it is refused, and once the certificate
is there, nothing of that life of the person is left: not in SQL, not in Chroma. `make stress` runs
10,000 interleavings.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from chromadb import HttpClient

from memory.adapters.sql.tables import metadata
from server.demo.process import ServerProcess
from tests.contract.chroma_server import ChromaProcess
from tests.contract.conftest import administer
from tests.e2e.actor import Actor

CALLERS = 8
OUTLIVE = {"erasures", "rights_requests"}
"""Tables whose rows stay, and name nobody then."""

INTERLEAVINGS, INTERLEAVINGS_IN_STRESS = 40, 10_000

REFUSED = {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.FAILED_PRECONDITION}
"""Without consent, or while being forgotten."""


class Round(threading.Thread):
    """One caller: grants, stores until refused, forgets now and then."""

    def __init__(self, server: ServerProcess, stop: threading.Event, seed: int) -> None:
        super().__init__(daemon=True)
        self.server, self.stop, self.chance = server, stop, random.Random(seed)
        self.forgotten = self.stored = self.refused = 0
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                with Actor(self.server) as actor:  # its token lives for five minutes
                    for _ in range(50):
                        self._once(actor)
                        if self.stop.is_set():
                            return
        except BaseException as error:
            self.failure = error

    def _once(self, actor: Actor) -> None:
        person = f"p{self.chance.randrange(4)}"
        try:
            if self.chance.random() < 0.25:
                actor.forget(person)
                self.forgotten += 1
            else:
                actor.grant(person)
                actor.store(person, [f"secret {uuid.uuid4().hex}"])
                self.stored += 1
        except grpc.RpcError as error:
            if error.code() not in REFUSED:  # type: ignore[attr-defined]
                raise
            self.refused += 1


@pytest.fixture
def shared(
    tmp_path: Path, new_postgres_database: Callable[[], str]
) -> Iterator[tuple[list[ServerProcess], str, ChromaProcess]]:
    url = new_postgres_database()
    with ChromaProcess(tmp_path / "chroma") as chroma:
        settings = (
            *("--database", url),
            *("--chroma", chroma.url),
            *("--kek", f"file:{tmp_path / 'kek'}"),
        )
        servers = [ServerProcess(tmp_path / name, settings) for name in ("one", "two")]
        try:
            for server in servers:
                server.start()
            yield servers, url, chroma
        finally:
            for server in servers:
                server.kill()


@pytest.mark.timeout(4 * 3600)
def test_no_memory_survives_the_certificate(
    shared: tuple[list[ServerProcess], str, ChromaProcess], stress: bool
) -> None:
    servers, url, chroma = shared
    stop = threading.Event()
    callers = [Round(servers[n % 2], stop, n) for n in range(CALLERS)]
    for caller in callers:
        caller.start()
    wanted = INTERLEAVINGS_IN_STRESS if stress else INTERLEAVINGS
    while sum(c.stored + c.forgotten + c.refused for c in callers) < wanted:
        assert [c.failure for c in callers if c.failure] == []
        time.sleep(0.05)
    stop.set()
    for caller in callers:
        caller.join(120)
    assert [c.failure for c in callers if c.failure] == []
    with Actor(servers[0]) as actor:
        for number in range(4):
            actor.forget(f"p{number}")
        end = time.monotonic() + 120
        while (state := actor.status()).pending_erasure_count:
            assert time.monotonic() < end, state
            time.sleep(0.2)
    survivors = _rows(url)
    left = HttpClient(host="127.0.0.1", port=int(chroma.url.rpartition(":")[2])).count_collections()
    stored, forgotten = (sum(getattr(c, n) for c in callers) for n in ("stored", "forgotten"))
    print(
        f"\n{wanted} interleavings of {CALLERS} callers on 2 servers: {stored} stored, "
        f"{forgotten} forgotten, {sum(c.refused for c in callers)} refused; "
        f"{sum(survivors.values())} rows and {left} collections left"
    )
    assert forgotten > 0
    assert (survivors, left) == ({}, 0)


def _rows(url: str) -> dict[str, int]:
    """What is left of people, by table."""
    engine = administer(url)
    with engine.connect() as connection:
        counts = {
            name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
            for name, table in metadata.tables.items()
            if "subject" in table.c and name not in OUTLIVE
        }
        named = "SELECT count(*) FROM rights_requests WHERE subject IS NOT NULL"
        counts["rights_requests"] = connection.exec_driver_sql(named).scalar_one()
    engine.dispose()
    return {name: count for name, count in counts.items() if count}
