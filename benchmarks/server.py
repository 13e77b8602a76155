"""A real `tacit serve` in a process of its own, for the length of a benchmark.

    with tacit_server() as server:
        memory = server.client()
        memory.grant("ana")
        names = memory.store("ana", [Memory(text="...")])
        names = memory.recall("ana", "what was it?", limit=10)

Rules:
- Everything is as a stranger would have it: the shipped models, default settings, an empty data
  folder, a token minted from the folder's own key. Nothing is imported from the server's inside
  but the minting.
- When the server dies, the last lines of its log are shown.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from benchmarks.frame import ROOT
from memory.config import Config, load_config
from memory.v1.consent_service_pb2 import GrantConsentRequest
from memory.v1.consent_service_pb2_grpc import ConsentServiceStub
from memory.v1.core_pb2 import AccessContext, Memory
from memory.v1.memory_service_pb2 import (
    BatchStoreMemoriesRequest,
    BuildContextRequest,
    BuildContextResponse,
    DeleteMemoryRequest,
    RecallMemoriesRequest,
    RecallMemoriesResponse,
    StoreMemoryRequest,
)
from memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from memory.v1.operator_service_pb2 import (
    GetStatusRequest,
    GetStatusResponse,
    RotateKeysRequest,
)
from memory.v1.operator_service_pb2_grpc import OperatorServiceStub
from memory.v1.subject_rights_service_pb2 import (
    Erasure,
    ForgetUserRequest,
    ListErasuresRequest,
)
from memory.v1.subject_rights_service_pb2_grpc import SubjectRightsServiceStub
from server.cli.session import mint_local

START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 45.0
CALL_SECONDS: Final = 120.0
INDEX_SECONDS: Final = 300.0
TENANT: Final = "benchmark"
PURPOSE: Final = "purposes/assistance"
BATCH: Final = 64

_TOKEN_LIFETIME: Final = timedelta(hours=12)
_SCOPES: Final = ("memory.read", "memory.write", "consent.manage", "data.erase")
_LOG_TAIL: Final = 2_000

_EAGER: Final = [(f"grpc.{which}_reconnect_backoff_ms", 50) for which in ("initial", "min", "max")]
"""By itself a channel that finds nobody waits for one second, then for more than two: so coarse
would a start be measured.
"""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens and what opens it; plain text, so another process can use it."""

    target: str
    token: str
    operator_token: str

    def client(self) -> Client:
        return Client(self)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that serves."""

    address: Address
    data: Path
    log: Path
    pid: int

    def client(self) -> Client:
        return self.address.client()


class Client:
    """The few calls that benchmarks need, one channel, safe to use from several threads."""

    def __init__(self, address: Address) -> None:
        self._channel = grpc.insecure_channel(
            address.target, [("grpc.max_receive_message_length", 64 * 1024 * 1024)]
        )
        self._memory = MemoryServiceStub(self._channel)
        self._consent = ConsentServiceStub(self._channel)
        self._rights = SubjectRightsServiceStub(self._channel)
        self._operator = OperatorServiceStub(self._channel)
        self._token = (("authorization", f"Bearer {address.token}"),)
        self._operator_token = (("authorization", f"Bearer {address.operator_token}"),)
        self._access = AccessContext(purpose=PURPOSE)

    def grant(self, person: str) -> None:
        """The person consents to all that follows."""
        request = GrantConsentRequest(parent=f"people/{person}", purpose=PURPOSE)
        self._consent.GrantConsent(request, timeout=CALL_SECONDS, metadata=self._token)

    def store(self, person: str, memories: Sequence[Memory]) -> list[str]:
        """Names of the stored memories, in their order; in batches."""
        names: list[str] = []
        for start in range(0, len(memories), BATCH):
            requests = [StoreMemoryRequest(memory=m) for m in memories[start : start + BATCH]]
            stored = self._memory.BatchStoreMemories(
                BatchStoreMemoriesRequest(
                    parent=f"people/{person}", access=self._access, requests=requests
                ),
                timeout=CALL_SECONDS,
                metadata=self._token,
            )
            names += [response.memory.name for response in stored.responses]
        return names

    def store_one(self, person: str, memory: Memory) -> None:
        """One StoreMemory call."""
        request = StoreMemoryRequest(parent=f"people/{person}", access=self._access, memory=memory)
        self._memory.StoreMemory(request, timeout=CALL_SECONDS, metadata=self._token)

    def hits(
        self, person: str, query: str, limit: int, asked: datetime | None = None
    ) -> RecallMemoriesResponse:
        """One RecallMemories call; `asked` is when, if not now."""
        request = RecallMemoriesRequest(
            parent=f"people/{person}",
            access=self._access,
            query=query,
            limit=limit,
            reference_time=timestamp(asked),
        )
        return self._memory.RecallMemories(request, timeout=CALL_SECONDS, metadata=self._token)

    def recall(
        self, person: str, query: str, limit: int, asked: datetime | None = None
    ) -> list[str]:
        """Names of the memories found, best first."""
        return [hit.memory.name for hit in self.hits(person, query, limit, asked).hits]

    def answers(self, person: str, query: str, limit: int) -> bytes:
        """What is found and how it scores, to the bit."""
        hits = [
            (h.memory.name, h.memory.text, h.score) for h in self.hits(person, query, limit).hits
        ]
        return repr(hits).encode()

    def delete(self, name: str) -> None:
        """One DeleteMemory call."""
        self._memory.DeleteMemory(
            DeleteMemoryRequest(name=name), timeout=CALL_SECONDS, metadata=self._token
        )

    def forget(self, person: str, *, at_once: bool = False) -> None:
        """One ForgetUser call."""
        request = ForgetUserRequest(name=f"people/{person}", at_once=at_once)
        self._rights.ForgetUser(request, timeout=CALL_SECONDS, metadata=self._token)

    def erasures(self) -> Sequence[Erasure]:
        """One ListErasures call: the newest, newest first."""
        request = ListErasuresRequest()
        return self._rights.ListErasures(
            request, timeout=CALL_SECONDS, metadata=self._token
        ).erasures

    def status(self) -> GetStatusResponse:
        """One GetStatus call."""
        return self._operator.GetStatus(
            GetStatusRequest(), timeout=CALL_SECONDS, metadata=self._operator_token
        )

    def rotate(self) -> None:
        """One RotateKeys call: a new key epoch is begun."""
        request = RotateKeysRequest(request_id=str(uuid.uuid4()))
        self._operator.RotateKeys(request, timeout=CALL_SECONDS, metadata=self._operator_token)

    def living_epochs(self) -> set[int]:
        """The key epochs that are not destroyed."""
        alive = (e for e in self.status().key_epochs if not e.HasField("destroy_time"))
        return {int(epoch.key_epoch) for epoch in alive}

    def context(
        self, person: str, query: str, tokens: int, asked: datetime | None
    ) -> BuildContextResponse:
        """One BuildContext call; `asked` is when, if not now."""
        request = BuildContextRequest(
            parent=f"people/{person}",
            access=self._access,
            query=query,
            max_tokens=tokens,
            reference_time=timestamp(asked),
        )
        return self._memory.BuildContext(request, timeout=CALL_SECONDS, metadata=self._token)

    def wait_until_indexed(self) -> float:
        """Returns when nothing waits for the index any more; the seconds it took."""
        start = time.monotonic()
        while time.monotonic() - start < INDEX_SECONDS:
            if not self.status().unindexed_count:
                return time.monotonic() - start
            time.sleep(0.02)
        raise SystemExit(f"the index was not built within {INDEX_SECONDS:.0f} s")

    def close(self) -> None:
        self._channel.close()


def address_of(config: Config, target: str, tenant: str = TENANT) -> Address:
    """The server with this configuration, as an assistant of this tenant calls it."""

    def mint(*scopes: str) -> str:
        return mint_local(
            config, tenant=tenant, client="benchmark", scopes=scopes, lifetime=_TOKEN_LIFETIME
        )

    return Address(target, mint(*_SCOPES), mint("operator"))


@contextmanager
def tacit_server(data: Path | None = None, *settings: str) -> Iterator[RunningServer]:
    """Starts a server on a free port and stops it at the end.

    `data` keeps the data folder; without it, a temporary one goes with the server. `settings` go
    onto its command line.

    Raises:
        SystemExit: it does not come up; with the end of its log.
    """
    with TemporaryDirectory(prefix="tacit-bench-", ignore_cleanup_errors=True) as temporary:
        folder = data or Path(temporary) / "data"
        log = Path(temporary) / "server.log"
        target = f"127.0.0.1:{_free_port()}"
        process = _start(folder, target, log, Path(temporary), settings)
        try:
            _wait_until_serving(process, target, log)
            config = load_config(environ={}, flags={"data": str(folder)})
            yield RunningServer(address_of(config, target), folder, log, process.pid)
            if process.poll() is not None:
                raise SystemExit(f"the server died ({process.returncode})\n{_tail(log)}")
        finally:
            _stop(process)


def _start(
    folder: Path, target: str, log: Path, cwd: Path, settings: Sequence[str]
) -> subprocess.Popen[bytes]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TACIT_")}
    paths = [str(ROOT), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    command = [sys.executable, "-m", "server.cli", "serve", *settings]
    with log.open("wb") as output:
        return subprocess.Popen(
            [*command, "--data", str(folder), "--listen", target],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def _wait_until_serving(process: subprocess.Popen[bytes], target: str, log: Path) -> None:
    serving = HealthCheckResponse.SERVING
    deadline = time.monotonic() + START_SECONDS
    with grpc.insecure_channel(target, _EAGER) as channel:
        health = HealthStub(channel)
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if health.Check(HealthCheckRequest(), timeout=2).status == serving:
                    return
            except grpc.RpcError:
                pass
            time.sleep(0.05)
    raise SystemExit(f"`tacit serve` did not come up\n{_tail(log)}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-_LOG_TAIL:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def timestamp(time: datetime | None) -> Timestamp | None:
    """The instant as the wire takes it."""
    if time is None:
        return None
    made = Timestamp()
    made.FromDatetime(time)
    return made
