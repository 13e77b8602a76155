"""Times out of chat exports of all kinds."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.times import parse_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1:56 pm on 8 May, 2023", (2023, 5, 8, 13, 56)),
        ("12:06 am on 11 November, 2022", (2022, 11, 11, 0, 6)),
        ("2023/05/20 (Sat) 02:21", (2023, 5, 20, 2, 21)),
        ("[5/8/23, 1:56 PM]", (2023, 5, 8, 13, 56)),
        ("25/12/2019, 18:05 - ", (2019, 12, 25, 18, 5)),
        ("25.12.19 18:05:33", (2019, 12, 25, 18, 5, 33)),
        ("3.4.2020", (2020, 4, 3)),
        ("Monday, March 3rd 2014 at 7:05am", (2014, 3, 3, 7, 5)),
        ("Dec 12, 2019", (2019, 12, 12)),
        ("May 2021", (2021, 5, 1)),
        ("2023-05-08T13:56:00Z", (2023, 5, 8, 13, 56)),
        (1683554160, (2023, 5, 8, 13, 56)),
        ("1683554160000", (2023, 5, 8, 13, 56)),
    ],
)
def test_the_ways_exports_write_a_time_are_understood(text: object, expected: tuple[int, ...]):
    assert parse_time(text) == datetime(*expected, tzinfo=UTC)


@pytest.mark.parametrize("value", ["", "soon", None, True, {}, "2020-02-30", "31 June 2020", 1e30])
def test_what_is_no_time_has_none(value: object):
    assert parse_time(value) is None


@given(st.one_of(st.text(), st.floats(), st.integers(), st.from_regex(r"[\d/.: apmAPM\-,]+")))
def test_nothing_makes_it_fail(value: object):
    when = parse_time(value)
    assert when is None or when.tzinfo is not None


@given(st.datetimes(datetime(1971, 1, 1), datetime(2069, 1, 1)))  # noqa: DTZ001
def test_the_dev_files_own_way_is_read_back(when: datetime):
    when = when.replace(second=0, microsecond=0, tzinfo=UTC)
    text = f"{when:%I:%M %p} on {when.day} {when:%B}, {when.year}"
    assert parse_time(text) == when
