"""What the server counts: calls by rpc and status, and how long they took. No content, no ids."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Final

BOUNDS_MS: Final = (1, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 50, 75, 100, 200, 500, 1000, 5000, 30000)
"""Upper ends of the latency buckets; one more holds the rest."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long the calls of one rpc took: so many in each bucket, and all of them together."""

    buckets: tuple[int, ...]
    ms: float


class Metrics:
    """Counts. Written by the event loop alone; any thread may read."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._calls: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._refusals: Counter[tuple[str, str]] = Counter()
        self._buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS_MS) + 1))
        self._ms: defaultdict[str, float] = defaultdict(float)

    def begin(self) -> None:
        """A call is accepted."""
        self.in_flight += 1
        self._idle.clear()

    async def idle(self) -> None:
        """Waits until no call is in hand."""
        await self._idle.wait()

    def end(self, method: str, status: str, ms: float, reason: str = "") -> None:
        """An accepted call is answered, or refused for a reason."""
        self.in_flight -= 1
        if self.in_flight == 0:
            self._idle.set()
        self._calls[method][status] += 1
        self._buckets[method][bisect_left(BOUNDS_MS, ms)] += 1
        self._ms[method] += ms
        if reason:
            self._refusals[method, reason] += 1

    def calls(self) -> dict[str, dict[str, int]]:
        """Ended calls by rpc, then by status."""
        return {method: dict(statuses) for method, statuses in sorted(self._calls.items())}

    def refusals(self) -> dict[tuple[str, str], int]:
        """Refused calls by rpc and reason."""
        return dict(self._refusals)

    def latencies(self) -> dict[str, Latency]:
        """By rpc."""
        return {
            method: Latency(tuple(buckets), self._ms[method])
            for method, buckets in sorted(self._buckets.items())
        }

    def quantile_ms(self, method: str, share: float) -> float:
        """The upper end of the bucket that holds this share of the rpc's calls; 0 if none."""
        buckets = self._buckets.get(method, [])
        wanted = share * sum(buckets)
        seen = 0
        for bound, count in zip((*BOUNDS_MS, float("inf")), buckets, strict=False):
            seen += count
            if count and seen >= wanted:
                return min(bound, 2 * BOUNDS_MS[-1])
        return 0.0
