"""Your data: take it away, pause its use, or go on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from memory.app.export import Piece
from memory.app.register import FIRST
from server.web.desk import Desk, Visit
from server.web.forms import text
from server.web.headers import attachment
from server.web.memories import done

MAX_REQUESTS: Final = 100

_REQUESTS: Final = "SubjectRightsService/ListPersonRequests"
_EXPORT: Final = "SubjectRightsService/ExportData"


async def _rights(desk: Desk, visit: Visit) -> Response:
    caller, person = visit.session.caller, visit.session.person
    since = await desk.call(visit, _REQUESTS, desk.tacit.restrict.since, caller, person)
    asked, _ = await desk.call(
        visit, _REQUESTS, desk.tacit.register.of, caller, person, FIRST, MAX_REQUESTS
    )
    return desk.show(visit, "data.html", paused_since=since, requests=asked[::-1], done=done(visit))


async def _archive(desk: Desk, visit: Visit) -> Response:
    """The archive as it is made; what cannot begin is refused before a byte is sent."""
    form = await desk.form(visit)
    pieces = desk.tacit.export(
        visit.session.caller, visit.session.person, revealed=text(form, "names") == "yes"
    )
    first = await desk.call(visit, _EXPORT, _next, pieces)
    return StreamingResponse(
        _rest(desk, visit, first, pieces),
        media_type="application/jsonl",
        headers=attachment("tacit-archive.jsonl"),
    )


async def _rest(
    desk: Desk, visit: Visit, piece: Piece | None, pieces: Iterator[Piece]
) -> AsyncIterator[bytes]:
    while piece is not None:
        yield piece.data
        piece = await desk.call(visit, _EXPORT, _next, pieces)


def _next(pieces: Iterator[Piece]) -> Piece | None:
    return next(pieces, None)


async def _pause(desk: Desk, visit: Visit) -> Response:
    await desk.form(visit)
    await desk.call(
        visit,
        "SubjectRightsService/RestrictProcessing",
        desk.tacit.restrict,
        visit.session.caller,
        visit.session.person,
    )
    return RedirectResponse("/data?done=paused", 303)


async def _resume(desk: Desk, visit: Visit) -> Response:
    await desk.form(visit)
    await desk.call(
        visit,
        "SubjectRightsService/LiftRestriction",
        desk.tacit.restrict.lift,
        visit.session.caller,
        visit.session.person,
    )
    return RedirectResponse("/data?done=resumed", 303)


def routes(desk: Desk) -> Sequence[Route]:
    """The pages of this module."""
    return (
        Route("/data", desk.page(_rights)),
        Route("/data/archive", desk.page(_archive), methods=["POST"]),
        Route("/data/pause", desk.page(_pause), methods=["POST"]),
        Route("/data/resume", desk.page(_resume), methods=["POST"]),
    )
