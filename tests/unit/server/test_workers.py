"""Worker threads: bounded, with a bounded queue, and they finish what they began."""

from __future__ import annotations

import asyncio
import threading

import pytest

from server.errors import TooBusyError
from server.workers import Workers

LANE = "acme"


def test_the_result_or_the_error_comes_back() -> None:
    async def run() -> None:
        workers = Workers(1, 1)
        assert await workers.run(LANE, divmod, 7, 2) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            await workers.run(LANE, divmod, 7, 0)
        assert await workers.close(1)

    asyncio.run(run())


def test_more_than_the_queue_holds_is_turned_away_at_once() -> None:
    async def run() -> None:
        workers, gate = Workers(2, 3), threading.Event()
        accepted = [asyncio.create_task(workers.run(LANE, gate.wait)) for _ in range(5)]
        await asyncio.sleep(0)
        with pytest.raises(TooBusyError):
            await workers.run(LANE, gate.wait)
        gate.set()
        assert await asyncio.gather(*accepted) == [True] * 5
        assert await workers.run(LANE, gate.wait)
        assert await workers.close(1)

    asyncio.run(run())


def test_a_cancelled_call_that_waits_never_begins() -> None:
    async def run() -> None:
        workers, gate = Workers(1, 1), threading.Event()
        begun: list[int] = []
        first = asyncio.create_task(workers.run(LANE, gate.wait))
        second = asyncio.create_task(workers.run(LANE, begun.append, 2))
        await asyncio.sleep(0)
        while workers.waiting() > 1:
            await asyncio.sleep(0.001)
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
        stuck = asyncio.create_task(workers.run(LANE, gate.wait))
        await asyncio.sleep(0)
        while workers.waiting():
            await asyncio.sleep(0.001)
        assert not await workers.close(0.05)
        gate.set()
        assert await stuck

    asyncio.run(run())


def test_a_caller_alone_always_finds_the_same_thread() -> None:
    async def run() -> None:
        workers, all_here = Workers(3, 0), threading.Barrier(3)
        crowd = await asyncio.gather(*(workers.run(LANE, all_here.wait) for _ in range(3)))
        assert sorted(crowd) == [0, 1, 2]
        found = set()
        for _ in range(9):
            while len(workers._idle) < 3:
                await asyncio.sleep(0.001)
            found.add(await workers.run(LANE, threading.get_ident))
        assert len(found) == 1
        assert await workers.close(1)

    asyncio.run(run())


def test_lanes_take_turns() -> None:
    async def run() -> None:
        workers, gate = Workers(1, 20), threading.Event()
        order: list[str] = []
        first = asyncio.create_task(workers.run(LANE, gate.wait))
        await asyncio.sleep(0)
        while workers.waiting():
            await asyncio.sleep(0.001)
        noisy = [asyncio.create_task(workers.run("noisy", order.append, "n")) for _ in range(6)]
        await asyncio.sleep(0)
        quiet = [asyncio.create_task(workers.run("quiet", order.append, "q")) for _ in range(2)]
        await asyncio.sleep(0)
        assert workers.waiting() == 8
        gate.set()
        await asyncio.gather(first, *noisy, *quiet)
        assert "".join(order) == "nqnqnnnn"
        assert workers.waiting() == 0
        assert await workers.close(1)

    asyncio.run(run())


def test_a_full_queue_sheds_the_newest_of_the_longest_lane() -> None:
    async def run() -> None:
        workers, gate = Workers(1, 3), threading.Event()
        running = asyncio.create_task(workers.run(LANE, gate.wait))
        await asyncio.sleep(0)
        while workers.waiting():
            await asyncio.sleep(0.001)
        noisy = [asyncio.create_task(workers.run("noisy", gate.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        quiet = asyncio.create_task(workers.run("quiet", divmod, 7, 2))
        with pytest.raises(TooBusyError):
            await noisy[-1]
        with pytest.raises(TooBusyError):
            await workers.run("noisy", gate.wait)
        gate.set()
        assert await quiet == (3, 1)
        assert await asyncio.gather(running, *noisy[:2]) == [True] * 3
        assert await workers.close(1)

    asyncio.run(run())


def test_a_cancelled_call_leaves_its_place() -> None:
    async def run() -> None:
        workers, gate = Workers(1, 1), threading.Event()
        running = asyncio.create_task(workers.run(LANE, gate.wait))
        await asyncio.sleep(0)
        while workers.waiting():
            await asyncio.sleep(0.001)
        for _ in range(3):
            waiting = asyncio.create_task(workers.run(LANE, gate.wait))
            await asyncio.sleep(0)
            assert workers.waiting() == 1
            waiting.cancel()
            await asyncio.sleep(0)
            assert workers.waiting() == 0
        gate.set()
        assert await running
        assert await workers.close(1)

    asyncio.run(run())
