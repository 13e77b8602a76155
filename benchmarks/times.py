"""When something was said, out of whatever way a chat export writes it.

Rules:
- Never raises: what is not understood has no time (`None`), and is measured all the same.
- ISO 8601, epoch seconds or milliseconds, month names in any order ("1:56 pm on 8 May, 2023"),
  and numeric dates ("2023/05/20 (Sat) 02:21", "25.12.19 18:05", "[5/8/23, 1:56 PM]").
- 5/8 could be two days: with slashes the month stands first, with dots or dashes the day, unless
  one of the numbers is over 12. Without a zone it is UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_MONTH: Final = re.compile(r"\b(" + "|".join(_MONTHS) + r")[a-z]*\b", re.IGNORECASE)
_CLOCK: Final = re.compile(
    r"\b(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?\s*([ap])?\.?(?:m\b)?", re.IGNORECASE
)
_YEAR: Final = re.compile(r"\b(1[89]\d\d|20\d\d)\b")
_DAY: Final = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)?\b", re.IGNORECASE)
_YEAR_FIRST: Final = re.compile(r"\b(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2})\b")
_YEAR_LAST: Final = re.compile(r"\b(\d{1,2})([/.\-])(\d{1,2})[/.\-](\d{4}|\d{2})\b")
_EPOCH_MILLISECONDS: Final = 1e11


def parse_time(value: object) -> datetime | None:
    """The instant, with a zone; `None` for what is no time."""
    try:
        return _parse(value)
    except (ValueError, OverflowError, OSError):
        return None


def _parse(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        text = value.strip()
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            return when if when.tzinfo else when.replace(tzinfo=UTC)
        if not re.fullmatch(r"\d{9,13}(\.\d+)?", text):
            return _written(text)
        value = float(text)
    seconds = value / 1000 if value > _EPOCH_MILLISECONDS else value
    return datetime.fromtimestamp(seconds, UTC)


def _written(text: str) -> datetime | None:
    clock = _CLOCK.search(text)
    date = _date(text if clock is None else text[: clock.start()] + " " + text[clock.end() :])
    if date is None:
        return None
    hour, minute, second = (int(part or 0) for part in clock.groups()[:3]) if clock else (0, 0, 0)
    half = (clock[4] or "").lower() if clock else ""
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return datetime(*date, hour, minute, second, tzinfo=UTC)


def _date(text: str) -> tuple[int, int, int] | None:
    """Year, month and day."""
    if numeric := _YEAR_FIRST.search(text):
        return int(numeric[1]), int(numeric[2]), int(numeric[3])
    if numeric := _YEAR_LAST.search(text):
        first, second = int(numeric[1]), int(numeric[3])
        month_first = second > 12 or (numeric[2] == "/" and first <= 12)
        month, day = (first, second) if month_first else (second, first)
        year = int(numeric[4])
        return year + (2000 if year < 100 else 0), month, day
    month_name, year_found = _MONTH.search(text), _YEAR.search(text)
    if month_name is None or year_found is None:
        return None
    rest = text[: year_found.start()] + " " + text[year_found.end() :]
    day_found = _DAY.search(rest)
    month = _MONTHS[month_name[1].lower()]
    return int(year_found[1]), month, int(day_found[1]) if day_found else 1
