"""Signing in, by a one-time link or at an OpenID provider; signing out; choosing a language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from memory.errors import UnauthenticatedError
from server.web.desk import LANGUAGE_COOKIE, Desk, Visit
from server.web.forms import text
from server.web.links import Guest
from server.web.words import LANGUAGES

if TYPE_CHECKING:
    from server.web.openid import OpenId

HOME: Final = "/memories"
BACK: Final = "/sign-in/openid/back"
"""The path of the redirect URI, to be registered with the provider."""

LEAVING: Final = {"clear-site-data": '"cache", "storage"'}

_OWN_PATH: Final = re.compile(r"/(?:[A-Za-z0-9\-]+(?:/[A-Za-z0-9\-]+)*)?")
_YEAR_SECONDS: Final = 31_536_000


async def _start(_: Desk, visit: Visit) -> Response:
    return RedirectResponse(HOME if visit.signed_in else "/sign-in", 303)


async def _ask(desk: Desk, visit: Visit) -> Response:
    return desk.show(visit, "sign_in.html", problem="")


async def _enter(desk: Desk, visit: Visit) -> Response:
    form = await desk.form(visit)
    try:
        guest = desk.links.use(text(form, "code"))
    except UnauthenticatedError:
        return desk.show(visit, "sign_in.html", 401, problem="sign_in.problem")
    return _signed_in(desk, visit, guest)


async def _to_provider(desk: Desk, visit: Visit) -> Response:
    try:
        return RedirectResponse(await _openid(desk).begin(visit.cookie), 303)
    except UnauthenticatedError:
        return desk.show(visit, "sign_in.html", 503, problem="sign_in.provider_down")


async def _from_provider(desk: Desk, visit: Visit) -> Response:
    try:
        guest = await _openid(desk).finish(visit.cookie, visit.request.query_params)
    except UnauthenticatedError:
        return desk.show(visit, "sign_in.html", 401, problem="sign_in.provider_problem")
    return _signed_in(desk, visit, guest)


def _openid(desk: Desk) -> OpenId:
    if desk.openid is None:
        raise HTTPException(404)
    return desk.openid


def _signed_in(desk: Desk, visit: Visit, guest: Guest) -> Response:
    desk.sessions.end(visit.cookie)
    response = RedirectResponse(HOME, 303)
    desk.set_cookie(response, desk.sessions.begin(guest))
    return response


async def _leave(desk: Desk, visit: Visit) -> Response:
    await desk.form(visit)
    desk.sessions.end(visit.cookie)
    response = RedirectResponse("/sign-in", 303, headers=LEAVING)
    response.delete_cookie(desk.cookie_name, secure=desk.https, httponly=True, samesite="lax")
    return response


async def _language(desk: Desk, visit: Visit) -> Response:
    form = await desk.form(visit)
    back, tag = text(form, "back"), text(form, "language")
    response = RedirectResponse(back if _OWN_PATH.fullmatch(back) else "/", 303)
    if tag in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE,
            tag,
            max_age=_YEAR_SECONDS,
            httponly=True,
            secure=desk.https,
            samesite="lax",
        )
    return response


def routes(desk: Desk) -> Sequence[Route]:
    """The pages of this module."""
    return (
        Route("/", desk.page(_start, public=True)),
        Route("/sign-in", desk.page(_ask, public=True)),
        Route("/sign-in", desk.page(_enter, public=True), methods=["POST"]),
        Route("/sign-in/openid", desk.page(_to_provider, public=True)),
        Route(BACK, desk.page(_from_provider, public=True)),
        Route("/sign-out", desk.page(_leave), methods=["POST"]),
        Route("/language", desk.page(_language, public=True), methods=["POST"]),
    )
