"""When a memory ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from memory.core.retention import end
from memory.errors import InvalidArgumentError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def test_without_a_wish_the_purpose_decides() -> None:
    assert end(NOW, 30 * DAY, None, NOW) == NOW + 30 * DAY
    assert end(NOW, None, None, NOW) is None


def test_a_wish_may_end_it_earlier_and_never_later() -> None:
    assert end(NOW, 30 * DAY, NOW + DAY, NOW) == NOW + DAY
    assert end(NOW, 30 * DAY, NOW + 30 * DAY, NOW) == NOW + 30 * DAY
    assert end(NOW, None, NOW + DAY, NOW) == NOW + DAY
    with pytest.raises(InvalidArgumentError):
        end(NOW, 30 * DAY, NOW + 31 * DAY, NOW)


def test_an_end_in_the_past_is_refused() -> None:
    for wanted in (NOW, NOW - DAY):
        with pytest.raises(InvalidArgumentError):
            end(NOW, None, wanted, NOW)
