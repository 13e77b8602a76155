"""A client's session: where the server is, which token, and the calls.

The token is `--token` or TACIT_TOKEN. Without one, on the machine of the server, whoever may read
the data folder's signing key gets a token that lives five minutes and holds only the scopes of
the one command.

Rules:
- A token never leaves this machine over a plain connection, unless told so (`--insecure`).
- Calls carry a deadline; what is refused as UNAVAILABLE is tried again, which is safe because
  every write carries a `request_id`.
"""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol, TypeVar

import typer

from memory.config import Config, load_config
from memory.errors import ConfigurationError
from memory.loopback import stays_here

if TYPE_CHECKING:
    import grpc

    from memory.v1 import (
        consent_service_pb2_grpc,
        ledger_service_pb2_grpc,
        memory_service_pb2_grpc,
        operator_service_pb2_grpc,
        subject_rights_service_pb2_grpc,
    )

LOCAL_TENANT: Final = "local"
LOCAL_CLIENT: Final = "cli"
_LOCAL_LIFETIME: Final = timedelta(minutes=5)
_MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
_SERVICE_CONFIG: Final = json.dumps(
    {
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.2s",
                    "maxBackoff": "2s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    }
)

Response_co = TypeVar("Response_co", covariant=True)


class _Paged(Protocol):
    page_token: str


class _PageOf(Protocol):
    @property
    def next_page_token(self) -> str: ...


Page = TypeVar("Page", bound=_PageOf)


class _Method(Protocol[Response_co]):
    def __call__(self, request: Any, /, *, timeout: float, metadata: Any) -> Response_co: ...


@dataclass(frozen=True)
class Session:
    """An open channel and the credential that goes with every call."""

    channel: grpc.Channel
    token: str | Callable[[], str]
    """Asked before each call: a token that is made here lives shorter than a long command."""
    timeout: float

    def call(self, method: _Method[Response_co], request: object) -> Response_co:
        """One call, with token and deadline."""
        token = self.token if isinstance(self.token, str) else self.token()
        metadata = (("authorization", f"Bearer {token.strip()}"),)
        return method(request, timeout=self.timeout, metadata=metadata)

    def pages(self, method: _Method[Page], request: _Paged) -> Iterator[Page]:
        """Every page of a list, in order."""
        while True:
            page = self.call(method, request)
            yield page
            request.page_token = page.next_page_token
            if not request.page_token:
                return

    @cached_property
    def memory(self) -> memory_service_pb2_grpc.MemoryServiceStub:
        from memory.v1.memory_service_pb2_grpc import MemoryServiceStub

        return MemoryServiceStub(self.channel)

    @cached_property
    def consent(self) -> consent_service_pb2_grpc.ConsentServiceStub:
        from memory.v1.consent_service_pb2_grpc import ConsentServiceStub

        return ConsentServiceStub(self.channel)

    @cached_property
    def rights(self) -> subject_rights_service_pb2_grpc.SubjectRightsServiceStub:
        from memory.v1.subject_rights_service_pb2_grpc import SubjectRightsServiceStub

        return SubjectRightsServiceStub(self.channel)

    @cached_property
    def ledger(self) -> ledger_service_pb2_grpc.LedgerServiceStub:
        from memory.v1.ledger_service_pb2_grpc import LedgerServiceStub

        return LedgerServiceStub(self.channel)

    @cached_property
    def operator(self) -> operator_service_pb2_grpc.OperatorServiceStub:
        from memory.v1.operator_service_pb2_grpc import OperatorServiceStub

        return OperatorServiceStub(self.channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What every client command takes; the field names are the options' names."""

    address: Annotated[
        str | None, typer.Option(envvar="TACIT_ADDRESS", help="HOST:PORT of the server.")
    ] = None
    token: Annotated[
        str | None,
        typer.Option(envvar="TACIT_TOKEN", help="Bearer token; better in the environment."),
    ] = None
    data: Annotated[
        Path | None,
        typer.Option(help="Without a token: data folder of a server on this machine."),
    ] = None
    tenant: Annotated[
        str, typer.Option(envvar="TACIT_TENANT", help="Tenant, when --data is used.")
    ] = LOCAL_TENANT
    client: Annotated[
        str, typer.Option(envvar="TACIT_CLIENT", help="Assistant, when --data is used.")
    ] = LOCAL_CLIENT
    tls_ca: Annotated[
        Path | None, typer.Option(envvar="TACIT_TLS_CA", help="Speak TLS; trust this CA (PEM).")
    ] = None
    tls_client_cert: Annotated[
        Path | None, typer.Option(help="Certificate for a server that asks for one (PEM).")
    ] = None
    tls_client_key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Send the token over a plain connection.")
    ] = False
    timeout: Annotated[float, typer.Option(help="Seconds that one call may take.", min=0.1)] = 60.0


def option_command(
    app: typer.Typer, name: str
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes `function(options, ...)` a command that takes all of `Options` beside its own."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        _options, *own = inspect.signature(function, eval_str=True).parameters.values()
        shared = [
            p.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for p in inspect.signature(Options, eval_str=True).parameters.values()
        ]
        names = {p.name for p in shared}

        @wraps(function)
        def command(**values: Any) -> None:
            options = Options(**{k: v for k, v in values.items() if k in names})
            function(options, **{k: v for k, v in values.items() if k not in names})

        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + shared
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        app.command(name)(command)
        return function

    return register


def client_command(
    app: typer.Typer, name: str, *scopes: str, anonymous: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes `function(session, ...)` a command that also takes all of `Options`.

    `anonymous` makes no token: it only calls what answers everyone.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)  # and so its signature
        def opened(options: Options, **rest: Any) -> None:
            revealing = ("memory.reveal",) if rest.get("reveal") else ()
            wanted = None if anonymous else (*scopes, *revealing)
            with open_session(options, wanted) as session:
                function(session, **rest)

        option_command(app, name)(opened)
        return function

    return register


@contextmanager
def open_session(options: Options, scopes: tuple[str, ...] | None) -> Iterator[Session]:
    """A session with a token that holds `scopes`, None for no token, closed at the end."""
    config = settings(options)
    token: str | Callable[[], str] = options.token or ""
    if scopes is not None and not token:
        token = partial(
            mint_local, config, tenant=options.tenant, client=options.client, scopes=scopes
        )
    with open_channel(options, config) as channel:
        yield Session(channel, token, options.timeout)


def settings(options: Options) -> Config:
    """The settings of the server whose data folder the options name."""
    data = str(options.data) if options.data else None
    return load_config(environ=os.environ, flags={"data": data})


def open_channel(options: Options, config: Config) -> grpc.Channel:
    """A channel to the server; nothing is sent yet."""
    import grpc

    address = target(options, config)
    settings = [
        ("grpc.service_config", _SERVICE_CONFIG),
        ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ]
    if options.tls_ca:
        pair = (options.tls_client_key, options.tls_client_cert)
        key, cert = (path.read_bytes() if path else None for path in pair)
        credentials = grpc.ssl_channel_credentials(options.tls_ca.read_bytes(), key, cert)
        return grpc.secure_channel(address, credentials, settings)
    return grpc.insecure_channel(address, settings)


def target(options: Options, config: Config) -> str:
    """Where the server is.

    Raises:
        ConfigurationError: the way there would be plain, and leads to another machine.
    """
    address = options.address or _reachable(config.listen)
    if not (options.tls_ca or options.insecure or stays_here(address)):
        raise ConfigurationError(
            f"{address} is another machine and the connection is plain: give --tls-ca, "
            "or --insecure where something else protects the way"
        )
    return address


def mint_local(
    config: Config,
    *,
    tenant: str,
    client: str,
    scopes: tuple[str, ...],
    person: str | None = None,
    lifetime: timedelta = _LOCAL_LIFETIME,
) -> str:
    """A token signed with the key in the data folder.

    Raises:
        ConfigurationError: no such key here, or one that cannot be read.
    """
    from memory.core.values import AssistantId, PersonId, TenantId
    from server.tokens import load_signing_key

    if not config.jwt_signing_key.exists():
        raise ConfigurationError(
            f"no token, and no signing key in {config.data}: set TACIT_TOKEN, give --token, or "
            "point --data at the folder of a server that has run on this machine"
        )
    return load_signing_key(config.jwt_signing_key).mint(
        issuer=config.jwt_issuer,
        audience=config.jwt_audience,
        tenant=TenantId(tenant),
        assistant=AssistantId(client),
        scopes=scopes,
        lifetime=lifetime,
        person=PersonId(person) if person else None,
    )


def _reachable(listen: str) -> str:
    """Where to reach a server on this machine that listens on `listen`."""
    host, _, port = listen.rpartition(":")
    return f"127.0.0.1:{port}" if host in {"0.0.0.0", "[::]"} else listen  # noqa: S104
