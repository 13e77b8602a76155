"""What a query says of time."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.dates import query_dates
from memory.core.relative_dates import Days, days_meant

DAY = datetime(2023, 5, 8, tzinfo=UTC)
TODAY = date(2023, 6, 21)
"""A Wednesday."""


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
    assert query_dates(query, TODAY).match(DAY) == pytest.approx(match, abs=1e-6)


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
        ("on Tuesday", (2023, 6, 20), (2023, 6, 20)),
        ("last Wednesday", (2023, 6, 14), (2023, 6, 14)),
        ("last May", (2023, 5, 1), (2023, 5, 31)),
        ("last june", (2022, 6, 1), (2022, 6, 30)),
        ("last summer", (2022, 6, 1), (2022, 8, 31)),
        ("last winter", (2022, 12, 1), (2023, 2, 28)),
        ("the other day", (2023, 6, 14), (2023, 6, 20)),
    ],
)
def test_words_that_lean_on_today(
    said: str, first: tuple[int, int, int], last: tuple[int, int, int]
) -> None:
    found, rest = days_meant(f"so, {said}", TODAY)
    assert found == [Days(date(*first), date(*last))]
    assert "last" not in rest


def test_a_memory_fits_the_better_the_nearer_it_is_to_the_days_meant() -> None:
    dates = query_dates("what did we plan last May", TODAY)
    assert (dates.months, bool(dates)) == (frozenset(), True)
    assert dates.match(DAY) == 1.0
    fits = [dates.match(datetime(2023, 6, day, tzinfo=UTC)) for day in (1, 3, 9, 20)]
    assert fits == sorted(fits, reverse=True)
    assert dates.match(datetime(2022, 5, 8, tzinfo=UTC)) < 1e-9


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
