"""What the command line shows of times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from server.cli.output import age
from server.messages import to_timestamp

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "told"),
    [
        (timedelta(days=12, hours=23), "12 days"),
        (timedelta(hours=47), "1 day"),
        (timedelta(minutes=119), "1 hour"),
        (timedelta(minutes=2), "2 minutes"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(seconds=-90), "less than a minute"),  # another machine's clock
    ],
)
def test_an_age_is_told_in_the_largest_unit(since: timedelta, told: str) -> None:
    assert age(to_timestamp(NOW - since), NOW) == told


def test_no_time_has_no_age() -> None:
    assert age(Timestamp()) == ""
