"""A real gRPC server on loopback whose answers a test chooses: the pipeline and nothing else."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import grpc
import pytest

from memory.core.tenants import PerTenant
from memory.core.values import AssistantId, PersonId, TenantId
from server.auth import TokenVerifier
from server.call import Call
from server.errors import NotBuiltError
from server.limits import Limit, Meter
from server.logs import Log
from server.metrics import Metrics
from server.pipeline import Wire
from server.policy import OPERATE, SCOPES
from server.router import SERVICES, handlers
from server.tokens import SigningKey, load_or_make_signing_key
from server.workers import Workers


def unbuilt(call: Call, _request: object = None) -> NoReturn:
    """What the contract has and a server has not, as clients of a newer contract meet it."""
    raise NotBuiltError(f"{call.method} is not built yet", method=call.method)


ASSISTANT_SCOPES = tuple(scope for scope in SCOPES if scope != OPERATE)


@dataclass
class Line:
    """A listening server, a channel to it, and its log."""

    wire: Wire
    channel: grpc.Channel
    key: SigningKey
    log: io.StringIO

    def metadata(
        self, *scopes: str, person: str | None = None, request_id: str = ""
    ) -> list[tuple[str, str]]:
        token = self.key.mint(
            issuer="tacit",
            audience="tacit",
            tenant=TenantId("acme"),
            assistant=AssistantId("helper"),
            scopes=scopes or ASSISTANT_SCOPES,
            lifetime=timedelta(minutes=5),
            person=PersonId(person) if person else None,
        )
        extra = [("x-request-id", request_id)] if request_id else []
        return [("authorization", f"Bearer {token}"), *extra]

    def lines(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [line for line in lines if line["event"] == event]


@dataclass
class Opener:
    """Opens lines; each with its own answers."""

    folder: Path
    opened: list[Line] = field(default_factory=list)

    @contextmanager
    def __call__(
        self,
        threads: int = 2,
        queue: int = 2,
        limits: PerTenant[Limit] | None = None,
        **answers: Callable[..., Any],
    ) -> Iterator[Line]:
        key = load_or_make_signing_key(self.folder / "jwt.pem")
        log = io.StringIO()
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()

        def on_loop(work: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(work, loop).result(30)

        async def start() -> tuple[Wire, grpc.aio.Server, int]:
            verifier = TokenVerifier({key.kid: key.public}, "tacit", "tacit")
            meter = Meter(limits or PerTenant(Limit()), time.monotonic)
            readers, workers = Workers(threads, queue), Workers(threads, queue)
            wire = Wire(verifier, readers, workers, meter, Metrics(), Log(log))
            every = {
                service.name: {m.name: answers.get(m.name, unbuilt) for m in service.methods}
                for service in SERVICES
            }
            server = grpc.aio.server()
            server.add_generic_rpc_handlers(tuple(handlers(wire, every)))
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            return wire, server, port

        wire, server, port = on_loop(start())
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield Line(wire, channel, key, log)
        finally:
            on_loop(server.stop(0.2))
            on_loop(wire.close(5))
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


@pytest.fixture
def opener(tmp_path: Path) -> Opener:
    return Opener(tmp_path)
