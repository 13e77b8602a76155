"""Documents: whether a receipt, a certificate or a proof is what this deployment signed.

Open to whoever holds a document: someone who was forgotten has no session any more.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response
from starlette.routing import Route

from memory.core.signing import Verifier
from memory.errors import TacitError
from server.signed_files import HEAD_BYTES, kind_of
from server.web.desk import Desk, Visit

Checked = tuple[str, Mapping[str, str]]
"""What kind of document it is, and what it says; empty strings for one that is not good."""

NOT_GOOD: Checked = ("", {})


async def _ask(desk: Desk, visit: Visit) -> Response:
    return _shown(desk, visit, None)


async def _check(desk: Desk, visit: Visit) -> Response:
    form = await desk.form(visit)
    file = form.get("document")
    raw = await file.read() if isinstance(file, UploadFile) else b""
    return _shown(desk, visit, await run_in_threadpool(_checked, raw, desk.tacit.signer.verifier))


def _checked(raw: bytes, verifier: Verifier) -> Checked:
    kind = kind_of(raw[:HEAD_BYTES])
    if kind is None:
        return NOT_GOOD
    try:
        return kind.name, kind.check(io.BytesIO(raw), verifier)
    except (TacitError, ValueError, LookupError):
        return NOT_GOOD


def _shown(desk: Desk, visit: Visit, checked: Checked | None) -> Response:
    status = 200 if checked is None or checked[0] else 422
    key = str(desk.tacit.signer.verifier)
    return desk.show(visit, "documents.html", status, checked=checked, key=key)


def routes(desk: Desk) -> Sequence[Route]:
    """The pages of this module."""
    return (
        Route("/documents", desk.page(_ask, public=True)),
        Route("/documents", desk.page(_check, public=True), methods=["POST"]),
    )
