"""When a query means: months, years and days in it, and days seen from today
(`core.relative_dates`), matched against a memory's time.

Rules:
- Without a date in the query nothing matches, so nothing changes.
- "may" and "march" are months only when capitalised or next to a number.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from memory.core.relative_dates import MONTHS, Days, days_meant

_NUMBERS: Final = {name: i + 1 for i, name in enumerate(MONTHS)} | {
    name[:3]: i + 1 for i, name in enumerate(MONTHS)
}
_WORD: Final = re.compile(r"\b(?:[^\W\d_]+|\d{1,4}(?:st|nd|rd|th)?)\b")
_ISO: Final = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_AMBIGUOUS: Final = frozenset({"may", "march", "mar"})

_NEIGHBOURING_MONTH: Final = 0.4
_DAYS: Final = 7.0
"""A memory a week off a named day still counts for e^-1."""


@dataclass(frozen=True, slots=True)
class QueryDates:
    """What a query says of time; all empty when it says nothing."""

    months: frozenset[int]
    years: frozenset[int]
    days: frozenset[int]
    spans: tuple[Days, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.months or self.years or self.spans)

    def match(self, time: datetime) -> float:
        """0..1: how well a memory of that time fits."""
        near = [math.exp(-span.away(time.date()) / _DAYS) for span in self.spans]
        return max([self._named(time), *near])

    def _named(self, time: datetime) -> float:
        if not self.months:
            return 1.0 if time.year in self.years else 0.0
        years = self.years or {time.year}
        return max(self._month(time.date(), year, month) for year in years for month in self.months)

    def _month(self, day: date, year: int, month: int) -> float:
        if self.days:
            return max(_nearness(day, year, month, d) for d in self.days)
        apart = abs((day.year - year) * 12 + day.month - month)
        return 1.0 if apart == 0 else _NEIGHBOURING_MONTH if apart == 1 else 0.0


def query_dates(query: str, today: date) -> QueryDates:
    """The dates that a query names; `today` is when it is asked."""
    spans, query = days_meant(query, today)
    months: set[int] = set()
    years: set[int] = set()
    days: set[int] = set()
    for year, month, day in _ISO.findall(query):
        years.add(int(year))
        months.add(int(month))
        days.add(int(day))
    words = _WORD.findall(query)
    for i, word in enumerate(words):
        around = (*words[max(i - 1, 0) : i], *words[i + 1 : i + 2])
        if word[0].isdigit():
            if len(word) == 4 and word[:2] in ("19", "20"):
                years.add(int(word))
            elif any(_month(w, ()) for w in around) and word[:3] not in ("19", "20"):
                days.add(int(re.sub(r"\D", "", word)))
        elif month_ := _month(word, around):
            months.add(month_)
    in_a_month = {d for d in days if 1 <= d <= 31}
    named = frozenset(in_a_month if months else ())
    return QueryDates(frozenset(months), frozenset(years), named, tuple(spans))


def _month(word: str, around: tuple[str, ...]) -> int:
    month = _NUMBERS.get(word.lower(), 0)
    if not month or word.lower() not in _AMBIGUOUS or word[0].isupper():
        return month
    return month if any(w[0].isdigit() for w in around) else 0


def _nearness(day: date, year: int, month: int, of_month: int) -> float:
    try:
        return math.exp(-abs((date(year, month, of_month) - day).days) / _DAYS)
    except ValueError:
        return 0.0
