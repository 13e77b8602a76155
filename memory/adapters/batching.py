"""Callers that arrive together share runs of the model; a caller alone pays for nothing.

Rules:
- There is no worker thread and no waiting time. The first caller works at once, in its own
  thread. Whoever arrives meanwhile queues; when the work is done, the first in the queue works
  for all that wait (up to `MAX_ITEMS`). One thread works at a time.
- Results do not depend on who shares the work; that is the duty of `work`.
- An error reaches only the callers whose items caused it: a run that fails for several callers
  is repeated for each of them alone.
- `close` refuses new work and returns when the accepted work is done.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Condition, Event
from typing import Final, Generic, TypeVar

from memory.ports import ModelUse

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_ITEMS: Final = 64
"""Items one caller works on for others: bounds how long its own answer may be held up."""


class ClosedError(Exception):
    """Work was offered after `close`."""


@dataclass(slots=True, eq=False)
class _Job(Generic[Item, Result]):
    """One caller's items, and the answer to them. `awake` fires when done or put in charge."""

    items: Sequence[Item]
    awake: Event = field(default_factory=Event)
    result: Sequence[Result] | None = None
    error: Exception | None = None


class Batcher(Generic[Item, Result]):
    """Calls `work` with the items of one or more callers; it returns one result per item."""

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result]]) -> None:
        self._work = work
        self._waiting: deque[_Job[Item, Result]] = deque()
        self._busy = False
        self._closed = False
        self._runs: Counter[int] = Counter()
        self._changed = Condition()

    def run(self, items: Sequence[Item]) -> Sequence[Result]:
        """The results of these items, in their order.

        Raises:
            ClosedError: after `close`.
            Exception: whatever `work` raised for these items.
        """
        job = _Job[Item, Result](items)
        with self._changed:
            if self._closed:
                raise ClosedError
            self._waiting.append(job)
            in_charge = not self._busy
            self._busy = True
        if not in_charge:
            self._wait(job)
        if job.result is None and job.error is None:
            self._work_for_the_waiting()
        if job.error is not None:
            raise job.error
        assert job.result is not None
        return job.result

    def close(self) -> None:
        """Refuse new work; return when what was accepted is done. May be called again."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._busy)

    def use(self) -> ModelUse:
        """Callers that wait, and runs so far by how many items they had."""
        with self._changed:
            return ModelUse(len(self._waiting), dict(self._runs))

    def _wait(self, job: _Job[Item, Result]) -> None:
        """Until the job is answered, or first in the queue with nobody at work."""
        try:
            job.awake.wait()
        except BaseException:  # an interrupt: leave the queue, and no gap in it
            with self._changed:
                in_charge = self._waiting and self._waiting[0] is job and job.awake.is_set()
                if job in self._waiting:
                    self._waiting.remove(job)
                if in_charge:
                    self._hand_over()
            raise

    def _hand_over(self) -> None:
        """Put the first in the queue in charge, if there is one. Needs the lock."""
        self._busy = bool(self._waiting)
        if self._waiting:
            self._waiting[0].awake.set()
        else:
            self._changed.notify_all()

    def _work_for_the_waiting(self) -> None:
        """Answer the first in the queue, which is the caller, and those behind it."""
        jobs = self._take()
        try:
            self._answer(jobs)
        finally:
            # Also when this thread is being ended: the next one takes over, the others learn.
            with self._changed:
                self._hand_over()
            for job in jobs:
                if job.result is None and job.error is None:
                    job.error = RuntimeError("the thread that worked for this call was ended")
                job.awake.set()

    def _take(self) -> list[_Job[Item, Result]]:
        with self._changed:
            jobs = [self._waiting.popleft()]
            room = MAX_ITEMS - len(jobs[0].items)
            while self._waiting and len(self._waiting[0].items) <= room:
                jobs.append(self._waiting.popleft())
                room -= len(jobs[-1].items)
            self._runs[sum(len(job.items) for job in jobs)] += 1
        return jobs

    def _answer(self, jobs: Sequence[_Job[Item, Result]]) -> None:
        try:
            results = self._work([item for job in jobs for item in job.items])
        except Exception as error:
            if len(jobs) == 1:
                jobs[0].error = error
                return
            for job in jobs:
                self._answer([job])
            return
        start = 0
        for job in jobs:
            job.result = results[start : start + len(job.items)]
            start += len(job.items)
