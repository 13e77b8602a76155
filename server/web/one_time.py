"""Secrets that are good once, for a while: one-time links, and questions put to a provider.

Rules:
- A secret is kept only as its hash, and what it stands for until it is taken or its time is over.
- They lie in memory: what a restart ends was never used, and is asked for anew.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class OneTime(Generic[T]):
    """What waits to be taken, each under a secret. For any thread."""

    def __init__(self, seconds: float, most: int, monotonic: Callable[[], float]) -> None:
        """`seconds`: how long each waits. Beyond `most`, the oldest go."""
        self._seconds = seconds
        self._most = most
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._waiting: OrderedDict[bytes, tuple[T, float]] = OrderedDict()

    def put(self, secret: str, value: T) -> None:
        """Lets `value` wait for whoever has the secret."""
        with self._lock:
            self._waiting[hashed(secret)] = value, self._monotonic() + self._seconds
            while len(self._waiting) > self._most:
                self._waiting.popitem(last=False)

    def take(self, secret: str) -> T | None:
        """What waits under the secret, from now on under none; None where nothing does."""
        with self._lock:
            value, until = self._waiting.pop(hashed(secret), (None, 0.0))
        return value if self._monotonic() < until else None


def hashed(secret: str) -> bytes:
    """What is kept of a secret (SHA-256)."""
    return hashlib.sha256(secret.encode()).digest()
