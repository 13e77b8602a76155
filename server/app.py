"""The server: what config and use cases become, how it starts, and how it ends.

    start   key sets, TLS and policies are checked ▶ the port is bound ▶ health says SERVING
    stop    health says NOT_SERVING ▶ new calls are refused, accepted ones finish ▶ the port
            closes ▶ the domain closes

Rules:
- What cannot work refuses to start, with the name of the setting or file.
- A port belongs to one server: a second one fails instead of sharing it.
- An accepted call is finished, unless it outlasts `GRACE_SECONDS`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from memory.bootstrap import Tacit, open_tacit, utc_now
from memory.config import Config
from memory.configured import toml_table
from memory.errors import ConfigurationError
from memory.loopback import stays_here
from server.auth import TokenVerifier
from server.beside import LANES, Beside, processes
from server.limits import Meter, load_limits
from server.logs import Log, Method, Started, Stopped, silence_libraries
from server.metrics import Metrics
from server.observing import UNOBSERVED, Exposition, Observation, observation
from server.page_tokens import PageTokens
from server.pipeline import Wire
from server.policy import OPEN_SERVICES
from server.router import SERVICES, Answers, handlers
from server.services.access_log import AccessEvents
from server.services.consents import Consents
from server.services.ledger import Ledger
from server.services.memories import Memories
from server.services.operations import Operations
from server.services.page_links import PageLinks
from server.services.personalization import Personalizations
from server.services.subject_rights import SubjectRights
from server.tls import server_credentials
from server.tokens import load_key_set, load_or_make_signing_key
from server.web.links import Links
from server.workers import Workers

if TYPE_CHECKING:
    from server.web.serving import WebServer

GRACE_SECONDS: Final = 30.0
"""How long accepted calls may take to finish when the server stops."""

QUEUED_PER_THREAD: Final = 32
"""Calls that may wait for a worker thread; the rest are told to come back."""

READERS: Final = 2
"""Threads for the calls that only read memories, over SQLite: there they wait for nothing but the
processor, and more would only take turns with Python's lock.
"""

_CLOSE_SECONDS: Final = 1.0
"""For responses on their way, and streams of health watchers, once no call is left."""


class Server:
    """One listening server. Closing the domain is left to who opened it."""

    def __init__(
        self, config: Config, tacit: Tacit, log: Log, observed: Observation = UNOBSERVED
    ) -> None:
        self._config = config
        self._tacit = tacit
        self._log = log
        self._links = Links(time.monotonic)
        self._web: WebServer | None = None
        self._credentials = server_credentials(config)
        queued = QUEUED_PER_THREAD * config.worker_threads
        self._wire = Wire(
            verifier=token_verifier(config),
            readers=Workers(_readers(config), queued),
            workers=Workers(config.worker_threads, queued),
            meter=Meter(load_limits(toml_table(config.limits), str(config.limits)), time.monotonic),
            metrics=Metrics(),
            log=log,
            traces=observed.traces,
        )
        self._exposition: Exposition | None = None
        self._grpc = grpc.aio.server(options=_options(config))
        self._beside = Beside(config, tacit, self._wire.readers.busy)
        self._instruments = observed.instruments
        if self._instruments is not None:
            self._instruments.watch(
                tacit, self._wire.metrics, self._wire.waiting, self._beside.running
            )
        self._grpc.add_generic_rpc_handlers(
            tuple(handlers(self._wire, _answers(tacit, self._links, self._beside)))
        )
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        reflection.enable_server_reflection(
            [*(service.full_name for service in SERVICES), *OPEN_SERVICES], self._grpc
        )

    async def start(self) -> str:
        """Listens; returns the address with the port in use.

        Raises:
            ConfigurationError: the address is taken, or none of this machine.
        """
        listen = self._config.listen
        try:
            if self._credentials is None:
                port = self._grpc.add_insecure_port(listen)
            else:
                port = self._grpc.add_secure_port(listen, self._credentials)
        except RuntimeError:
            raise ConfigurationError(
                f"listen {listen}: in use by another program, or no address of this machine"
            ) from None
        if self._config.metrics_listen is not None and self._instruments is not None:
            self._exposition = Exposition(self._config.metrics_listen, self._instruments)
        if self._config.web is not None:
            from server.web.serving import WebServer

            wire = self._wire
            self._web = WebServer(
                self._config, self._tacit, wire.workers, wire.meter, self._log, self._links
            )
            self._web.start()
        await self._grpc.start()
        for service in ("", *(service.full_name for service in SERVICES)):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        address = f"{listen.rpartition(':')[0]}:{port}"
        tls = self._credentials is not None
        page = "" if self._web is None else self._web.url
        plain = [listen, page.removeprefix("http://")] if page.startswith("http://") else [listen]
        advice = (
            ""
            if tls or all(map(stays_here, plain))
            else ("tokens and memories cross the network in the clear; set tls_cert and tls_key")
        )
        metrics = "" if self._exposition is None else self._exposition.address
        self._log.write(Started(address, tls, advice, metrics, page))
        return address

    async def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Refuses new calls, finishes accepted ones within `grace` seconds, and closes the port."""
        self._wire.draining = True
        loop = asyncio.get_running_loop()
        latest = loop.time() + grace
        await self._health.enter_graceful_shutdown()
        if self._web is not None:
            await asyncio.to_thread(self._web.stop, grace)
        metrics = self._wire.metrics
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(latest):
                await metrics.idle()
        unfinished = metrics.in_flight
        await self._grpc.stop(_CLOSE_SECONDS)
        await self._wire.close(max(_CLOSE_SECONDS, latest - loop.time()))
        await asyncio.to_thread(self._beside.close)
        if self._exposition is not None:
            await asyncio.to_thread(self._exposition.close)
        for method, calls in metrics.calls().items():
            quantiles = (metrics.quantile_ms(method, share) for share in (0.5, 0.95))
            self._log.write(Method(method, calls, *quantiles))
        self._log.write(Stopped(unfinished))


