"""Proof that a form was made by this page for this browser (CSRF).

Rules:
- A form carries a MAC of the browser's cookie under a key of this process: whoever cannot read the
  cookie cannot make one, and signing in makes all earlier ones worthless.
- Where the browser says that another site sent the request, nothing else is asked.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

from starlette.datastructures import FormData
from starlette.requests import Request

FIELD: Final = "form_token"


class ForeignFormError(Exception):
    """A form that this page did not make for this browser, or made before sign-in."""


class Csrf:
    """Makes and checks tokens."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def token(self, cookie: str) -> str:
        """For forms shown to the browser that has this cookie."""
        return hmac.new(self._key, cookie.encode(), hashlib.sha256).hexdigest()

    def check(self, request: Request, form: FormData, cookie: str) -> None:
        """Lets the form pass, or `ForeignFormError`."""
        site = request.headers.get("sec-fetch-site", "same-origin")
        given = form.get(FIELD)
        known = isinstance(given, str) and hmac.compare_digest(
            given.encode(), self.token(cookie).encode()
        )
        if site != "same-origin" or not cookie or not known:
            raise ForeignFormError
