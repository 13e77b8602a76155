"""What a query says of time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from memory.core.dates import query_dates

DAY = datetime(2023, 5, 8, tzinfo=UTC)


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
    assert query_dates(query).match(DAY) == pytest.approx(match, abs=1e-6)


@pytest.mark.parametrize(
    "query", ["may I ask you something", "we march on", "room 2023x", "call 555 123 4567", ""]
)
def test_words_that_only_look_like_dates_do_not_count(query: str) -> None:
    assert not query_dates(query)
