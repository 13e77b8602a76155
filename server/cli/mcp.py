"""`tacit mcp`: the memory for assistants that speak the Model Context Protocol."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from memory.errors import ConfigurationError
from memory.mcp import LOOPBACK
from server.cli.arguments import DEFAULT_PURPOSE, ME, Person, Purpose
from server.cli.output import errors
from server.cli.session import Options, mint_local, option_command, settings, target
from server.listening import listen

if TYPE_CHECKING:
    import socket

    from memory.client import AsyncClient
    from memory.config import Config

_SCOPES: Final = ("memory.write", "memory.read", "memory.reveal", "consent.manage", "data.erase")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    option_command(app, "mcp")(mcp)


def mcp(
    options: Options,
    person: Person = ME,
    purpose: Purpose = DEFAULT_PURPOSE,
    http: Annotated[
        str | None,
        typer.Option(
            help="HOST:PORT: streamable HTTP there, in place of stdio; a token a request."
        ),
    ] = None,
    http_url: Annotated[
        str | None,
        typer.Option(help="With --http, where a proxy with TLS makes it reachable: https://HOST."),
    ] = None,
) -> None:
    """Serves an assistant's MCP client, over stdio or HTTP, from a Tacit server that runs."""
    try:
        from memory.mcp.serving import serve_http, serve_stdio
    except ModuleNotFoundError:
        raise ConfigurationError(
            "tacit mcp needs an extra package; run: pip install 'tacit-memory[mcp]'"
        ) from None
    config = settings(options)
    connect = _connecting(options, config, purpose)
    if http is None:
        token = _token(options, config, person)
        # Ends at once: an event loop would wait for the thread that reads stdin.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        asyncio.run(serve_stdio(connect, person=person, token=token))
        return
    if options.token:
        raise typer.BadParameter("with --http each request brings its own token; leave --token out")
    with _listen(http, http_url) as port:
        host = http.rpartition(":")[0]
        behind = f", for {http_url}/mcp" if http_url else ""
        errors.print(
            f"serves MCP on http://{host}:{port.getsockname()[1]}/mcp{behind}", markup=False
        )
        asyncio.run(serve_http(connect, port, person=person, url=http_url))


def _connecting(
    options: Options, config: Config, purpose: str
) -> Callable[[Callable[[], str]], AsyncClient]:
    """Opens a client of the server that the options name, in the event loop it is called in."""
    from memory.client import AsyncClient, Tls

    address = target(options, config)
    tls = Tls(options.tls_ca, options.tls_client_cert, options.tls_client_key)

    def connect(token: Callable[[], str]) -> AsyncClient:
        return AsyncClient(
            address,
            token=token,
            tls=tls if options.tls_ca else False,
            purpose=purpose,
            timeout=options.timeout,
        )

    return connect


def _token(options: Options, config: Config, person: str) -> Callable[[], str]:
    """Gives the token that was told, or one made here, anew for each call."""
    if told := options.token:
        return told.strip
    if person == ME:
        raise typer.BadParameter("--person is missing; it is left out only with a person's --token")

    def minted() -> str:
        return mint_local(config, tenant=options.tenant, client=options.client, scopes=_SCOPES)

    minted()  # refused now, rather than in a conversation
    return minted


def _listen(http: str, url: str | None) -> socket.socket:
    """The port, bound.

    Raises:
        ConfigurationError: it cannot be, or tokens would come to it over a plain connection.
    """
    if url and not url.startswith("https://"):
        raise ConfigurationError("--http-url must begin with https://: requests carry tokens")
    if not url and http.rpartition(":")[0] not in LOOPBACK:
        raise ConfigurationError(
            f"--http {http}: other machines would send their tokens plainly; listen on 127.0.0.1, "
            "or put a proxy with TLS before it and say where with --http-url"
        )
    try:
        return listen(http)
    except (OSError, ValueError):
        raise ConfigurationError(
            f"--http {http}: in use by another program, or no HOST:PORT of this machine"
        ) from None
