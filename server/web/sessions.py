"""Sessions: who sits before the browser, for some minutes.

Rules:
- The cookie holds 32 random bytes and nothing else; here lies only its hash.
- A session ends `IDLE_SECONDS` after the last request, and `LONGEST_SECONDS` after sign-in at the
  latest; a restart ends them all.
- Signing in makes a new cookie, whatever the browser came with (session fixation).
- Before sign-in the cookie is a visitor's: good for forms of this page, and for nothing else.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from memory.core.values import AssistantId, Caller, PersonId, RecordId
from server.policy import CONSENT, ERASE, EXPORT, READ, REVEAL, WRITE
from server.web.links import Guest
from server.web.one_time import hashed

PAGE: Final = AssistantId("tacit.page")
"""What the ledger names where the person used the page."""

IDLE_SECONDS: Final = 900
LONGEST_SECONDS: Final = 3600
MAX_SESSIONS: Final = 10_000
"""Open at once; beyond, the longest unused go."""

_SCOPES: Final = frozenset({WRITE, READ, REVEAL, CONSENT, EXPORT, ERASE})
_COOKIE_BYTES: Final = 32


@dataclass(slots=True)
class Session:
    """A person, signed in. `erasure` is that of the whole person, once they asked for it."""

    caller: Caller
    began: float
    seen: float
    erasure: RecordId | None = None

    @property
    def person(self) -> PersonId:
        assert self.caller.person is not None
        return self.caller.person


class Sessions:
    """Open sessions. For the page's event loop alone."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._open: OrderedDict[bytes, Session] = OrderedDict()

    def begin(self, guest: Guest) -> str:
        """The cookie of a new session."""
        cookie = new_cookie()
        now = self._monotonic()
        caller = Caller(guest.tenant, PAGE, _SCOPES, guest.person)
        self._open[hashed(cookie)] = Session(caller, now, now)
        while len(self._open) > MAX_SESSIONS:
            self._open.popitem(last=False)
        return cookie

    def find(self, cookie: str) -> Session | None:
        """The session of a cookie, if it has one that is still open."""
        key, now = hashed(cookie), self._monotonic()
        session = self._open.get(key)
        if session is None:
            return None
        if now - session.seen >= IDLE_SECONDS or now - session.began >= LONGEST_SECONDS:
            del self._open[key]
            return None
        session.seen = now
        self._open.move_to_end(key)
        return session

    def end(self, cookie: str) -> None:
        """Ends the session of a cookie, if it has one."""
        self._open.pop(hashed(cookie), None)


def new_cookie() -> str:
    """What a cookie holds: 43 characters that nobody guesses."""
    return secrets.token_urlsafe(_COOKIE_BYTES)
