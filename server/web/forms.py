"""Forms and queries, read within bounds: what comes in is checked before anything is done with it.

Rules:
- A body says its length, and is refused over `MAX_BODY_BYTES` before it is read; so an uploaded
  file stays in memory, and nothing of it reaches a disk.
- An error names the field, never what stood in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from typing import Any, Final

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from memory.app.narrow import Narrow, Which
from memory.core.values import AssistantId, MemoryKind, PurposeId
from memory.errors import InvalidArgumentError

MAX_BODY_BYTES: Final = 1_000_000
"""Below what Starlette keeps of an uploaded file in memory."""

_MAX_FIELDS: Final = 40
_ONE_DAY: Final = timedelta(days=1)

Fields = Mapping[str, Any]


async def read_form(request: Request) -> FormData:
    """The fields of a body. Raises `HTTPException`: too long, or of no stated length."""
    length = request.headers.get("content-length", "")
    if not length.isdigit():
        raise HTTPException(411)
    if int(length) > MAX_BODY_BYTES:
        raise HTTPException(413)
    return await request.form(max_files=1, max_fields=_MAX_FIELDS, max_part_size=MAX_BODY_BYTES)


def text(fields: Fields, name: str) -> str:
    """A field without the white space around it; empty when it is not there."""
    value = fields.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def day(fields: Fields, name: str) -> datetime | None:
    """The first instant, in UTC, of a day that a field names; None where it is empty."""
    value = text(fields, name)
    if not value:
        return None
    try:
        named = date.fromisoformat(value)
    except ValueError:
        named = date.max
    if named.year == MAXYEAR:  # no day comes after its last
        raise InvalidArgumentError(name, "must be a day such as 2026-11-26")
    return datetime.combine(named, time(), UTC)


def which(fields: Fields) -> Which:
    """The memories that the filter of a page means: `until` is a day that counts in.

    Raises:
        InvalidArgumentError: a malformed field, or an end before the start.
    """
    start, last = day(fields, "since"), day(fields, "until")
    end = None if last is None else last + _ONE_DAY
    if start is not None and end is not None and end <= start:
        raise InvalidArgumentError("until", "must not be before the first day")
    purpose, assistant, kind = (text(fields, name) for name in ("purpose", "assistant", "kind"))
    if kind and kind not in set(MemoryKind):
        raise InvalidArgumentError("kind", "is unknown here")
    return Which(
        narrow=Narrow(
            kinds=frozenset({MemoryKind(kind)} if kind else ()), event_start=start, event_end=end
        ),
        purposes=frozenset({PurposeId(purpose)} if purpose else ()),
        source=AssistantId(assistant) if assistant else None,
    )


def number(fields: Fields, name: str) -> int | None:
    """A whole number that a field holds; None where it is empty."""
    value = text(fields, name)
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise InvalidArgumentError(name, "must be a number")
    return int(value)
