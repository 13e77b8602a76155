"""When words mean that lean on today: "yesterday", "two weeks ago", "last May".

    days_meant("what did we plan last May", date(2026, 11, 25))
        -> ([Days(2026-05-01, 2026-05-31)], "what did we plan ")

English. A week begins on Monday; seasons are the northern ones, in whole months; "last" is the
newest that is over. What is counted in weeks, months or years is meant roughly: half a unit to
either side.

Rules:
- Pure: today is given.
- What was understood is cut out of the text, so that nothing reads the month of "last May" again.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final, NamedTuple


class Days(NamedTuple):
    """From `first` to `last`, both included."""

    first: date
    last: date

    def away(self, day: date) -> int:
        """How many days lie between; 0 within."""
        return max((self.first - day).days, (day - self.last).days, 0)


MONTHS: Final = (
    "january february march april may june july august september october november december"
).split()
WEEKDAYS: Final = "monday tuesday wednesday thursday friday saturday sunday".split()
SEASONS: Final = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""The month each begins in; it has three."""

_SATURDAY: Final = 5
_WORDS: Final = "one two three four five six seven eight nine ten eleven twelve".split()
_COUNTS: Final = {word: number for number, word in enumerate(_WORDS, 1)} | {
    "a": 1,
    "an": 1,
    "a couple of": 2,
    "a couple": 2,
    "couple of": 2,
    "a few": 3,
    "few": 3,
    "several": 4,
}
_COUNT: Final = r"(\d{1,3}|" + "|".join(sorted(_COUNTS, key=len, reverse=True)) + ")"
_UNIT: Final = r"(day|week|month|year)s?"
_UNIT_DAYS: Final = {"day": 1, "week": 7, "month": 30.44, "year": 365.25}
_LAST: Final = r"(?:last|past|previous|this past)"
_OTHER_DAY: Final = 7
_LATELY: Final = 30


def days_meant(text: str, today: date) -> tuple[list[Days], str]:
    """The days that the text means, and the text without what says so."""
    found: list[Days] = []

    def understand(match: re.Match[str]) -> str:
        rule = match.lastgroup or ""
        whole = match.re.groupindex[rule]
        said = [g.lower() for n, g in enumerate(match.groups(), 1) if g is not None and n != whole]
        days = _RULES[rule][1](said, today)
        if days is None:
            return match.group()
        found.append(days)
        return " "

    return found, _ANY.sub(understand, text)


def _ago(said: list[str], today: date) -> Days | None:
    middle, half = _back(said, today), timedelta(int(_UNIT_DAYS[said[1]] // 2))
    return None if middle is None else Days(middle - half, middle + half)


def _within(said: list[str], today: date) -> Days | None:
    first = _back(said if len(said) > 1 else ["1", *said], today)
    return None if first is None else Days(first, today)


def _back(said: list[str], today: date) -> date | None:
    count = _COUNTS.get(said[0]) or int(said[0])
    try:
        return today - timedelta(round(count * _UNIT_DAYS[said[1]]))
    except OverflowError:
        return None


def _unit(said: list[str], today: date, back: int) -> Days | None:
    match said[0]:
        case "week":
            monday = today - timedelta(today.weekday() + 7 * back)
            return Days(monday, monday + timedelta(6))
        case "month":
            return _months(today.year, today.month - back, 1)
        case _:
            return _months(today.year - back, 1, 12)


def _months(year: int, month: int, count: int) -> Days | None:
    """Whole months; `month` may lie out of 1..12."""
    first, last = divmod(month - 1, 12), divmod(month + count - 2, 12)
    years = year + first[0], year + last[0]
    if not date.min.year <= years[0] <= years[1] <= date.max.year:
        return None
    end = monthrange(years[1], last[1] + 1)[1]
    return Days(date(years[0], first[1] + 1, 1), date(years[1], last[1] + 1, end))


def _weekday(said: list[str], today: date) -> Days | None:
    return _one(today - timedelta((today.weekday() - WEEKDAYS.index(said[0]) - 1) % 7 + 1))


def _weekend(_: list[str], today: date) -> Days | None:
    sunday = today - timedelta(today.weekday() + 1)
    return Days(sunday - timedelta(1), sunday)


def _month(said: list[str], today: date) -> Days | None:
    return _newest_over(MONTHS.index(said[0]) + 1, 1, today)


def _season(said: list[str], today: date) -> Days | None:
    return _newest_over(SEASONS[said[0]], 3, today)


def _newest_over(month: int, count: int, today: date) -> Days | None:
    years = (today.year - back for back in range(3))
    spans = (_months(year, month, count) for year in years)
    return next((days for days in spans if days and days.last < today), None)


def _one(day: date) -> Days:
    return Days(day, day)


Rule = Callable[[list[str], date], Days | None]

_RULES: Final[dict[str, tuple[str, Rule]]] = {
    "ago": (rf"{_COUNT} {_UNIT} (?:ago|back)", _ago),
    "within": (rf"(?:in|over|within|during) the (?:last|past) (?:{_COUNT} )?{_UNIT}", _within),
    "before": ("the day before yesterday", lambda _, t: _one(t - timedelta(2))),
    "yesterday": ("yesterday", lambda _, t: _one(t - timedelta(1))),
    "night": ("last night", lambda _, t: Days(t - timedelta(1), t)),
    "today": (r"today|tonight|this (?:morning|afternoon|evening)", lambda _, t: _one(t)),
    "weekend": (rf"(?:on )?(?:the )?{_LAST} weekend", _weekend),
    "last": (rf"{_LAST} (week|month|year)", lambda said, t: _unit(said, t, 1)),
    "this": (r"this (week|month|year)", lambda said, t: _unit(said, t, 0)),
    "weekday": (rf"(?:on|{_LAST}) ({'|'.join(WEEKDAYS)})", _weekday),
    "month": (rf"{_LAST} ({'|'.join(MONTHS)})", _month),
    "season": (rf"{_LAST} ({'|'.join(SEASONS)})", _season),
    "other": ("the other day", lambda _, t: Days(t - timedelta(_OTHER_DAY), t - timedelta(1))),
    "lately": ("recently|lately", lambda _, t: Days(t - timedelta(_LATELY), t)),
}
_ANY: Final = re.compile(
    r"\b(?:" + "|".join(rf"(?P<{name}>{rule})" for name, (rule, _) in _RULES.items()) + r")\b",
    re.IGNORECASE,
)
