"""One-time links: how a person comes to a session without a password.

Rules:
- A secret opens one session, once, within `LINK_SECONDS`, and is kept only as its hash.
- It travels behind the '#' of the address, which browsers send to nobody, and is given back in the
  body of a form: looking at the link, as programs that preview messages do, uses nothing up.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from memory.core.values import PersonId, TenantId
from memory.errors import UnauthenticatedError
from server.web.one_time import OneTime

LINK_SECONDS: Final = 900
"""How long a link waits to be used."""

MAX_LINKS: Final = 10_000
"""Unused ones; beyond, the oldest go."""

_SECRET_BYTES: Final = 20
_SEPARATORS: Final = re.compile(r"[\s\-]+")


@dataclass(frozen=True, slots=True)
class Guest:
    """Whom a link signs in."""

    tenant: TenantId
    person: PersonId


class Links:
    """Links that wait to be used. For any thread."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.page = ""
        """Where the page is, without a slash at the end; empty where none is served."""
        self._waiting = OneTime[Guest](LINK_SECONDS, MAX_LINKS, monotonic)

    def make(self, guest: Guest) -> str:
        """A secret that signs this person in: eight groups of four letters and digits."""
        code = base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode().lower()
        self._waiting.put(code, guest)
        return "-".join(code[i : i + 4] for i in range(0, len(code), 4))

    def use(self, secret: str) -> Guest:
        """Whom it signs in, as typed: without hyphens or with, in any case; from now on nobody.

        Raises:
            UnauthenticatedError: used, expired, or never made.
        """
        guest = self._waiting.take(_SEPARATORS.sub("", secret).lower())
        if guest is None:
            raise UnauthenticatedError("this link was used or has expired; ask for a new one")
        return guest
