"""What every page does alike: who is it, may they, do it in the domain's threads, tell the log.

    page(handler)     session or sign-in; every refusal becomes a page that says what to do
    desk.call(...)    one use case, under the policy, the limits and the log line of its rpc

Rules:
- A page names the rpc whose use case it calls, and is refused as that rpc would be.
- A fault is told to the log by class and place, to the person by a request id.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from memory.bootstrap import Tacit
from memory.core.purposes import OWN_RIGHTS, Purposes
from memory.core.values import Access, PurposeId
from memory.errors import ErasureInProgressError, InvalidArgumentError, TacitError
from server.limits import Meter, lane
from server.logs import CallEnded, Fault, Log, place_of
from server.policy import POLICIES, authorize
from server.web.csrf import Csrf, ForeignFormError
from server.web.forms import read_form
from server.web.links import Links
from server.web.sessions import Session, Sessions, new_cookie
from server.web.views import Views
from server.workers import Workers

if TYPE_CHECKING:
    from server.web.openid import OpenId

P = ParamSpec("P")
T = TypeVar("T")

LANGUAGE_COOKIE: Final = "tacit-language"

_STATUS: Final = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "FAILED_PRECONDITION": 409,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
}
"""How HTTP says what gRPC's statuses say."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request: who sits there, if they are signed in, and the cookie they came with."""

    request: Request
    cookie: str
    signed_in: Session | None

    @property
    def session(self) -> Session:
        """Who sits there; known where a page is for people who are signed in."""
        assert self.signed_in is not None
        return self.signed_in

    @property
    def access(self) -> Access:
        """The person's own look at what is theirs."""
        return Access(self.session.caller, self.session.person, OWN_RIGHTS.id)


Handler = Callable[["Desk", Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Desk:
    """What pages share."""

    tacit: Tacit
    workers: Workers
    meter: Meter
    log: Log
    links: Links
    openid: OpenId | None
    """Where people can sign in who have no link; None where that is nowhere."""
    sessions: Sessions
    csrf: Csrf
    views: Views
    https: bool
    erasure_seconds: int

    @property
    def cookie_name(self) -> str:
        """Over HTTPS, one that no other host and no plain connection can set."""
        return "__Host-tacit" if self.https else "tacit"

    def page(self, handler: Handler, *, public: bool = False) -> Callable[..., Awaitable[Response]]:
        """The endpoint: for people who are signed in, unless it is `public`."""

        async def endpoint(request: Request) -> Response:
            cookie = request.cookies.get(self.cookie_name, "")
            visit = Visit(request, cookie or new_cookie(), self.sessions.find(cookie))
            try:
                if visit.signed_in is None and not public:
                    return _to_sign_in(request)
                response = await handler(self, visit)
            except (TacitError, ForeignFormError, HTTPException) as refusal:
                response = self._refused(visit, refusal)
            except Exception as error:
                response = self._failed(visit, error)
            finally:
                await request.close()
            if not cookie:
                self.set_cookie(response, visit.cookie)
            return response

        return endpoint

    async def call(
        self, visit: Visit, rpc: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What `work` returns: the use case behind `rpc`, done as the person.

        Raises whatever the use case raises, `RateLimitedError` and `TooBusyError`.
        """
        caller = visit.session.caller
        began, status, reason = time.perf_counter(), "OK", ""
        try:
            authorize(POLICIES[f"memory.v1.{rpc}"], caller)
            self.meter.count(caller, 0)
            return await self.workers.run(lane(caller), work, *args, **kwargs)
        except Exception as error:
            status, reason = getattr(error, "status", "INTERNAL"), getattr(error, "reason", "")
            raise
        finally:
            ms = round((time.perf_counter() - began) * 1000, 2)
            tenant, by = str(caller.tenant), str(caller.assistant)
            method = f"memory.v1.{rpc}"
            self.log.write(CallEnded(method, status, reason, ms, str(uuid.uuid4()), tenant, by))

    async def form(self, visit: Visit) -> FormData:
        """The fields of a form of this page. Raises `ForeignFormError`, `HTTPException`."""
        form = await read_form(visit.request)
        self.csrf.check(visit.request, form, visit.request.cookies.get(self.cookie_name, ""))
        return form

    def show(self, visit: Visit, template: str, status: int = 200, **values: object) -> Response:
        """A page."""
        return self.views.show(
            template,
            self.language(visit),
            status,
            path=visit.request.url.path,
            query=visit.request.url.query,
            signed_in=visit.signed_in is not None,
            form_token=self.csrf.token(visit.cookie),
            provider=self.openid and self.openid.name,
            gpc=visit.request.headers.get("sec-gpc") == "1",
            **values,
        )

    def language(self, visit: Visit) -> str:
        """The tag of the language that the person chose, or that their browser asks for."""
        chosen = visit.request.cookies.get(LANGUAGE_COOKIE, "")
        return self.views.language(chosen, visit.request.headers.get("accept-language", ""))

    def purposes(self, visit: Visit) -> Purposes:
        """The registry of the person's tenant."""
        return self.tacit.registry.of(visit.session.caller.tenant)

    def titles(self, visit: Visit) -> dict[PurposeId, str]:
        """Of the registry's purposes, in the person's language."""
        language = self.language(visit)
        known = self.purposes(visit).by_id.values()
        return {purpose.id: purpose.in_language(language).title for purpose in known}

    def set_cookie(self, response: Response, cookie: str) -> None:
        """For this browser alone, out of reach of scripts and of other sites' requests."""
        response.set_cookie(
            self.cookie_name, cookie, httponly=True, secure=self.https, samesite="lax"
        )

    def _refused(
        self, visit: Visit, refusal: TacitError | ForeignFormError | HTTPException
    ) -> Response:
        if isinstance(refusal, ErasureInProgressError) and visit.session.erasure:
            return RedirectResponse("/forget/progress", 303)
        match refusal:
            case HTTPException():
                status, key, field = refusal.status_code, f"http.{refusal.status_code}", ""
            case ForeignFormError():
                status, key, field = 403, "reason.FORM_NOT_OURS", ""
            case _:
                status, key = _STATUS.get(refusal.status, 500), f"reason.{refusal.reason}"
                field = refusal.field if isinstance(refusal, InvalidArgumentError) else ""
        return self.show(visit, "error.html", status, reason=key, field=field, request_id="")

    def _failed(self, visit: Visit, error: Exception) -> Response:
        request_id = str(uuid.uuid4())
        route = visit.request.scope.get("route")
        where = f"page {getattr(route, 'path', '')}"
        self.log.write(Fault(where, request_id, type(error).__name__, place_of(error)))
        return self.show(
            visit, "error.html", 500, reason="reason.INTERNAL", field="", request_id=request_id
        )


def _to_sign_in(request: Request) -> Response:
    """Also for a part of a page that htmx asked for: then the whole page goes there."""
    if "hx-request" in request.headers:
        return Response(headers={"hx-redirect": "/sign-in"})
    return RedirectResponse("/sign-in", 303)
