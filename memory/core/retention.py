"""How long a memory is kept (GDPR Art. 5(1)(e)).

Rules:
- It ends when its purpose's retention is over, or earlier if the caller said so; never later.
- A retention that is shortened holds for what is stored already. One that is lengthened does not:
  what was stored keeps the end that it was stored with.
- From its end on a memory is shown to nobody, whether or not it is erased yet.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from memory.errors import InvalidArgumentError


def end(
    stored_at: datetime, retention: timedelta | None, wanted: datetime | None, now: datetime
) -> datetime | None:
    """When a memory ends; None for never.

    Args:
        retention: its purpose's; None for no end.
        wanted: what the caller asked for; None for as long as the purpose says.

    Raises:
        InvalidArgumentError: `wanted` has passed, or lies behind the purpose's end.
    """
    latest = last(stored_at, retention)
    if wanted is None:
        return latest
    if wanted <= now:
        raise InvalidArgumentError("memory.expire_time", "must lie in the future")
    if latest is not None and wanted > latest:
        raise InvalidArgumentError(
            "memory.expire_time", "must not lie behind the end of the purpose's retention"
        )
    return wanted


def last(
    stored_at: datetime, retention: timedelta | None, wanted: datetime | None = None
) -> datetime | None:
    """When a memory ends at the latest: `wanted`, or earlier if its purpose's retention says so."""
    latest = None if retention is None else stored_at + retention
    return min((moment for moment in (wanted, latest) if moment is not None), default=None)
