"""Worker threads: bounded, with a bounded queue, and they finish what they began."""

from __future__ import annotations

import asyncio
import threading

import pytest

from server.errors import TooBusyError
from server.workers import Workers


def test_the_result_or_the_error_comes_back() -> None:
    async def run() -> None:
        workers = Workers(1, 1)
        assert await workers.run(divmod, 7, 2) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            await workers.run(divmod, 7, 0)
        assert await workers.close(1)

    asyncio.run(run())


def test_more_than_the_queue_holds_is_turned_away_at_once() -> None:
    async def run() -> None:
        workers, gate = Workers(2, 3), threading.Event()
        accepted = [asyncio.create_task(workers.run(gate.wait)) for _ in range(5)]
        await asyncio.sleep(0)
        with pytest.raises(TooBusyError):
            await workers.run(gate.wait)
        gate.set()
        assert await asyncio.gather(*accepted) == [True] * 5
        assert await workers.run(gate.wait)
        assert await workers.close(1)

    asyncio.run(run())


def test_a_cancelled_call_that_waits_never_begins() -> None:
    async def run() -> None:
        workers, gate = Workers(1, 1), threading.Event()
        begun: list[int] = []
        first = asyncio.create_task(workers.run(gate.wait))
        second = asyncio.create_task(workers.run(begun.append, 2))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.sleep(0)
        gate.set()
        assert await first
        assert await workers.close(1)
        assert begun == []

    asyncio.run(run())


def test_closing_waits_no_longer_than_it_may() -> None:
    async def run() -> None:
        workers, gate = Workers(1, 1), threading.Event()
        stuck = asyncio.create_task(workers.run(gate.wait))
        await asyncio.sleep(0)
        assert not await workers.close(0.05)
        gate.set()
        assert await stuck

    asyncio.run(run())
