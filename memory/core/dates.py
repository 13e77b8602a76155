"""When a text means: the dates that it names, and days seen from when it was said
(`core.relative_dates`).

    8 May 2023   May 8th   2023-05-08   8/5/2023   May 2023   in May   1999

Of a query they are matched with when a memory was said, and with the days that this one means in
turn (`days_said`).

Rules:
- Without a date in the query nothing matches, so nothing changes.
- "may", "march" and "mar" alone are months only when capitalised within a sentence or behind a
  word like "in".
- 8/5/2023 may be in May or in August; 8.5.2023 is in May.
- A date without a year is of any year in a query, and in a memory of the year that brings it
  nearest to when that was said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memory.core.relative_dates import MONTHS, Days, days_meant, lowered, months

Points = NDArray[np.float64]
Ordinals = NDArray[np.int64]
"""Days as `date.toordinal` counts them."""

MAX_DAYS: Final = 8
"""Times of one text that count; bounds what a long one costs."""

YEARS: Final = range(1900, 9999)
"""In which a text may be said for its days to be looked for."""

_WEEK: Final = 7.0
_BESIDE: Final = 0.4
_EPOCH: Final = date(1970, 1, 1).toordinal()

_NUMBERS: Final = {name[:3]: number for number, name in enumerate(MONTHS, 1)}
_AMBIGUOUS: Final = frozenset({"may", "march", "mar"})
_YEAR: Final = r"(?:19|20)\d\d"
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH: Final = "(?:" + "|".join(f"{name}|{name[:3]}" for name in MONTHS) + r"|sept)\b\.?"
_MORE: Final = rf"(?:st|nd|rd|th)?(?: ?[-–] ?{_DAY}(?:st|nd|rd|th)?)?"
"""The end of a range is read over."""

_NAMED: Final = re.compile(
    rf"\b(?=[\djfmasond])(?:(?P<iso>(?P<y1>{_YEAR})[-/.](?P<m1>\d\d?)[-/.](?P<d1>\d\d?))\b"
    rf"|(?P<figures>(?P<a>\d\d?)(?P<sep>[-/.])(?P<b>\d\d?)(?P=sep)(?P<y2>{_YEAR}))\b"
    rf"|(?P<d3>{_DAY}){_MORE}(?: of)? (?P<m3>{_MONTH})(?:,? (?P<y3>{_YEAR})\b)?"
    rf"|(?P<m4>{_MONTH}) (?:the )?(?P<d4>{_DAY}){_MORE}\b(?:,? (?P<y4>{_YEAR})\b)?"
    rf"|(?P<m5>{_MONTH}),?(?: of)? (?P<y5>{_YEAR})\b"
    rf"|(?P<m6>{_MONTH})"
    rf"|(?P<y7>{_YEAR})\b)"
)
_JOINED: Final = re.compile(r"\s*(?:,|/|-|–|and|or|to|through|until|till)?\s*", re.IGNORECASE)
_BEHIND: Final = re.compile(
    r"\b(?:in|since|until|till|by|from|of|during|early|late|mid|every|around|before|after) $",
    re.IGNORECASE,
)
_RECENT: Final = re.compile(
    r"\b(?:recent|recently|lately|latest|newest|nowadays|these days|currently|at the moment|"
    r"right now|last time)\b",
    re.IGNORECASE,
)
_LONGEST: Final = 8
"""Characters of what a month may stand behind."""


class Named(NamedTuple):
    """A date with what is said of it; 0 for what is not."""

    year: int
    month: int
    day: int

    def within(self, year: int) -> list[Days]:
        """What it means in a year: none for 30 February."""
        if not self.day:
            return months(year, self.month or 1, 1 if self.month else 12)
        try:
            day = date(year, self.month, self.day)
        except ValueError:
            return []
        return [Days(day, day)]


@dataclass(frozen=True, slots=True)
class QueryDates:
    """What a query says of time: dates, days seen from when it is asked, and whether it asks for
    what is recent. Nothing when it says nothing.
    """

    named: tuple[Named, ...] = ()
    spans: tuple[Days, ...] = ()
    recent: bool = False

    def __bool__(self) -> bool:
        """Whether it says days."""
        return bool(self.named or self.spans)

    def match(self, first: Ordinals, last: Ordinals) -> Points:
        """0..1: how well each time fits that lasts from `first` to `last`, both shape (n,).

        1 for a day that is meant. A week off a day, or off days seen from when it is asked, counts
        e^-1, a day in a month beside one that is named 0.4. What lasts longer counts for the share
        of it that is meant.
        """
        fits = np.zeros(len(first))
        for span in self.spans:
            start, end = (np.full_like(first, day.toordinal()) for day in span)
            np.maximum(fits, _near(start, end, first, last), out=fits)
        for named in self.named:
            year = np.full_like(first, named.year) if named.year else _year(first)
            for on in (0,) if named.year else (-1, 0, 1):
                np.maximum(fits, _fits(named, year + on, first, last), out=fits)
        return fits


def _fits(named: Named, year: Ordinals, first: Ordinals, last: Ordinals) -> Points:
    """How well each time fits the date in the year beside it."""
    month = named.month or 1
    start = _first_of(year, month)
    end = _first_of(year, month + (1 if named.month else 12)) - 1
    if named.day:
        day = start + named.day - 1
        return np.where(day <= end, _near(day, day, first, last), 0.0)
    fits = _share(start, end, first, last)
    if named.month:
        start, end = _first_of(year, month - 1), _first_of(year, month + 2) - 1
        fits = np.maximum(fits, _BESIDE * _share(start, end, first, last))
    return fits


def _year(days: Ordinals) -> Ordinals:
    years: Ordinals = (days - _EPOCH).astype("M8[D]").astype("M8[Y]").astype(np.int64) + 1970
    return years


def _first_of(year: Ordinals, month: int) -> Ordinals:
    """The first day of a month, which may lie out of 1..12."""
    months_since = (year - 1970) * 12 + month - 1
    days: Ordinals = months_since.astype("M8[M]").astype("M8[D]").astype(np.int64) + _EPOCH
    return days


def _near(start: Ordinals, end: Ordinals, first: Ordinals, last: Ordinals) -> Points:
    away = np.maximum(np.maximum(start - last, first - end), 0)
    near: Points = np.exp(-away / _WEEK) / (last - first + 1)
    return np.maximum(_share(start, end, first, last), near)


def _share(start: Ordinals, end: Ordinals, first: Ordinals, last: Ordinals) -> Points:
    common = np.minimum(last, end) - np.maximum(first, start) + 1
    share: Points = np.maximum(common, 0) / (last - first + 1)
    return share


def query_dates(query: str, today: date) -> QueryDates:
    """What a query means; `today` is when it is asked."""
    spans, rest = days_meant(query, today)
    named = tuple(dict.fromkeys(_named(rest)))
    return QueryDates(named[:MAX_DAYS], tuple(spans[:MAX_DAYS]), _RECENT.search(query) is not None)


def days_said(text: str, day: date) -> tuple[tuple[Days, ...], str]:
    """The times that a text means which was said on `day`, but for those in which that day lies:
    it tells them already. The first `MAX_DAYS`, and the text without what leans on the day.
    """
    if day.year not in YEARS:
        return (), text
    spans, rest = days_meant(text, day)
    for named in _named(rest):
        years = (named.year,) if named.year else (day.year, day.year - 1, day.year + 1)
        within = [span for year in years for span in named.within(year)]
        spans += sorted(within, key=lambda span: span.away(day))[:1]
    return tuple(dict.fromkeys(span for span in spans if span.away(day)))[:MAX_DAYS], rest


def _named(text: str) -> list[Named]:
    """The dates that a text names, in order."""
    found: list[Named] = []
    end = 0
    for match in _NAMED.finditer(lowered(text)):
        dates = list(_read(match, text))
        inherits = dates and found and dates[0].year and not found[-1].year
        if inherits and _JOINED.fullmatch(text, end, match.start()):
            found[-1] = found[-1]._replace(year=dates[0].year)
        found += dates
        end = match.end()
    return found


def _read(match: re.Match[str], text: str) -> Iterator[Named]:
    said = {name: value for name, value in match.groupdict().items() if value}
    year = next((int(said[y]) for y in ("y1", "y2", "y3", "y4", "y5", "y7") if y in said), 0)
    month = next((said[m] for m in ("m3", "m4", "m5", "m6") if m in said), "")
    if "iso" in said:
        yield from _figures(year, int(said["m1"]), int(said["d1"]))
    elif "figures" in said:
        a, b = int(said["a"]), int(said["b"])
        yield from _figures(year, b, a)
        if said["sep"] != "." and a != b:
            yield from _figures(year, a, b)
    elif not ("m6" in said and _is_word(match, text)):
        day = int(said.get("d3") or said.get("d4") or 0)
        yield Named(year, _NUMBERS[month[:3]] if month else 0, day)


def _figures(year: int, month: int, day: int) -> Iterator[Named]:
    if 1 <= month <= 12 and 1 <= day <= 31:
        yield Named(year, month, day)


def _is_word(match: re.Match[str], text: str) -> bool:
    """Whether a month that stands alone is only a word like it."""
    start = match.start("m6")
    before = text[max(start - _LONGEST, 0) : start]
    if match["m6"].rstrip(".") not in _AMBIGUOUS or _BEHIND.search(before):
        return False
    return not text[start].isupper() or not before.strip(" ") or before.rstrip(" ")[-1] in ".!?\n"
