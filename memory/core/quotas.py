"""How many memories may be kept of one person, for everyone or for single tenants.

    memories_per_person = 20000     as many as the disk holds when not said
    [tenants.clinic]
    memories_per_person = 500

Rules:
- It stands in the same file as the limits of calls, whose own keys `server.limits` reads.
- What is there already stays, however low it is set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from memory.core.tenants import PerTenant, per_tenant
from memory.errors import ConfigurationError

MEMORIES_PER_PERSON: Final = "memories_per_person"
MAX_MEMORIES: Final = 100_000_000

Quotas = PerTenant[int | None]
"""None is no quota."""


def load_quotas(table: Mapping[str, object], origin: str) -> Quotas:
    """The quotas of a TOML table; `origin` names the file in errors.

    Raises:
        ConfigurationError: an unknown tenant name, or a value out of its range.
    """
    return per_tenant(table, origin, _load)


def _load(table: Mapping[str, object]) -> int | None:
    value = table.get(MEMORIES_PER_PERSON)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_MEMORIES:
        raise ConfigurationError(
            f"{MEMORIES_PER_PERSON}: must be a whole number from 1 to {MAX_MEMORIES}"
        )
    return value
