"""Three servers on one PostgreSQL and one Chroma server, and what happens to all of them.

Rules:
- `kill -9` for a replica and for Chroma; PostgreSQL drops every connection and recovers.
- Whatever ends is started again, as an orchestrator would; nothing else is done for it.
- Callers reach a replica over one channel that tries nothing again: they see each failure.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc

from server.demo.process import ServerProcess, ServerStartError
from tests.contract.chroma_server import ChromaProcess
from tests.contract.postgres_server import PostgresProcess
from tests.e2e.actor import Actor

RECONNECT_SECONDS = 0.2
AWAY_SECONDS = 2.0
"""How long Chroma and PostgreSQL are away."""

START_AGAIN_SECONDS = 120.0


class Replica:
    """One server on a port of its own, and when it was away (monotonic)."""

    def __init__(self, folder: Path, shared: tuple[str, ...]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        self._server = ServerProcess(folder, (*shared, "--listen", address))
        self._away: list[tuple[float, float]] = []
        self._since = time.monotonic()
        self._channel = grpc.insecure_channel(
            address,
            [
                ("grpc.enable_retries", 0),
                ("grpc.min_reconnect_backoff_ms", int(RECONNECT_SECONDS * 1000)),
                ("grpc.initial_reconnect_backoff_ms", int(RECONNECT_SECONDS * 1000)),
                ("grpc.max_reconnect_backoff_ms", int(RECONNECT_SECONDS * 1000)),
            ],
        )
        self._lock = threading.Lock()
        self.starts = 0
        self.failed_starts: list[str] = []

    @property
    def log(self) -> Path:
        return self._server.log

    def start(self) -> None:
        """Returns when it serves: what it rests on may come back later than it."""
        end = time.monotonic() + START_AGAIN_SECONDS
        while not self._tried():
            if time.monotonic() > end:
                raise TimeoutError(self.failed_starts[-1])
            time.sleep(0.5)

    def _tried(self) -> bool:
        """Starts it once; whether it serves."""
        try:
            self._server.start()
        except ServerStartError as error:
            self.failed_starts.append(str(error))
            return False
        with self._lock:
            if self._ended():
                return False
            self.starts += 1
            self._away.append((self._since, time.monotonic() + 5 * RECONNECT_SECONDS))
            self._since = float("inf")
        return True

    def _ended(self) -> bool:
        process = self._server._process
        return process is None or process.poll() is not None

    def crash(self) -> None:
        """`kill -9`, also while it starts."""
        with self._lock:
            self._since = min(self._since, time.monotonic())
            if self._server._process is not None:
                self._server._process.kill()
                self._server._process.wait()

    def keep_up(self, until: threading.Event) -> None:
        """Starts it again whenever it ended, and returns when it serves after `until`."""
        while True:
            if self._ended():
                self.start()
            elif until.wait(0.1):
                return

    def stop(self) -> None:
        self._server.kill()

    def was_away(self, since: float, until: float) -> bool:
        """At any moment between the two."""
        return self._since <= until or any(a <= until and since <= b for a, b in self._away)

    def actor(self) -> Actor:
        """Needs a first start, which makes the key for its token."""
        return Actor(self._server, channel=self._channel)


class Deployment:
    """The replicas and what they rest on."""

    def __init__(
        self, postgres: PostgresProcess, chroma: ChromaProcess, replicas: list[Replica]
    ) -> None:
        self.postgres, self.chroma, self.replicas = postgres, chroma, replicas
        self.actors = [replica.actor() for replica in replicas]

    def trouble(
        self, seconds: float, every: float, chroma: Sequence[float], postgres: Sequence[float]
    ) -> int:
        """So long, a replica in turn is killed each `every` seconds; Chroma and PostgreSQL crash
        at these shares of the time. Returns when all of them are back; how many kills.
        """
        began = time.monotonic()

        def crash(shares: Sequence[float], work: Callable[[], None]) -> None:
            for share in shares:
                _sleep_until(began + share * seconds)
                work()

        with ThreadPoolExecutor(16) as pool:
            crashes = [
                pool.submit(crash, chroma, self._crash_chroma),
                pool.submit(crash, postgres, self._crash_postgres),
            ]
            over = threading.Event()
            supervisors = [pool.submit(replica.keep_up, over) for replica in self.replicas]
            kills = 0
            while time.monotonic() - began < seconds:
                self.replicas[kills % len(self.replicas)].crash()
                kills += 1
                _sleep_until(began + kills * every)
            over.set()
        for each in (*crashes, *supervisors):
            each.result()
        return kills

    def _crash_chroma(self) -> None:
        self.chroma.kill()
        time.sleep(AWAY_SECONDS)
        self.chroma.start()

    def _crash_postgres(self) -> None:
        self.postgres.crash()
        time.sleep(AWAY_SECONDS)
        self.postgres.start()


@contextmanager
def deployed(folder: Path, count: int, *settings: str) -> Iterator[Deployment]:
    """All of it, for the length of the block."""
    with ExitStack() as stack:
        postgres = stack.enter_context(PostgresProcess(folder / "postgres"))
        chroma = stack.enter_context(ChromaProcess(folder / "chroma"))
        shared = (
            *("--database", postgres.url),
            *("--chroma", chroma.url),
            *("--kek", f"file:{folder / 'kek'}"),
            *settings,
        )
        replicas = [Replica(folder / f"replica{n}", shared) for n in range(count)]
        for replica in replicas:
            stack.callback(replica.stop)
        replicas[0].start()  # which makes tables and keys, as docs/operations.md asks
        with ThreadPoolExecutor() as pool:
            list(pool.map(Replica.start, replicas[1:]))
        deployment = Deployment(postgres, chroma, replicas)
        yield deployment
        for actor in deployment.actors:
            actor.__exit__()


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))
