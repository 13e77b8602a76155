"""How many calls a tenant may make, so that one that makes too many slows itself down alone.

    calls_per_second = 200          on average; as many as the server can do when not said
    burst = 400                     at once, after a pause; two seconds' worth when not said
    memories_per_person = 20000     see `memory.core.quotas`
    [tenants.clinic]
    calls_per_second = 20

Rules:
- A call costs one, and one more for each 256 bytes of its request: a batch costs about as much as
  its memories would one by one.
- Assistants are counted apart from people who call for themselves, so that no assistant can use up
  what its people need for their rights. Operators are not counted.
- Counted in this process alone: behind a balancer, each replica gives its share.
- An unknown key is an error: a typing mistake must not leave a limit switched off.

The counting is the generic cell rate algorithm (ITU-T I.371): one instant a tenant, when all that
it was let do would have been done at its rate.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from memory.core.quotas import MEMORIES_PER_PERSON
from memory.core.tenants import PerTenant, per_tenant
from memory.core.values import Caller, TenantId
from memory.errors import ConfigurationError
from server.errors import RateLimitedError
from server.policy import OPERATE

BYTES_EACH: Final = 256
"""Of a request: so many cost as much as a call."""

BURST_SECONDS: Final = 2.0
MAX_CALLS: Final = 1_000_000

_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Limit:
    """What one tenant may do: `rate` calls a second on average, `burst` of them at once."""

    rate: float = math.inf
    burst: float = math.inf


def lane(caller: Caller) -> tuple[TenantId, bool]:
    """With whom a caller is counted, and waits."""
    return caller.tenant, caller.person is not None


class Meter:
    """Counts, and turns away. Safe to use from several threads: gRPC and the page count as one."""

    def __init__(self, limits: PerTenant[Limit], monotonic: Callable[[], float]) -> None:
        """`monotonic` tells seconds that never go back."""
        self._limits = limits
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._done_at: dict[tuple[TenantId, bool], float] = {}

    def count(self, caller: Caller, request_bytes: int) -> None:
        """Lets a call with a request of this size pass.

        Raises:
            RateLimitedError: it is one too many, with the seconds to wait.
        """
        limit = self._limits.of(caller.tenant)
        if math.isinf(limit.rate) or OPERATE in caller.scopes:
            return
        whose = lane(caller)
        cost = 1 + request_bytes // BYTES_EACH
        with self._lock:
            now = self._monotonic()
            # A request that alone is over the burst is let through by whoever has used up nothing.
            done_at = max(self._done_at.get(whose, 0.0), now)
            wait = done_at - now - max(limit.burst - cost, 0.0) / limit.rate
            if wait > _ROUNDING:
                raise RateLimitedError("this tenant makes more calls than it may", wait)
            self._done_at[whose] = done_at + cost / limit.rate


def load_limits(table: Mapping[str, object], origin: str) -> PerTenant[Limit]:
    """The limits of a TOML table; `origin` names the file in errors.

    Raises:
        ConfigurationError: an unknown tenant name or key, or a value out of its range.
    """
    return per_tenant(table, origin, _load)


def _load(table: Mapping[str, object]) -> Limit:
    if unknown := set(table) - {"calls_per_second", "burst", MEMORIES_PER_PERSON}:
        raise ConfigurationError(f"unknown setting {min(unknown)!r}")
    rate = _calls(table, "calls_per_second")
    if rate is None:
        if "burst" in table:
            raise ConfigurationError("burst: goes with calls_per_second")
        return Limit()
    return Limit(rate, _calls(table, "burst") or max(1.0, rate * BURST_SECONDS))


def _calls(table: Mapping[str, object], key: str) -> float | None:
    value = table.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_CALLS:
        raise ConfigurationError(f"{key}: must be a number above 0, up to {MAX_CALLS}")
    return float(value)
