"""Counts: every call once, under its rpc and status."""

from __future__ import annotations

import asyncio

from server.metrics import BOUNDS_MS, Metrics


def _ended(metrics: Metrics, status: str, ms: float) -> None:
    metrics.begin()
    metrics.end("m/M", status, ms)


def test_calls_are_counted_by_rpc_and_status() -> None:
    metrics = Metrics()
    for status in ("OK", "OK", "NOT_FOUND"):
        _ended(metrics, status, 1)
    assert metrics.calls() == {"m/M": {"OK": 2, "NOT_FOUND": 1}}


def test_a_quantile_is_the_end_of_its_bucket() -> None:
    metrics = Metrics()
    assert metrics.quantile_ms("m/M", 0.5) == 0
    for ms in (0.5, 1.5, 1.6, 1.7, 80):
        _ended(metrics, "OK", ms)
    assert metrics.quantile_ms("m/M", 0.5) == 2
    assert metrics.quantile_ms("m/M", 0.95) == 100
    _ended(metrics, "OK", 10 * BOUNDS_MS[-1])
    assert metrics.quantile_ms("m/M", 1) == 2 * BOUNDS_MS[-1]


def test_refusals_are_counted_by_rpc_and_reason() -> None:
    metrics = Metrics()
    for reason in ("CONSENT_MISSING", "", "CONSENT_MISSING", "TOO_BUSY"):
        metrics.begin()
        metrics.end("m/M", "…", 1, reason)
    assert metrics.refusals() == {("m/M", "CONSENT_MISSING"): 2, ("m/M", "TOO_BUSY"): 1}


def test_latencies_have_every_call_once_and_their_sum() -> None:
    metrics = Metrics()
    for ms in (0.5, 1.5, 80, 10 * BOUNDS_MS[-1]):
        _ended(metrics, "OK", ms)
    took = metrics.latencies()["m/M"]
    assert (sum(took.buckets), took.buckets[-1]) == (4, 1)
    assert took.ms == 82 + 10 * BOUNDS_MS[-1]


def test_idle_is_when_no_call_is_in_hand() -> None:
    async def run() -> None:
        metrics = Metrics()
        await metrics.idle()
        metrics.begin()
        metrics.begin()
        waiting = asyncio.create_task(metrics.idle())
        metrics.end("m/M", "OK", 1)
        await asyncio.sleep(0)
        assert not waiting.done()
        metrics.end("m/M", "OK", 1)
        await waiting

    asyncio.run(run())
