"""What a query says of time."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.dates import MAX_DAYS, QueryDates, days_said, query_dates
from memory.core.relative_dates import Days, days_meant

DAY = date(2023, 5, 8)
TODAY = date(2023, 6, 21)
"""A Wednesday."""


def _match(dates: QueryDates, first: date, last: date | None = None) -> float:
    """How well one time fits."""
    days = (np.array([day.toordinal()]) for day in (first, last or first))
    return float(dates.match(*days)[0])


@pytest.mark.parametrize(
    ("query", "match"),
    [
        ("what did we do in May 2023?", 1.0),
        ("what happened in may 2023", 1.0),
        ("in April 2023", 0.4),
        ("in December 2023", 0.0),
        ("in 2023", 1.0),
        ("in 2022", 0.0),
        ("on 8 May 2023", 1.0),
        ("on May 8th, 2023", 1.0),
        ("on 2023-05-08", 1.0),
        ("on 30 February 2023", 0.0),
        ("in May", 1.0),
    ],
)
def test_a_named_time_matches_by_its_precision(query: str, match: float) -> None:
    assert _match(query_dates(query, TODAY), DAY) == pytest.approx(match, abs=1e-6)


@pytest.mark.parametrize(
    "query", ["may I ask you something", "we march on", "room 2023x", "call 555 123 4567", ""]
)
def test_words_that_only_look_like_dates_do_not_count(query: str) -> None:
    assert not query_dates(query, TODAY)


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        ("what did I say yesterday", (2023, 6, 20), (2023, 6, 20)),
        ("the day before yesterday?", (2023, 6, 19), (2023, 6, 19)),
        ("what did we decide last night", (2023, 6, 20), (2023, 6, 21)),
        ("what is on today", (2023, 6, 21), (2023, 6, 21)),
        ("three days ago", (2023, 6, 18), (2023, 6, 18)),
        ("Two weeks ago I told you", (2023, 6, 4), (2023, 6, 10)),
        ("a couple of months ago", (2023, 4, 6), (2023, 5, 6)),
        ("in the last 10 days", (2023, 6, 11), (2023, 6, 21)),
        ("over the past week", (2023, 6, 14), (2023, 6, 21)),
        ("last week", (2023, 6, 12), (2023, 6, 18)),
        ("this month", (2023, 6, 1), (2023, 6, 30)),
        ("last month", (2023, 5, 1), (2023, 5, 31)),
        ("last year", (2022, 1, 1), (2022, 12, 31)),
        ("last weekend", (2023, 6, 17), (2023, 6, 18)),
        ("last Tuesday", (2023, 6, 20), (2023, 6, 20)),
        ("past Tue", (2023, 6, 20), (2023, 6, 20)),
        ("last Wednesday", (2023, 6, 14), (2023, 6, 14)),
        ("last May", (2023, 5, 1), (2023, 5, 31)),
        ("last june", (2022, 6, 1), (2022, 6, 30)),
        ("last summer", (2022, 6, 1), (2022, 8, 31)),
        ("last winter", (2022, 12, 1), (2023, 2, 28)),
        ("the other day", (2023, 6, 14), (2023, 6, 20)),
        ("2 wks ago", (2023, 6, 4), (2023, 6, 10)),
        ("two yrs ago", (2020, 12, 21), (2021, 12, 20)),
        ("tomorrow", (2023, 6, 22), (2023, 6, 22)),
        ("the day after tomorrow", (2023, 6, 23), (2023, 6, 23)),
        ("in three days", (2023, 6, 24), (2023, 6, 24)),
        ("two weeks from now", (2023, 7, 2), (2023, 7, 8)),
        ("next week", (2023, 6, 26), (2023, 7, 2)),
        ("next month", (2023, 7, 1), (2023, 7, 31)),
        ("next year", (2024, 1, 1), (2024, 12, 31)),
        ("next Friday", (2023, 6, 30), (2023, 6, 30)),
        ("this Friday", (2023, 6, 23), (2023, 6, 23)),
        ("this weekend", (2023, 6, 24), (2023, 6, 25)),
        ("next weekend", (2023, 7, 1), (2023, 7, 2)),
        ("next May", (2024, 5, 1), (2024, 5, 31)),
        ("next winter", (2023, 12, 1), (2024, 2, 29)),
        ("this summer", (2023, 6, 1), (2023, 8, 31)),
    ],
)
def test_words_that_lean_on_today(
    said: str, first: tuple[int, int, int], last: tuple[int, int, int]
) -> None:
    found, rest = days_meant(f"so, {said}", TODAY)
    assert found == [Days(date(*first), date(*last))]
    assert rest.startswith("so, ")
    assert "last" not in rest
    assert not days_meant(rest, TODAY)[0]


def test_on_a_weekday_may_be_the_one_before_or_the_one_to_come() -> None:
    found, _ = days_meant("what was it on Tuesday?", TODAY)
    assert found == [Days(date(2023, 6, day), date(2023, 6, day)) for day in (20, 27)]


@pytest.mark.parametrize(
    ("query", "dates"),
    [
        ("in May and June 2023", [(2023, 5, 0), (2023, 6, 0)]),
        ("5 June or 2nd of July", [(0, 6, 5), (0, 7, 2)]),
        ("March 3-5, 2022", [(2022, 3, 3)]),
        ("Dec. 2021", [(2021, 12, 0)]),
        ("Sept 4", [(0, 9, 4)]),
        ("13/2/2022", [(2022, 2, 13)]),
        ("3/2/2022", [(2022, 2, 3), (2022, 3, 2)]),
        ("3.2.2022", [(2022, 2, 3)]),
        ("2022/02/03", [(2022, 2, 3)]),
        ("45.13.2022", []),
        ("We met in may.", [(0, 5, 0)]),
        ("Was it May?", [(0, 5, 0)]),
        ("Well? May I", []),
    ],
)
def test_dates_are_read_as_people_write_them(query: str, dates: list[tuple[int, int, int]]) -> None:
    assert [tuple(named) for named in query_dates(query, TODAY).named] == dates


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("I ran yesterday.", [("2023-06-20", "2023-06-20")]),
        ("The race was on May 3rd.", [("2023-05-03", "2023-05-03")]),
        ("We met in January.", [("2023-01-01", "2023-01-31")]),
        ("Back in 2019 we moved.", [("2019-01-01", "2019-12-31")]),
        ("Today I ran. This week was fine, and this year too. In June we swim.", []),
        ("I ran recently.", []),
        ("On 30 February we danced.", []),
        ("Nothing of that kind.", []),
    ],
)
def test_a_text_tells_of_other_days_than_its_own(text: str, days: list[tuple[str, str]]) -> None:
    assert [tuple(map(str, span)) for span in days_said(text, TODAY)[0]] == days


@given(text=st.text(max_size=40), day=st.dates())
def test_any_text_said_on_any_day_tells_of_few_days(text: str, day: date) -> None:
    long = f"{text} in 999 years, next week, last winter, 3 May, " + "on 1.2.2021 or 2022 " * 9
    days, _ = days_said(long, day)
    assert len(days) <= MAX_DAYS
    for span in days:
        assert span.first <= span.last
        assert span.away(day)


@given(
    first=st.dates(date(1901, 1, 1), date(2100, 1, 1)),
    length=st.integers(0, 400),
    query=st.sampled_from(
        ["on 29 February", "in May", "in 2024", "last week", "8 May 2023", "on 30 February 2023"]
    ),
)
def test_a_time_fits_between_not_at_all_and_wholly(first: date, length: int, query: str) -> None:
    dates = query_dates(query, TODAY)
    last = first + timedelta(length)
    fits = [_match(dates, first + timedelta(on)) for on in range(length + 1)]
    assert 0 <= _match(dates, first, last) <= max(fits) <= 1


def test_what_lasts_longer_fits_by_its_share() -> None:
    dates = query_dates("in May 2023", TODAY)
    assert _match(dates, date(2023, 5, 1), date(2023, 5, 31)) == 1.0
    assert _match(dates, date(2023, 1, 1), date(2023, 12, 31)) == pytest.approx(
        max(31 / 365, 0.4 * 91 / 365)
    )


@pytest.mark.parametrize("query", ["what did I read lately?", "my latest recipe", "Recent trips"])
def test_asking_for_what_is_recent_says_no_days(query: str) -> None:
    dates = query_dates(query, TODAY)
    assert (dates.recent, bool(dates)) == (True, False)
    assert not query_dates("what did I read?", TODAY).recent


def test_a_memory_fits_the_better_the_nearer_it_is_to_the_days_meant() -> None:
    dates = query_dates("what did we plan last May", TODAY)
    assert (dates.named, bool(dates)) == ((), True)
    assert _match(dates, DAY) == 1.0
    fits = [_match(dates, date(2023, 6, day)) for day in (1, 3, 9, 20)]
    assert fits == sorted(fits, reverse=True)
    assert _match(dates, date(2022, 5, 8)) < 1e-9


@pytest.mark.parametrize(
    "said", ["at last", "it lasts a week", "a dayago", "I lost an earring", "on mondays we swim"]
)
def test_words_that_only_look_like_it_mean_no_days(said: str) -> None:
    assert days_meant(said, TODAY) == ([], said)


@given(text=st.text(max_size=60), today=st.dates(min_value=date(1970, 1, 1)))
def test_any_text_on_any_day_is_read(text: str, today: date) -> None:
    for said in (text, f"999 years ago {text}", "last winter", "last year", "the other day"):
        found, _ = days_meant(said, today)
        assert all(days.first <= days.last for days in found)


@pytest.mark.parametrize("today", [date(1900, 1, 1), date(9998, 12, 31)])
@pytest.mark.parametrize("count", ["0", "999", "several"])
def test_no_day_that_a_query_may_be_asked_on_leads_out_of_the_calendar(
    today: date, count: str
) -> None:
    for unit in ("day", "week", "month", "year"):
        for said in (f"{count} {unit}s ago", f"in the last {count} {unit}s"):
            assert query_dates(said, today).spans
    for said in ("this week", "last weekend", "last winter", "this year"):
        assert query_dates(said, today).spans
