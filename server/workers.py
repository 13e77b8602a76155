"""The threads in which the domain runs: bounded, and so is the queue before them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, ParamSpec, TypeVar

from server.errors import TooBusyError

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """Runs functions in `threads` threads; at most `queue` more may wait."""

    def __init__(self, threads: int, queue: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="tacit-domain")
        self._room = threading.Semaphore(threads + queue)
        self._accepted: set[Future[Any]] = set()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `work`. Cancelled before it began, it never begins; later, it finishes.

        Raises:
            TooBusyError: the queue is full.
        """
        if not self._room.acquire(blocking=False):
            raise TooBusyError("too many calls wait; repeat the call later")
        # With the caller's context: a step finds the trace of its call there.
        future = self._pool.submit(copy_context().run, partial(work, *args, **kwargs))
        self._accepted.add(future)
        future.add_done_callback(self._done)
        return await asyncio.wrap_future(future)

    def waiting(self) -> int:
        """How many wait for a thread."""
        return sum(not (one.running() or one.done()) for one in list(self._accepted))

    def _done(self, future: Future[Any]) -> None:
        self._accepted.discard(future)
        self._room.release()

    async def close(self, seconds: float) -> bool:
        """Starts nothing queued any more; whether what ran has finished within `seconds`."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        waiter = threading.Thread(target=self._pool.shutdown, daemon=True)
        waiter.start()
        await asyncio.to_thread(waiter.join, seconds)
        return not waiter.is_alive()
