"""When a call may be made again, and how long to wait before: decisions, no IO.

Rules:
- With a RetryInfo the server did nothing: every call may be repeated, no earlier than it says.
- Without one the call may have happened: only what is safe to repeat is, and only if the server
  was gone or slow (UNAVAILABLE, DEADLINE_EXCEEDED).
- Waits double and are random from half to all of that, so that callers that failed together do not
  come back together (Brooker, "Exponential Backoff And Jitter", 2015).
- No attempt starts after the call's deadline.
"""

from __future__ import annotations

import random
from typing import Final

from memory.client.errors import ClientError

FIRST_SECONDS: Final = 0.1
LONGEST_SECONDS: Final = 5.0
MOST_ATTEMPTS: Final = 8
"""Six to eleven seconds of waiting: a restart is waited out, a wrong target is told as such."""

_GONE: Final = ("UNAVAILABLE", "DEADLINE_EXCEEDED")
_REFUSED: Final = ("UNAVAILABLE", "RESOURCE_EXHAUSTED")


class Budget:
    """The attempts of one call and the time that is left for them, in seconds of one clock."""

    def __init__(self, *, now: float, seconds: float, repeatable: bool = True) -> None:
        self._seconds = seconds
        self._repeatable = repeatable
        self.renew(now)

    def renew(self, now: float) -> None:
        """Starts over: the last attempt brought something."""
        self._deadline = now + self._seconds
        self._failed = 0

    def left(self, now: float) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._deadline - now)

    def pause(self, error: ClientError, now: float) -> float:
        """Seconds to wait before the next attempt.

        Raises:
            ClientError: `error` itself, when there is to be none.
        """
        self._failed += 1
        told = error.retry_seconds
        again = (
            error.status in _REFUSED
            if told is not None
            else self._repeatable and error.status in _GONE
        )
        step = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** (self._failed - 1))
        wait: float = (told or 0.0) + step * random.uniform(0.5, 1.0)  # noqa: S311 (spreads load)
        if not again or self._failed == MOST_ATTEMPTS or wait >= self.left(now):
            raise error
        return wait
