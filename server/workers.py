"""The threads in which the domain runs: bounded, and so is the queue before them.

Rules:
- Calls wait in lanes, one a tenant, and threads take from the lanes in turn: who sends many waits
  behind what is their own.
- Of idle threads, the one that worked last works next: a caller alone always finds the same.
- When the queue is full, the longest lane gives up its newest, unless that is the newcomer's own.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
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
        self._most_threads = threads
        self._most = threads + queue
        self._lock = threading.Lock()
        self._lanes: OrderedDict[Hashable, deque[_Job]] = OrderedDict()
        self._running = 0
        self._threads: list[threading.Thread] = []
        self._idle: list[threading.Lock] = []
        """What the idle threads wait for, the one that worked last at the end."""
        self._closed = False

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
                self._wake_one()
        if given_up is not None and given_up.set_running_or_notify_cancel():
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
            self._closed = True
            while self._idle:
                self._idle.pop().release()
        for future in waiting:
            future.cancel()
        return await asyncio.to_thread(self._ended, time.monotonic() + seconds)

    def _ended(self, latest: float) -> bool:
        for thread in self._threads:
            thread.join(max(0.0, latest - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

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

    def _wake_one(self) -> None:
        """Has a thread look for work: the one that worked last, whose caches are warm."""
        if self._idle:
            self._idle.pop().release()
        elif len(self._threads) < self._most_threads:
            thread = threading.Thread(target=self._work, name="tacit-domain", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        """What a thread does: the first of the lane whose turn it is, again and again."""
        awake = threading.Lock()
        awake.acquire()
        while True:
            with self._lock:
                if self._closed:
                    return
                job = self._next()
                if job is None:
                    self._idle.append(awake)
                else:
                    self._running += 1
            if job is None:
                awake.acquire()
                continue
            try:
                if job.future.set_running_or_notify_cancel():
                    _fulfil(job)
            finally:
                with self._lock:
                    self._running -= 1
            del job  # what it holds is not kept while the thread waits

    def _next(self) -> _Job | None:
        if not self._lanes:
            return None
        lane, jobs = self._lanes.popitem(last=False)
        job = jobs.popleft()
        if jobs:
            self._lanes[lane] = jobs
        return job


def _fulfil(job: _Job) -> None:
    try:
        result = job.work()
    except BaseException as error:
        job.future.set_exception(error)
    else:
        job.future.set_result(result)
