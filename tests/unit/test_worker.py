"""The thread behind every background job: it ends when it is told to, whatever it is at."""

from __future__ import annotations

import threading

import pytest

from memory.app.worker import Worker


class _Idle(Worker):
    """Has nothing to do, and waits for a wake longer than any test may run."""

    thread_name = "idle"

    def _run(self) -> None:
        while self._goes_on():
            self._wake.wait(600)


class _FailsOnce(Worker):
    """Meets what it does not expect, the first time."""

    thread_name = "fails once"

    def __init__(self) -> None:
        super().__init__()
        self.runs = 0
        self.again = threading.Event()

    def _run(self) -> None:
        self.runs += 1
        if self.runs == 1:
            raise BrokenPipeError
        self.again.set()
        self._stop.wait(600)


class _StopsMeanwhile(threading.Event):
    """Lets a stop happen at the worst moment: just before the worker forgets its wakes."""

    def __init__(self, worker: Worker) -> None:
        super().__init__()
        self.worker = worker

    def clear(self) -> None:
        self.worker.stop()
        super().clear()


def test_a_stop_ends_the_wait_that_is_under_way() -> None:
    worker = _Idle()
    worker.start()
    worker.stop()
    assert worker._thread is not None
    assert not worker._thread.is_alive()


def test_a_fault_that_nobody_foresaw_does_not_end_the_work(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("memory.app.worker.FAULT_SECONDS", 0.0)
    worker = _FailsOnce()
    worker.start()
    assert worker.again.wait(30)
    worker.stop()
    assert [record.exc_info and record.exc_info[0] for record in caplog.records] == [
        BrokenPipeError
    ]


def test_a_stop_just_before_a_wait_is_not_slept_through() -> None:
    worker = _Idle()
    worker._wake = _StopsMeanwhile(worker)
    thread = threading.Thread(target=worker._run, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
