"""A provider that did not answer is left alone for a moment.

Without this, every call that needs a key would wait out all its attempts, and hold a worker that
others need, whose keys are in use already.
"""

from __future__ import annotations

import time
from typing import Final

from memory.errors import KeyUnavailableError

SECONDS: Final = 1.0
"""What the wire advises callers to wait before they repeat a call."""


class Silence:
    """Safe to share between threads."""

    def __init__(self) -> None:
        self._until = 0.0

    def check(self) -> None:
        """Raises `KeyUnavailableError` if the provider did not answer a moment ago."""
        if time.monotonic() < self._until:
            raise KeyUnavailableError(
                "the key provider did not answer a moment ago; repeat the call"
            )

    def begin(self) -> None:
        """It did not answer now."""
        self._until = time.monotonic() + SECONDS
