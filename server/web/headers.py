"""What goes with every answer: what a browser must not do with it.

Rules:
- Nothing inline and nothing from elsewhere: scripts, styles, pictures and forms are this page's own
  (Content-Security-Policy, which holds even where a template should fail to escape).
- No other page frames this one, opens it, or learns from which page a link was followed.
- Answers are kept by no cache; the stylesheet and scripts are, and are asked about each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC: Final = "/static/"

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
    "x-robots-tag": "noindex, nofollow",
}


def attachment(name: str) -> dict[str, str]:
    """The header of an answer that is a file to keep."""
    return {"content-disposition": f'attachment; filename="{name}"'}


_HSTS: Final = "max-age=31536000"


class SecureHeaders:
    """The outermost layer of the page."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._headers = dict(HEADERS) | ({"strict-transport-security": _HSTS} if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kept = "no-cache" if scope["path"].startswith(STATIC) else "no-store"

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers | {"cache-control": kept})
            await send(message)

        await self._app(scope, receive, with_headers)
