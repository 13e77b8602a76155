"""Times as whole microseconds since 1970 in UTC, exact both ways; and as places in a list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from memory.core.values import RecordId

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Whole microseconds since 1970; exact."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The moment again, in UTC; raises `OverflowError` past the year 9999."""
    return _EPOCH + timedelta(microseconds=micros)


def to_place(moment: datetime, id_: RecordId) -> bytes:
    """Where something stands in a list by time, 24 bytes: they sort as the list does."""
    return to_micros(moment).to_bytes(8, "big") + id_.value


def from_place(place: bytes) -> tuple[datetime, RecordId]:
    """The opposite."""
    return from_micros(int.from_bytes(place[:8], "big")), RecordId(place[8:])
