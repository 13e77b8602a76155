"""When words mean that lean on today: "yesterday", "two weeks ago", "last May", "next Friday".

    days_meant("what did we plan last May", date(2026, 11, 25))
        -> ([Days(2026-05-01, 2026-05-31)], "what did we plan ")

English. A week begins on Monday; seasons are the northern ones, in whole months; "last" is the
newest that is over, "next" the first that has not begun. "Next Friday" is that of next week. A
weekday "on" which something is may be the one before today or the one after. What is counted in
weeks, months or years is meant roughly: half a unit to either side.

Rules:
- Pure: today is given.
- What was understood is cut out of the text, so that nothing reads the month of "last May" again.
- What leads out of the calendar is not understood.
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
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
}
_COUNT: Final = r"(\d{1,3}|" + "|".join(sorted(_COUNTS, key=len, reverse=True)) + ")"
_UNIT: Final = r"(day|week|wk|month|mth|year|yr)s?"
_SHORT: Final = {"wk": "week", "mth": "month", "yr": "year"}
_UNIT_DAYS: Final = {"day": 1, "week": 7, "month": 30.44, "year": 365.25}
_LAST: Final = r"(?:last|past|previous|this past)"
_NEXT: Final = r"(?:next|the coming|the following)"
_THIS: Final = r"(?:this|this coming|coming|upcoming)"
_WEEKDAY: Final = "(" + "|".join(f"{name}|{name[:3]}" for name in WEEKDAYS) + "|tues|thurs)"
_MONTH: Final = f"({'|'.join(MONTHS)})"
_SEASON: Final = f"({'|'.join(SEASONS)})"
_PERIOD: Final = r"(week|wk|month|mth|year|yr)"
_OTHER_DAY: Final = 7


def days_meant(text: str, today: date) -> tuple[list[Days], str]:
    """The days that the text means, and the text without what says so."""
    low = lowered(text)
    found: list[Days] = []
    rest: list[str] = []
    end = 0
    for match in _ANY.finditer(low):
        rule = match.lastgroup or ""
        whole = match.re.groupindex[rule]
        said = [g for n, g in enumerate(match.groups(), 1) if g is not None and n != whole]
        try:
            days = _RULES[rule][1]([_SHORT.get(word, word) for word in said], today)
        except OverflowError:
            days = []
        if days:
            found += days
            rest += (text[end : match.start()], " ")
            end = match.end()
    return found, "".join((*rest, text[end:]))


def lowered(text: str) -> str:
    """The text in lower case, as long as it was: where that cannot be, as it is."""
    low = text.lower()
    return low if len(low) == len(text) else text


def _ago(said: list[str], today: date) -> list[Days]:
    return _about(_away(said, today, -1), said[1])


def _ahead(said: list[str], today: date) -> list[Days]:
    return _about(_away(said, today, 1), said[1])


def _about(middle: date, unit: str) -> list[Days]:
    half = timedelta(int(_UNIT_DAYS[unit] // 2))
    return [Days(middle - half, middle + half)]


def _within(said: list[str], today: date) -> list[Days]:
    return [Days(_away(said if len(said) > 1 else ["1", *said], today, -1), today)]


def _away(said: list[str], today: date, way: int) -> date:
    count = _COUNTS.get(said[0]) or int(said[0])
    return today + way * timedelta(round(count * _UNIT_DAYS[said[1]]))


def _period(said: list[str], today: date, on: int) -> list[Days]:
    match said[0]:
        case "week":
            return _days(_monday(today, on), 7)
        case "month":
            return months(today.year, today.month + on, 1)
        case _:
            return months(today.year + on, 1, 12)


def months(year: int, month: int, count: int) -> list[Days]:
    """Whole months; `month` may lie out of 1..12."""
    first, last = divmod(month - 1, 12), divmod(month + count - 2, 12)
    years = year + first[0], year + last[0]
    if not date.min.year <= years[0] <= years[1] <= date.max.year:
        return []
    end = monthrange(years[1], last[1] + 1)[1]
    return [Days(date(years[0], first[1] + 1, 1), date(years[1], last[1] + 1, end))]


def _monday(today: date, on: int) -> date:
    """That of the week which lies so many weeks ahead."""
    return today + timedelta(7 * on - today.weekday())


def _days(first: date, count: int) -> list[Days]:
    return [Days(first, first + timedelta(count - 1))]


def _weekend(today: date, on: int) -> list[Days]:
    return _days(_monday(today, on) + timedelta(5), 2)


def _back(said: list[str], today: date) -> list[Days]:
    """The newest of this weekday that is over."""
    return _days(today - timedelta((today.weekday() - _weekday(said) - 1) % 7 + 1), 1)


def _coming(said: list[str], today: date) -> list[Days]:
    return _days(today + timedelta((_weekday(said) - today.weekday()) % 7), 1)


def _weekday(said: list[str]) -> int:
    return next(n for n, name in enumerate(WEEKDAYS) if name.startswith(said[0][:3]))


def _newest_over(month: int, count: int, today: date) -> list[Days]:
    spans = (months(today.year - back, month, count) for back in range(3))
    return next((days for days in spans if days and days[0].last < today), [])


def _first_ahead(month: int, count: int, today: date) -> list[Days]:
    spans = (months(today.year + on, month, count) for on in range(2))
    return next((days for days in spans if days and days[0].first > today), [])


Rule = Callable[[list[str], date], list[Days]]

_RULES: Final[dict[str, tuple[str, Rule]]] = {
    "ago": (rf"{_COUNT} {_UNIT} (?:ago|back)", _ago),
    "within": (rf"(?:in|over|within|during) the (?:last|past) (?:{_COUNT} )?{_UNIT}", _within),
    "ahead": (rf"(?:in|within) {_COUNT} {_UNIT}(?: time)?", _ahead),
    "from_now": (rf"{_COUNT} {_UNIT} from (?:now|today)", _ahead),
    "before": ("the day before yesterday", lambda _, t: _days(t - timedelta(2), 1)),
    "yesterday": ("yesterday|yday", lambda _, t: _days(t - timedelta(1), 1)),
    "night": ("last night", lambda _, t: _days(t - timedelta(1), 2)),
    "today": (r"today|tonight|this (?:morning|afternoon|evening)", lambda _, t: _days(t, 1)),
    "after": ("the day after tomorrow", lambda _, t: _days(t + timedelta(2), 1)),
    "tomorrow": ("tomorrow|tmrw|tmr", lambda _, t: _days(t + timedelta(1), 1)),
    "weekend": (rf"(?:on )?(?:the )?{_LAST} weekend", lambda _, t: _weekend(t, -1)),
    "weekend_on": (r"(?:on )?(?:the )?(?:this|coming) weekend", lambda _, t: _weekend(t, 0)),
    "weekend_next": (rf"(?:on )?{_NEXT} weekend", lambda _, t: _weekend(t, 1)),
    "last": (rf"{_LAST} {_PERIOD}", lambda said, t: _period(said, t, -1)),
    "this": (rf"this {_PERIOD}", lambda said, t: _period(said, t, 0)),
    "next": (rf"{_NEXT} {_PERIOD}", lambda said, t: _period(said, t, 1)),
    "weekday": (rf"{_LAST} {_WEEKDAY}", _back),
    "weekday_on": (rf"on {_WEEKDAY}", lambda said, t: [*_back(said, t), *_coming(said, t)]),
    "weekday_this": (rf"{_THIS} {_WEEKDAY}", _coming),
    "weekday_next": (
        rf"{_NEXT} {_WEEKDAY}",
        lambda said, t: _days(_monday(t, 1) + timedelta(_weekday(said)), 1),
    ),
    "month": (
        rf"{_LAST} {_MONTH}",
        lambda said, t: _newest_over(MONTHS.index(said[0]) + 1, 1, t),
    ),
    "month_next": (
        rf"next {_MONTH}",
        lambda said, t: _first_ahead(MONTHS.index(said[0]) + 1, 1, t),
    ),
    "season": (rf"{_LAST} {_SEASON}", lambda said, t: _newest_over(SEASONS[said[0]], 3, t)),
    "season_next": (rf"next {_SEASON}", lambda said, t: _first_ahead(SEASONS[said[0]], 3, t)),
    "season_this": (rf"this {_SEASON}", lambda said, t: months(t.year, SEASONS[said[0]], 3)),
    "other": (
        "the other (?:day|night|week)",
        lambda _, t: _days(t - timedelta(_OTHER_DAY), _OTHER_DAY),
    ),
}
_FIRST: Final = "|".join(
    sorted(
        {word.split()[0] for word in _COUNTS}
        | set("last past previous this next the coming upcoming in on over within during".split())
        | set("yesterday yday today tonight tomorrow tmrw tmr".split()),
    )
)
"""The words that a rule begins with: elsewhere none is tried."""

_ANY: Final = re.compile(
    rf"\b(?=\d|(?:{_FIRST})\b)(?:"
    + "|".join(rf"(?P<{name}>{rule})" for name, (rule, _) in _RULES.items())
    + r")\b"
)
