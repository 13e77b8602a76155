"""Limits of a tenant's calls: counted by cost, refused with the time to wait."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.tenants import PerTenant
from memory.core.values import AssistantId, Caller, PersonId, TenantId
from memory.errors import ConfigurationError
from server.errors import RateLimitedError
from server.limits import Limit, Meter, load_limits
from server.policy import OPERATE, READ


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _caller(tenant: str = "acme", *scopes: str, person: str = "") -> Caller:
    whose = PersonId(person) if person else None
    return Caller(TenantId(tenant), AssistantId("bot"), frozenset(scopes or (READ,)), whose)


def _passed(meter: Meter, caller: Caller, tries: int, size: int = 0) -> int:
    passed = 0
    for _ in range(tries):
        try:
            meter.count(caller, size)
        except RateLimitedError:
            continue
        passed += 1
    return passed


def test_a_burst_passes_and_then_the_rate() -> None:
    clock = Clock()
    meter = Meter(PerTenant(Limit(rate=10, burst=5)), clock)
    assert _passed(meter, _caller(), 20) == 5
    clock.now += 0.1
    assert _passed(meter, _caller(), 20) == 1
    clock.now += 60
    assert _passed(meter, _caller(), 20) == 5


def test_whoever_waits_as_long_as_told_passes() -> None:
    clock = Clock()
    meter = Meter(PerTenant(Limit(rate=10, burst=5)), clock)
    _passed(meter, _caller(), 20)
    with pytest.raises(RateLimitedError) as caught:
        meter.count(_caller(), 0)
    assert caught.value.seconds == pytest.approx(0.1)
    clock.now += caught.value.seconds + 1e-9
    meter.count(_caller(), 0)


def test_a_large_request_costs_more_and_passes_once() -> None:
    clock = Clock()
    meter = Meter(PerTenant(Limit(rate=10, burst=5)), clock)
    assert _passed(meter, _caller(), 2, size=256 * 99) == 1
    clock.now += 9.9
    assert _passed(meter, _caller(), 1) == 1


def test_tenants_people_and_operators_are_counted_apart() -> None:
    meter = Meter(PerTenant(Limit(), {TenantId("acme"): Limit(rate=1, burst=1)}), Clock())
    assert _passed(meter, _caller(), 9) == 1
    assert _passed(meter, _caller(person="jane"), 9) == 1
    assert _passed(meter, _caller("acme", OPERATE), 9) == 9
    assert _passed(meter, _caller("other"), 9) == 9


@given(
    rate=st.floats(0.5, 1000),
    burst=st.floats(1, 1000),
    steps=st.lists(st.tuples(st.floats(0, 2), st.integers(0, 4000)), min_size=1, max_size=60),
)
def test_never_more_than_burst_and_rate_allow(
    rate: float, burst: float, steps: list[tuple[float, int]]
) -> None:
    clock = Clock()
    meter = Meter(PerTenant(Limit(rate, burst)), clock)
    spent = largest = 0
    for pause, size in steps:
        clock.now += pause
        if _passed(meter, _caller(), 1, size):
            spent += 1 + size // 256
            largest = max(largest, 1 + size // 256)
    allowed = max(burst, largest) + rate * (clock.now - 1000.0)
    assert spent <= allowed + 1e-6 * max(1.0, allowed)


def test_the_file_says_who_may_do_what() -> None:
    limits = load_limits(
        {
            "calls_per_second": 100,
            "memories_per_person": 9,
            "tenants": {"clinic": {"calls_per_second": 2, "burst": 3}, "free": {}},
        },
        "limits.toml",
    )
    assert limits.of(TenantId("acme")) == Limit(100, 200)
    assert limits.of(TenantId("clinic")) == Limit(2, 3)
    assert limits.of(TenantId("free")) == Limit(math.inf, math.inf)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"calls": 1}, "unknown setting 'calls'"),
        ({"calls_per_second": 0}, "calls_per_second: must be a number above 0"),
        ({"calls_per_second": True}, "calls_per_second: must be a number"),
        ({"burst": 5}, "burst: goes with calls_per_second"),
        ({"tenants": 1}, "tenants: must be tables"),
        ({"tenants": {"a b": {}}}, "tenant"),
    ],
)
def test_a_mistake_in_the_file_is_named(table: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigurationError, match="limits") as caught:
        load_limits(table, "limits.toml")
    assert told in caught.value.message
