"""Who read what: the ledger's view, as a timeline and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from memory.core.micros import from_place, to_place
from memory.core.purposes import OWN_RIGHTS
from memory.core.values import AssistantId, RecordId
from memory.errors import InvalidArgumentError
from memory.ports import AccessFilter
from server.web import plot
from server.web.desk import Desk, Visit
from server.web.forms import Fields, text
from server.web.sessions import PAGE

PAGE_SIZE: Final = 50
DRAWN: Final = 1_000
"""Events that the picture is drawn of: the latest."""

_LIST: Final = "SubjectRightsService/ListAccessEvents"


async def _list(desk: Desk, visit: Visit) -> Response:
    query, now = visit.request.query_params, desk.tacit.consents.clock()
    name, before = text(query, "assistant"), _before(query)
    assistant = AssistantId(name) if name else None
    session, log = visit.session, desk.tacit.access_log
    page, more = await desk.call(
        visit,
        _LIST,
        log,
        session.caller,
        session.person,
        AccessFilter(assistant=assistant),
        PAGE_SIZE,
        before,
    )
    lately = AccessFilter(start=now - timedelta(days=plot.DAYS), assistant=assistant)
    drawn, _ = await desk.call(visit, _LIST, log, session.caller, session.person, lately, DRAWN)
    return desk.show(
        visit,
        "reads.html",
        events=[one.event for one in page],
        more="" if more is None else to_place(*more).hex(),
        assistant=name,
        titles=desk.titles(visit),
        own_rights=OWN_RIGHTS.id,
        page_name=PAGE,
        bars=plot.bars((one.event for one in drawn), now),
        plot=plot,
        first=now - timedelta(days=plot.DAYS - 1),
        now=now,
    )


def _before(query: Fields) -> tuple[datetime, RecordId] | None:
    place = text(query, "before")
    try:
        return from_place(bytes.fromhex(place)) if place else None
    except (ValueError, OverflowError):
        raise InvalidArgumentError("before", "must be a place that this page made") from None


def routes(desk: Desk) -> Sequence[Route]:
    """The pages of this module."""
    return (Route("/reads", desk.page(_list)),)
