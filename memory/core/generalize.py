"""Coarser forms: a date's month, an address's region.

Rules:
- What cannot be read as a date or address gives None; the caller then hides it whole.
- The result holds no day of the month, no street, no number of a house and no postal code.
"""

from __future__ import annotations

import re
from typing import Final

_MONTHS: Final = (
    "January February March April May June July August September October November December".split()
)
_YEAR_FIRST: Final = re.compile(r"((?:18|19|20)\d\d)[\-/.](\d{1,2})(?!\d)")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})[\-/.](\d{1,2})[\-/.]((?:18|19|20)\d\d)")
_YEAR: Final = re.compile(r"(?<!\d)(?:18|19|20)\d\d(?!\d)")
_WORD: Final = re.compile(r"[^\W\d_]+")


def month(surface: str) -> str | None:
    """What "12 March 1980" and "1980-03-12" have in common: "March 1980". None if unreadable."""
    if found := _YEAR_FIRST.search(surface):
        return _name(int(found[2]), found[1])
    if found := _YEAR_LAST.search(surface):
        first, second = int(found[1]), int(found[2])
        if first <= 12 and second <= 12 and first != second:
            return found[3]  # day and month cannot be told apart
        return _name(min(first, second), found[3])
    year = _YEAR.search(surface)
    for word in _WORD.findall(surface.lower()):
        for name in _MONTHS:
            if (
                len(word) >= 3
                and name.lower().startswith(word[:3])
                and word in (name.lower(), name[:3].lower(), "sept")
            ):
                return f"{name} {year[0]}" if year else name
    return year[0] if year else None


def _name(number: int, year: str) -> str:
    return f"{_MONTHS[number - 1]} {year}" if 1 <= number <= 12 else year


def region(surface: str) -> str | None:
    """The "Springfield, IL" of "12 Oak Street, Springfield, IL 62701"; None without a town."""
    parts = [part.strip() for part in re.split(r"[,\n]", surface)]
    coarse = [re.sub(r"\s*\S*\d\S*\s*", " ", part).strip() for part in parts[1:]]
    kept = [part for part in coarse if len(part) > 1]
    return ", ".join(kept) or None
