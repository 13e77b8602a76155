"""How the tools are reached: over stdio, or over streamable HTTP.

Rules, of HTTP:
- Every request brings a bearer token, which is passed on to Tacit with each call: Tacit says
  whether it is good and what it may, and this process holds none.
- A session belongs to the token that opened it. To any other it does not exist, so nobody answers
  a question that was put to somebody else.
- `Host` and `Origin` must be those it is reached at: a web site cannot have a browser call it (DNS
  rebinding).
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final
from urllib.parse import urlsplit

import uvicorn
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware, get_access_token
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend, RequireAuthMiddleware
from mcp.server.auth.provider import AccessToken
from mcp.server.fastmcp import FastMCP
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.routing import Mount

from memory.client import AsyncClient
from memory.mcp import LOOPBACK
from memory.mcp.tools import make_server

_CONCURRENT: Final = 200
"""Connections at once; the rest are told to come back."""

_GRACE_SECONDS: Final = 5

Open = Callable[[Callable[[], str]], AsyncClient]
"""Opens a client that asks this for its token."""


async def serve_stdio(connect: Open, *, person: str, token: Callable[[], str]) -> None:
    """Serves one client, for one person, until its input ends."""
    async with connect(token) as client:
        await make_server(client, person=person, token=token).run_stdio_async()


async def serve_http(
    connect: Open, port: socket.socket, *, person: str, url: str | None = None
) -> None:
    """Serves any number of clients at `/mcp` of a bound port, until it is told to stop.

    All for one person, or with "me" each for the person of its token. `url` is where they reach
    it, if that is another place.
    """
    async with connect(_bearer) as client:
        server = make_server(client, person=person, token=_bearer, security=_security(url))
        config = uvicorn.Config(
            _app(server),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_CONCURRENT,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        await uvicorn.Server(config).serve([port])


class _Sessions:
    """Whose a session is: the token's, known by its hash. Whether it is good, Tacit says."""

    async def verify_token(self, token: str) -> AccessToken:
        return AccessToken(
            token=token, client_id=hashlib.sha256(token.encode()).hexdigest(), scopes=[]
        )


def _bearer() -> str:
    """The token of the session that a call is made in."""
    session = get_access_token()
    return session.token if session else ""


def _app(server: FastMCP) -> Starlette:
    guarded = RequireAuthMiddleware(server.streamable_http_app(), [])

    def running(_: Starlette) -> AbstractAsyncContextManager[None]:
        return server.session_manager.run()

    return Starlette(
        routes=[Mount("/", guarded)],
        middleware=[
            Middleware(AuthenticationMiddleware, backend=BearerAuthBackend(_Sessions())),
            Middleware(AuthContextMiddleware),
        ],
        lifespan=running,
    )


def _security(url: str | None) -> TransportSecuritySettings:
    hosts = [f"{host}:*" for host in LOOPBACK]
    origins = [f"http://{host}" for host in hosts]
    if url:
        hosts.append(urlsplit(url).netloc)
        origins.append(url)
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)
