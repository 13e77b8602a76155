"""What was concluded about the person: what holds of them, and moods; and "that's wrong"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from memory.app.narrow import Which
from memory.core.feedback import Rating
from memory.core.values import RecordId
from memory.errors import ConsentError, InvalidArgumentError
from server.web.desk import Desk, Visit
from server.web.memories import done

LOOKED_THROUGH: Final = 200
"""The latest memories, for the moods that were read from them."""

MAX_WRONG: Final = 50
"""Memories that one "that's wrong" is about: all that say so."""


async def _list(desk: Desk, visit: Visit) -> Response:
    tacit, access = desk.tacit, visit.access
    try:
        known = await desk.call(visit, "MemoryService/GetProfile", tacit.profile, access)
        latest, _ = await desk.call(
            visit,
            "MemoryService/ListMemories",
            tacit.rectify.latest,
            access,
            Which(),
            None,
            LOOKED_THROUGH,
        )
        learnt = await desk.call(
            visit, "MemoryService/GetPersonalization", tacit.personalize.show, access
        )
    except ConsentError:  # nothing is kept of someone unknown
        return desk.show(visit, "inferences.html", known=(), moods=(), doubted=0, done="")
    return desk.show(
        visit,
        "inferences.html",
        known=known,
        moods=[memory for memory in latest if memory.content.affect is not None],
        doubted=len(learnt.doubted),
        done=done(visit),
    )


async def _wrong(desk: Desk, visit: Visit) -> Response:
    form = await desk.form(visit)
    named = [one for one in form.getlist("memory") if isinstance(one, str)]
    if not 0 < len(named) <= MAX_WRONG:
        raise InvalidArgumentError("memory", f"must be named, at most {MAX_WRONG} times")
    for record in [RecordId.parse(one) for one in named]:
        await desk.call(
            visit,
            "MemoryService/RateMemory",
            desk.tacit.personalize.rate,
            visit.access,
            record,
            Rating.WRONG,
        )
    return RedirectResponse("/inferences?done=rated", 303)


async def _reset(desk: Desk, visit: Visit) -> Response:
    await desk.form(visit)
    await desk.call(
        visit,
        "MemoryService/ResetPersonalization",
        desk.tacit.personalize.reset,
        visit.session.caller,
        visit.session.person,
    )
    return RedirectResponse("/inferences?done=reset", 303)


def routes(desk: Desk) -> Sequence[Route]:
    """The pages of this module."""
    return (
        Route("/inferences", desk.page(_list)),
        Route("/inferences/wrong", desk.page(_wrong), methods=["POST"]),
        Route("/inferences/reset", desk.page(_reset), methods=["POST"]),
    )
