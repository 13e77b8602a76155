"""A real server over loopback on a real data folder: the whole path, nothing simulated."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

import memory.client
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.values import AssistantId, PersonId, TenantId
from memory.v1.consent_service_pb2 import GrantConsentRequest
from memory.v1.consent_service_pb2_grpc import ConsentServiceStub
from memory.v1.core_pb2 import AccessContext
from memory.v1.ledger_service_pb2_grpc import LedgerServiceStub
from memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from memory.v1.operator_service_pb2_grpc import OperatorServiceStub
from memory.v1.subject_rights_service_pb2_grpc import SubjectRightsServiceStub
from server.app import Server
from server.logs import Log
from server.observing import UNOBSERVED, Observation
from server.policy import OPERATE, SCOPES
from server.tokens import load_signing_key
from tests.e2e.wire.browser import Browser, Page

ASSISTANT_SCOPES = tuple(scope for scope in SCOPES if scope != OPERATE)
ASSISTANCE = AccessContext(purpose="purposes/assistance")


@dataclass
class Client:
    """One caller: a channel and the credential that goes with every call."""

    channel: grpc.Channel
    token: str
    memory: Any = field(init=False)
    consent: Any = field(init=False)
    rights: Any = field(init=False)
    ledger: Any = field(init=False)
    operator: Any = field(init=False)

    def __post_init__(self) -> None:
        self.channel = grpc.intercept_channel(self.channel, _Bearer(self.token))
        self.memory = MemoryServiceStub(self.channel)
        self.consent = ConsentServiceStub(self.channel)
        self.rights = SubjectRightsServiceStub(self.channel)
        self.ledger = LedgerServiceStub(self.channel)
        self.operator = OperatorServiceStub(self.channel)

    def grant(self, person: str, purpose: str = "assistance") -> Any:
        return self.consent.GrantConsent(
            GrantConsentRequest(parent=f"people/{person}", purpose=f"purposes/{purpose}")
        )


class _Bearer(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
):
    """Sends the token, and gives every call a deadline."""

    def __init__(self, token: str) -> None:
        self._token = token

    def _send(self, proceed: Any, details: Any, request: Any) -> Any:
        metadata = [*(details.metadata or ()), ("authorization", f"Bearer {self._token}")]
        timeout = 60 if details.timeout is None else details.timeout
        return proceed(details._replace(metadata=metadata, timeout=timeout), request)

    intercept_unary_unary = intercept_unary_stream = intercept_stream_unary = _send


@dataclass
class Running:
    """A listening server."""

    address: str
    config: Config
    tacit: Tacit
    log: io.StringIO
    channel: grpc.Channel
    _server: Server
    _loop: asyncio.AbstractEventLoop
    _stopped: bool = False

    def client(
        self,
        *,
        tenant: str = "acme",
        assistant: str = "helper",
        person: str | None = None,
        scopes: tuple[str, ...] = ASSISTANT_SCOPES,
    ) -> Client:
        key = load_signing_key(self.config.jwt_signing_key)
        token = key.mint(
            issuer=self.config.jwt_issuer,
            audience=self.config.jwt_audience,
            tenant=TenantId(tenant),
            assistant=AssistantId(assistant),
            scopes=scopes,
            lifetime=timedelta(minutes=10),
            person=PersonId(person) if person else None,
        )
        return Client(self.channel, token)

    def stop(self, grace: float = 10) -> None:
        if self._stopped:
            return
        self._stopped = True
        asyncio.run_coroutine_threadsafe(self._server.stop(grace), self._loop).result(60)

    def lines(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [line for line in lines if line["event"] == event]


@contextmanager
def _serving(
    config: Config,
    tacit: Tacit,
    channel_credentials: Any = None,
    observed: Observation = UNOBSERVED,
) -> Iterator[Running]:
    log = io.StringIO()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> tuple[Server, str]:
        server = Server(config, tacit, Log(log), observed)
        return server, await server.start()

    try:
        server, address = asyncio.run_coroutine_threadsafe(start(), loop).result(60)
        channel = (
            grpc.insecure_channel(address)
            if channel_credentials is None
            else grpc.secure_channel(address, channel_credentials)
        )
        running = Running(address, config, tacit, log, channel, server, loop)
        try:
            with channel:
                yield running
        finally:
            running.stop()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="session")
def tacit_config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Settings of the data folder that the wire tests share."""
    return Config(data=Path(tmp_path_factory.mktemp("wire")), listen="127.0.0.1:0")


@pytest.fixture(scope="session")
def tacit(tacit_config: Config) -> Iterator[Tacit]:
    """The domain behind the wire, opened once: its models take a second to load."""
    with open_tacit(tacit_config) as opened:
        yield opened


@pytest.fixture(scope="session")
def server(tacit_config: Config, tacit: Tacit) -> Iterator[Running]:
    """A server that nobody stops; whatever the tests did to it, it had no fault."""
    with _serving(tacit_config, tacit) as running:
        yield running
        assert running.lines("fault") == []


@pytest.fixture
def client(server: Running) -> Iterator[memory.client.Client]:
    """What an assistant's program holds."""
    with memory.client.Client(server.address, token=server.client().token, timeout=60) as client:
        yield client


@pytest.fixture
def newcomer(client: memory.client.Client) -> Callable[[str], memory.client.Person]:
    """`newcomer("amara")`: somebody new of that name, who said yes."""

    def consented(name: str) -> memory.client.Person:
        person = client.person(f"{name}-{uuid.uuid4().hex[:8]}")
        person.grant("assistance")
        person.grant("reveal")
        return person

    return consented


@pytest.fixture
def amara(newcomer: Callable[[str], memory.client.Person]) -> memory.client.Person:
    return newcomer("amara")


@pytest.fixture(scope="session")
def serving() -> Any:
    """Opens a server of a test's own, over a domain that is open already."""
    return _serving


@pytest.fixture(scope="session")
def page(tacit_config: Config, tacit: Tacit) -> Iterator[Page]:
    """A server that also serves the page; whatever the tests did to it, it had no fault."""
    with _serving(replace(tacit_config, web="127.0.0.1:0"), tacit) as running:
        yield Page(running)
        assert running.lines("fault") == []


@pytest.fixture
def start(page: Page) -> Iterator[Callable[..., Browser]]:
    """Starts a browser, which ends with the test."""
    with ExitStack() as stack:

        def started(language: str = "en") -> Browser:
            browser = Browser(page.url, language)
            stack.enter_context(browser.http)
            return browser

        yield started
