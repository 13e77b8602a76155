"""Two servers on one PostgreSQL and one Chroma server: what one acknowledged, the other obeys.

Under `make stress` 500 withdrawals with 8 callers beside them.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from server.demo.process import ServerProcess
from tests.contract.chroma_server import ChromaProcess
from tests.e2e.actor import Actor

ROUNDS, ROUNDS_IN_STRESS = 15, 500
CALLERS, CALLERS_IN_STRESS = 2, 8


class Load(threading.Thread):
    """Someone else's assistant, who stores and recalls without pause."""

    def __init__(self, server: ServerProcess, stopping: threading.Event) -> None:
        super().__init__(daemon=True)
        self._server, self._stopping = server, stopping
        self.calls = 0

    def run(self) -> None:
        person = f"other-{uuid.uuid4().hex}"
        with Actor(self._server) as actor:
            actor.grant(person)
            while not self._stopping.is_set():
                actor.store(person, [f"note {self.calls}"])
                actor.recall(person, "note")
                self.calls += 1


@pytest.fixture
def replicas(
    tmp_path: Path, new_postgres_database: Callable[[], str]
) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    with ChromaProcess(tmp_path / "chroma") as chroma:
        shared = (
            *("--database", new_postgres_database()),
            *("--chroma", chroma.url),
            *("--kek", f"file:{tmp_path / 'kek'}"),
        )
        servers = tuple(ServerProcess(tmp_path / name, shared) for name in ("one", "two"))
        try:
            for server in servers:
                server.start()
            yield servers  # type: ignore[misc]
        finally:
            for server in servers:
                server.kill()


@pytest.mark.timeout(1_800)
def test_a_withdrawal_holds_for_the_next_call_on_the_other_server(
    replicas: tuple[ServerProcess, ServerProcess], stress: bool
) -> None:
    stopping = threading.Event()
    count = CALLERS_IN_STRESS if stress else CALLERS
    callers = [Load(replicas[i % 2], stopping) for i in range(count)]
    for caller in callers:
        caller.start()
    with Actor(replicas[0]) as one, Actor(replicas[1]) as two:
        pairs = ((one, two), (two, one))
        for round_ in range(ROUNDS_IN_STRESS if stress else ROUNDS):
            here, there = pairs[round_ % 2]
            person = f"jane-{uuid.uuid4().hex}"
            here.grant(person)
            there.store(person, ["I keep bees"])
            assert [m.text for m in there.recall(person, "bees")] == ["I keep bees"]
            here.withdraw(person)
            _refused(there.recall, person, "bees")
            _refused(there.store, person, ["and hens"])
            here.grant(person)
            assert [m.text for m in there.recall(person, "bees")] == ["I keep bees"]
    stopping.set()
    for caller in callers:
        caller.join(60)
        assert caller.calls > 0


def _refused(call: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(grpc.RpcError) as error:
        call(*arguments)
    assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED
