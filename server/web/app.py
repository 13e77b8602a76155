"""The page, put together: routes behind headers, over one desk."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from memory.bootstrap import Tacit
from memory.config import Config
from memory.configured import toml_table
from memory.errors import ConfigurationError
from server.limits import Meter
from server.logs import Log
from server.web import consents, data, documents, forget, inferences, memories, reads, sign_in
from server.web.csrf import Csrf
from server.web.desk import Desk, Visit
from server.web.headers import STATIC, SecureHeaders
from server.web.links import Links
from server.web.sessions import Sessions
from server.web.views import Views
from server.workers import Workers

if TYPE_CHECKING:
    from server.web.openid import OpenId

_PARTS: Final = (sign_in, memories, inferences, consents, reads, data, forget, documents)

_GPC: Final = json.dumps({"gpc": True, "lastUpdate": "2026-11-26"})
"""Global Privacy Control's support resource: nothing is sold or shared, with the signal or not."""


def make_app(
    config: Config,
    tacit: Tacit,
    workers: Workers,
    meter: Meter,
    log: Log,
    links: Links,
    *,
    https: bool,
) -> ASGIApp:
    """The ASGI application; `https` says how browsers reach it. Raises `ConfigurationError`."""
    desk = Desk(
        tacit=tacit,
        workers=workers,
        meter=meter,
        log=log,
        links=links,
        openid=_openid(config, links),
        sessions=Sessions(time.monotonic),
        csrf=Csrf(),
        views=Views(),
        https=https,
        erasure_seconds=config.erasure_seconds,
    )
    routes: list[Route | Mount] = [
        Mount(STATIC.rstrip("/"), StaticFiles(directory=str(files("server.web") / "static"))),
        Route("/.well-known/gpc.json", _gpc),
    ]
    for part in _PARTS:
        routes.extend(part.routes(desk))
    app = Starlette(routes=routes, exception_handlers={HTTPException: _missing(desk)})
    return SecureHeaders(app, https=https)


def _openid(config: Config, links: Links) -> OpenId | None:
    """Where people sign in who have no link. Raises `ConfigurationError`."""
    if config.openid is None:
        return None
    try:
        from server.web.openid import OpenId, load_provider
    except ImportError:
        raise ConfigurationError(
            "openid needs an extra package; run: pip install 'tacit-memory[openid]'"
        ) from None
    provider = load_provider(toml_table(config.openid), str(config.openid))
    return OpenId(provider, lambda: links.page + sign_in.BACK, time.monotonic)


def _missing(desk: Desk) -> Callable[[Request, Exception], Awaitable[Response]]:
    """The page for an address, or a method, that there is none of."""

    async def refuse(_: Desk, visit: Visit) -> Response:
        error = visit.request.scope["tacit.error"]
        assert isinstance(error, HTTPException)
        raise error

    page = desk.page(refuse, public=True)

    async def handler(request: Request, error: Exception) -> Response:
        request.scope["tacit.error"] = error
        return await page(request)

    return handler


async def _gpc(_: Request) -> Response:
    return Response(_GPC, media_type="application/json")
