"""One-time links: how a person comes to a session without a password.

Rules:
- A secret opens one session, once, within `LINK_SECONDS`, and is kept only as its hash.
- It travels behind the '#' of the address, which browsers send to nobody, and is given back in the
  body of a form: looking at the link, as programs that preview messages do, uses nothing up.
- Links lie in memory: what a restart ends was never used, and is asked for anew.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from memory.core.values import PersonId, TenantId
from memory.errors import UnauthenticatedError

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
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._waiting: OrderedDict[bytes, tuple[Guest, float]] = OrderedDict()

    def make(self, guest: Guest) -> str:
        """A secret that signs this person in: eight groups of four letters and digits."""
        code = base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode().lower()
        with self._lock:
            self._waiting[_hash(code)] = guest, self._monotonic() + LINK_SECONDS
            while len(self._waiting) > MAX_LINKS:
                self._waiting.popitem(last=False)
        return "-".join(code[i : i + 4] for i in range(0, len(code), 4))

    def use(self, secret: str) -> Guest:
        """Whom it signs in; from now on it signs nobody in.

        Raises:
            UnauthenticatedError: used, expired, or never made.
        """
        with self._lock:
            guest, until = self._waiting.pop(_hash(secret), (None, 0.0))
        if guest is None or self._monotonic() >= until:
            raise UnauthenticatedError("this link was used or has expired; ask for a new one")
        return guest


def _hash(secret: str) -> bytes:
    """Of the secret as typed: with or without its hyphens, in any case."""
    return hashlib.sha256(_SEPARATORS.sub("", secret).lower().encode()).digest()
