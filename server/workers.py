"""The threads in which the domain runs: bounded, and so is the queue before them.

Rules:
- Calls wait in lanes, one a tenant, and threads take from the lanes in turn: who sends many waits
  behind what is their own.
- When the queue is full, the longest lane gives up its newest, unless that is the newcomer's own.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar

from server.errors import TooBusyError

P = ParamSpec("P")
T = TypeVar("T")

_FULL: Final = "too many calls wait; repeat the call later"


class _Job(NamedTuple):
    work: Callable[[], Any]
    future: Future[Any]


class Workers:
    """Runs functions in `threads` threads; at most `queue` more may wait."""

    def __init__(self, threads: int, queue: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="tacit-domain")
        self._most = threads + queue
        self._lock = threading.Lock()
        self._lanes: OrderedDict[Hashable, deque[_Job]] = OrderedDict()
        self._running = 0

    async def run(
        self, lane: Hashable, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of `work`. Cancelled before it began, it never begins; later, it finishes.

        Raises:
            TooBusyError: the queue is full.
        """
        # With the caller's context: a step finds the trace of its call there.
        job = _Job(partial(copy_context().run, partial(work, *args, **kwargs)), Future())
        with self._lock:
            given_up = self._make_room(lane)
            self._lanes.setdefault(lane, deque()).append(job)
        if given_up is None:
            self._pool.submit(self._next)
        elif given_up.set_running_or_notify_cancel():
            given_up.set_exception(TooBusyError(_FULL))
        future: Future[T] = job.future
        future.add_done_callback(partial(self._leave, lane))
        return await asyncio.wrap_future(future)

    def waiting(self) -> int:
        """How many wait for a thread."""
        with self._lock:
            return self._waiting()

    def busy(self) -> int:
        """How many wait or are worked on."""
        with self._lock:
            return self._waiting() + self._running

    async def close(self, seconds: float) -> bool:
        """Starts nothing queued any more; whether what ran has finished within `seconds`."""
        with self._lock:
            waiting = [job.future for lane in self._lanes.values() for job in lane]
            self._lanes.clear()
        for future in waiting:
            future.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)
        waiter = threading.Thread(target=self._pool.shutdown, daemon=True)
        waiter.start()
        await asyncio.to_thread(waiter.join, seconds)
        return not waiter.is_alive()

    def _make_room(self, lane: Hashable) -> Future[Any] | None:
        """What must give up its place, if one must."""
        if self._running + self._waiting() < self._most:
            return None
        longest = max(self._lanes.values(), key=len, default=deque[_Job]())
        if len(longest) <= len(self._lanes.get(lane, ())) + 1:
            raise TooBusyError(_FULL)
        future = longest.pop().future
        self._lanes = OrderedDict((name, jobs) for name, jobs in self._lanes.items() if jobs)
        return future

    def _leave(self, lane: Hashable, ended: Future[Any]) -> None:
        """A call that was cancelled while it waited takes no room."""
        if not ended.cancelled():
            return
        with self._lock:
            left = deque(job for job in self._lanes.get(lane, ()) if job.future is not ended)
            if left:
                self._lanes[lane] = left
            else:
                self._lanes.pop(lane, None)

    def _waiting(self) -> int:
        return sum(map(len, self._lanes.values()))

    def _next(self) -> None:
        """Runs the first of the lane whose turn it is."""
        with self._lock:
            if not self._lanes:
                return
            lane, jobs = self._lanes.popitem(last=False)
            job = jobs.popleft()
            if jobs:
                self._lanes[lane] = jobs
            self._running += 1
        try:
            if job.future.set_running_or_notify_cancel():
                _fulfil(job)
        finally:
            with self._lock:
                self._running -= 1


def _fulfil(job: _Job) -> None:
    try:
        result = job.work()
    except BaseException as error:
        job.future.set_exception(error)
    else:
        job.future.set_result(result)