async def serve(config: Config) -> None:
    """Opens the memory, serves it until SIGTERM or SIGINT, and closes it.

    Raises:
        ConfigurationError, DataFolderInUseError, KeyFileError, StorageUnavailableError: it cannot
            start; the message names the setting or file.
    """
    log = Log()
    silence_libraries(log)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    observed = observation(config)
    tacit = await asyncio.to_thread(open_tacit, config, observer=observed.observer)
    try:
        server = Server(config, tacit, log, observed)
        _settle()
        await server.start()
        await stopping.wait()
        await server.stop()
    finally:
        await asyncio.to_thread(tacit.close)
        await asyncio.to_thread(observed.close)


def _settle() -> None:
    """What was loaded stays as long as the process: without it, Python's collector would look
    through all of it again and again, some 0.2 s in which nobody is answered.
    """
    gc.collect()
    gc.freeze()
    gc.enable()


def _readers(config: Config) -> int:
    """How many calls that only read memories are worked on at once."""
    if not config.database_url.startswith("sqlite"):
        return config.worker_threads
    helped = processes(config)
    return LANES * helped + 1 if helped else min(READERS, config.worker_threads)


def token_verifier(config: Config) -> TokenVerifier:
    """For another issuer's key set if one is configured, else for the server's own key."""
    if config.jwt_key_set is not None:
        keys = load_key_set(config.jwt_key_set)
    else:
        own = load_or_make_signing_key(config.jwt_signing_key)
        keys = {own.kid: own.public}
    return TokenVerifier(keys, config.jwt_issuer, config.jwt_audience)


def _answers(tacit: Tacit, links: Links, beside: Beside) -> Answers:
    tokens = PageTokens(tacit.page_token_key)
    return {
        "MemoryService": {
            **Memories(
                tacit.remember,
                tacit.recall,
                tacit.build_context,
                tacit.profile,
                tacit.build_handover,
                tacit.rectify,
                tacit.erase_memories,
                tacit.reveal,
                tokens,
                beside.answer,
            ).answers(),
            **Personalizations(tacit.personalize).answers(),
        },
        "ConsentService": Consents(tacit.consents, tacit.registry, tokens).answers(),
        "SubjectRightsService": {
            **SubjectRights(
                tacit.export,
                tacit.take_in,
                tacit.forget,
                tacit.erase_memories,
                tacit.restrict,
                tacit.register,
                tokens,
            ).answers(),
            **AccessEvents(tacit.access_log, tokens).answers(),
            **PageLinks(links, utc_now).answers(),
        },
        "LedgerService": Ledger(tacit.proofs).answers(),
        "OperatorService": Operations(
            tacit.status,
            tacit.tenants,
            tacit.rotate,
            tacit.rekey,
            tacit.reindex,
            tacit.restrict,
            tacit.consents,
            tacit.register,
            tacit.report,
            tokens,
            datetime.now(UTC),
            str(tacit.signer.verifier),
        ).answers(),
    }


def _options(config: Config) -> Sequence[tuple[str, int]]:
    return (
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", config.max_message_bytes),
        # A recall or page is bounded by its number of memories; see server/page_tokens.py.
        ("grpc.max_send_message_length", -1),
        ("grpc.max_concurrent_streams", 1024),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    )
