"""The register: when a request is due, and how it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from memory.core.requests import (
    Extension,
    OpenRequests,
    Outcome,
    Right,
    months_after,
    received,
)
from memory.core.values import RecordId, TenantId
from memory.errors import RequestClosedError

CAME = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
REQUEST = received(RecordId(bytes(16)), TenantId("acme"), None, Right.ACCESS, CAME)


@pytest.mark.parametrize(
    ("came", "months", "due"),
    [
        ((2026, 1, 31), 1, (2026, 2, 28)),
        ((2028, 1, 31), 1, (2028, 2, 29)),
        ((2026, 11, 30), 3, (2027, 2, 28)),
        ((2026, 12, 15), 1, (2027, 1, 15)),
        ((2026, 10, 1), 3, (2027, 1, 1)),
    ],
)
def test_a_month_ends_on_its_day_or_the_last(
    came: tuple[int, int, int], months: int, due: tuple[int, int, int]
) -> None:
    assert months_after(datetime(*came, tzinfo=UTC), months) == datetime(*due, tzinfo=UTC)


def test_it_is_due_in_a_month_or_once_extended_in_three() -> None:
    assert REQUEST.due_at == datetime(2026, 2, 28, 9, 30, tzinfo=UTC)
    longer = REQUEST.extended(Extension.COMPLEXITY)
    assert longer.due_at == datetime(2026, 4, 30, 9, 30, tzinfo=UTC)
    with pytest.raises(RequestClosedError):
        longer.extended(Extension.NUMBER)


def test_what_ended_stays_as_it_ended() -> None:
    done = REQUEST.finished(Outcome.FULFILLED, CAME)
    assert done.finished(Outcome.REFUSED, CAME) == done
    with pytest.raises(RequestClosedError):
        done.extended(Extension.NUMBER)


def test_open_requests_of_several_tenants_are_added_up() -> None:
    later = CAME + timedelta(days=1)
    counted = [OpenRequests(3, 1, 1, later), OpenRequests(), OpenRequests(2, 0, 1, CAME)]
    assert sum(counted, OpenRequests()) == OpenRequests(5, 1, 2, CAME)
    assert sum([], OpenRequests()).next_due is None
