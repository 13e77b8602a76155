"""Sharing work between callers: nobody waits for nothing, nobody pays for another's error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from memory.adapters.batching import MAX_ITEMS, Batcher, ClosedError, _Job


class Gate:
    """Work that doubles its items, the first time only once the test opens the gate."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()
        self.batches: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        if len(self.batches) == 1:
            self.entered.set()
            assert self.opened.wait(30)
        if -1 in items:
            raise ValueError("-1")
        return [2 * item for item in items]


def _behind_the_gate(
    gate: Gate, batcher: Batcher[int, int], pool: ThreadPoolExecutor, calls: Sequence[list[int]]
) -> list[Future[Sequence[int]]]:
    """One caller at work inside the gate, the others queued in this order."""
    first = pool.submit(batcher.run, [0])
    assert gate.entered.wait(30)
    futures = [first]
    for call in calls:
        futures.append(pool.submit(batcher.run, call))
        _until(lambda: len(batcher._waiting) == len(futures) - 1)
    return futures


def _until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(3000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("the condition did not come true")


def test_a_caller_alone_works_in_its_own_thread() -> None:
    threads: list[int] = []

    def work(items: Sequence[int]) -> Sequence[int]:
        threads.append(threading.get_ident())
        return items

    assert Batcher(work).run([3, 1, 2]) == [3, 1, 2]
    assert threads == [threading.get_ident()]


def test_callers_that_wait_share_one_batch_and_each_gets_its_own_results() -> None:
    gate = Gate()
    batcher = Batcher(gate)
    with ThreadPoolExecutor(8) as pool:
        futures = _behind_the_gate(gate, batcher, pool, [[1, 2], [3], [4, 5, 6]])
        assert batcher.use().waiting == 3
        gate.opened.set()
        assert [list(future.result(30)) for future in futures] == [[0], [2, 4], [6], [8, 10, 12]]
        assert (batcher.use().waiting, batcher.use().runs) == (0, {1: 1, 6: 1})
    assert gate.batches == [[0], [1, 2, 3, 4, 5, 6]]


def test_a_batch_is_bounded_but_one_large_call_stays_whole() -> None:
    gate = Gate()
    batcher = Batcher(gate)
    large = list(range(MAX_ITEMS + 5))
    with ThreadPoolExecutor(8) as pool:
        futures = _behind_the_gate(gate, batcher, pool, [large, [1], [2]])
        gate.opened.set()
        assert list(futures[1].result(30)) == [2 * item for item in large]
        assert [list(future.result(30)) for future in futures[2:]] == [[2], [4]]
    assert gate.batches == [[0], large, [1, 2]]


def test_an_error_reaches_only_the_caller_that_caused_it() -> None:
    gate = Gate()
    batcher = Batcher(gate)
    with ThreadPoolExecutor(8) as pool:
        futures = _behind_the_gate(gate, batcher, pool, [[1], [-1], [2]])
        gate.opened.set()
        assert list(futures[1].result(30)) == [2]
        assert list(futures[3].result(30)) == [4]
        with pytest.raises(ValueError, match="-1"):
            futures[2].result(30)
    assert list(batcher.run([7])) == [14]


def test_close_finishes_what_was_accepted_and_refuses_the_rest() -> None:
    gate = Gate()
    batcher = Batcher(gate)
    with ThreadPoolExecutor(8) as pool:
        futures = _behind_the_gate(gate, batcher, pool, [[1], [2]])
        closing = pool.submit(batcher.close)
        _until(lambda: batcher._closed)
        with pytest.raises(ClosedError):
            batcher.run([3])
        assert not closing.done()
        gate.opened.set()
        assert [list(future.result(30)) for future in futures] == [[0], [2], [4]]
        closing.result(30)
    batcher.close()


def test_the_queue_moves_on_when_the_working_thread_is_ended() -> None:
    gate = Gate()

    def work(items: Sequence[int]) -> list[int]:
        results = gate(items)
        if items[0] == 0:
            raise KeyboardInterrupt
        return results

    batcher = Batcher(work)
    with ThreadPoolExecutor(8) as pool:
        futures = _behind_the_gate(gate, batcher, pool, [[1], [2]])
        gate.opened.set()
        assert isinstance(futures[0].exception(30), KeyboardInterrupt)
        assert [list(future.result(30)) for future in futures[1:]] == [[2], [4]]


class Interrupted(threading.Event):
    """Waiting for it is cut short, as by Ctrl-C."""

    def wait(self, timeout: float | None = None) -> bool:
        raise KeyboardInterrupt


@pytest.mark.parametrize("in_charge", [False, True])
def test_a_waiting_caller_that_is_interrupted_leaves_no_gap(in_charge: bool) -> None:
    batcher = Batcher[int, int](lambda items: items)
    leaving, staying = _Job[int, int]([1], Interrupted()), _Job[int, int]([2])
    batcher._busy = True
    batcher._waiting.extend([leaving, staying])
    if in_charge:
        leaving.awake.set()
    with pytest.raises(KeyboardInterrupt):
        batcher._wait(leaving)
    assert list(batcher._waiting) == [staying]
    assert staying.awake.is_set() is in_charge


def test_the_last_caller_in_charge_that_is_interrupted_leaves_nobody_at_work() -> None:
    batcher = Batcher[int, int](lambda items: items)
    leaving = _Job[int, int]([1], Interrupted())
    batcher._busy = True
    batcher._waiting.append(leaving)
    leaving.awake.set()
    with pytest.raises(KeyboardInterrupt):
        batcher._wait(leaving)
    assert list(batcher.run([3])) == [3]
    batcher.close()
