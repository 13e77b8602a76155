"""Forget me: what will happen, said first; how far it is; and the certificate to keep."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from memory.errors import InvalidArgumentError, NotFoundError
from memory.ports import ErasureRow, ErasureState
from server.web.desk import Desk, Visit
from server.web.forms import text
from server.web.headers import attachment

STEPS = tuple(ErasureState)


async def _ask(desk: Desk, visit: Visit) -> Response:
    if visit.session.erasure is not None:
        return RedirectResponse("/forget/progress", 303)
    hours = timedelta(seconds=desk.erasure_seconds) // timedelta(hours=1)
    return desk.show(visit, "forget.html", hours=hours)


async def _forget(desk: Desk, visit: Visit) -> Response:
    form = await desk.form(visit)
    if text(form, "sure") != "yes":
        raise InvalidArgumentError("sure", "is needed")
    session = visit.session
    erasure = await desk.call(
        visit,
        "SubjectRightsService/ForgetUser",
        desk.tacit.forget,
        session.caller,
        session.person,
        wait=0.0,
    )
    session.erasure = erasure.id
    return RedirectResponse("/forget/progress", 303)


async def _progress(desk: Desk, visit: Visit) -> Response:
    erasure = await _erasure(desk, visit)
    return desk.show(
        visit,
        "progress.html",
        erasure=erasure,
        steps=STEPS,
        reached=STEPS.index(erasure.state),
        finished=bool(erasure.certificate),
        due=erasure.epoch_due(desk.tacit.eraser.bound),
    )


async def _certificate(desk: Desk, visit: Visit) -> Response:
    erasure = await _erasure(desk, visit)
    if not erasure.certificate:
        raise NotFoundError("no certificate yet", resource="certificate")
    headers = attachment(f"erasure-{erasure.id}.json")
    return Response(erasure.certificate, media_type="application/json", headers=headers)


async def _erasure(desk: Desk, visit: Visit) -> ErasureRow:
    """The erasure that was asked for in this session, and no other."""
    asked = visit.session.erasure
    if asked is None:
        raise NotFoundError("no such erasure", resource="erasure")
    return await desk.call(
        visit,
        "SubjectRightsService/GetErasureCertificate",
        desk.tacit.forget.get,
        visit.session.caller,
        asked,
    )


def routes(desk: Desk) -> Sequence[Route]:
    """The pages of this module."""
    return (
        Route("/forget", desk.page(_ask)),
        Route("/forget", desk.page(_forget), methods=["POST"]),
        Route("/forget/progress", desk.page(_progress)),
        Route("/forget/certificate", desk.page(_certificate)),
    )
