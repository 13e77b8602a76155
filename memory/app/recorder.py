"""Group commit: events of calls that only read, written down without a transaction for each.

    submit ▶ what waits at that moment ▶ ONE SQL transaction ▶ wait() returns

Rules:
- When `wait` returns, the event survives a crash; whoever read must wait before it answers.
- An event that cannot be written fails its own call. One whose person was forgotten meanwhile takes
  no other down with it: then each is written by itself.
- A call submits as soon as it knows what it read, and goes on with its work meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Final

from memory.errors import LostRaceError, StorageUnavailableError, TacitError
from memory.ports import AccessEvent, Store

MAX_GROUP: Final = 64
"""Events in one transaction; the next one takes the rest."""


class Recorded:
    """An event on its way to the disk."""

    __slots__ = ("_done", "_error", "event", "leaf")

    def __init__(self, event: AccessEvent, leaf: bytes) -> None:
        self.event = event
        self.leaf = leaf
        self._error: TacitError | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def wait(self) -> None:
        """Returns when it is on disk.

        Raises:
            StorageUnavailableError, StorageFullError: it is not, and so what was read must not
                leave.
        """
        with self._done:
            if self._error is not None:
                raise self._error

    def end(self, error: TacitError | None = None) -> None:
        """Lets `wait` return, once."""
        self._error = error
        self._done.release()


class Recorder:
    """The thread that writes. Safe to use from several threads."""

    def __init__(self, store: Store, recorded: Callable[[], None]) -> None:
        """`recorded` is called after each commit."""
        self._store = store
        self._recorded = recorded
        self._queue: SimpleQueue[Recorded | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._stopped = False

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Writes what was submitted, and ends."""
        self._stopped = True
        self._queue.put(None)
        self._thread.join()

    def submit(self, event: AccessEvent, leaf: bytes) -> Recorded:
        """Puts an event with its leaf hash on its way."""
        recorded = Recorded(event, leaf)
        if self._stopped:
            raise StorageUnavailableError("the server is stopping: repeat the call")
        self._queue.put(recorded)
        return recorded

    def _run(self) -> None:
        while True:
            group = [self._queue.get()]
            while len(group) < MAX_GROUP and group[-1] is not None:
                try:
                    group.append(self._queue.get_nowait())
                except Empty:
                    break
            events = [one for one in group if one is not None]
            if events:
                self._write(events)
            if group[-1] is None:
                return

    def _write(self, group: Sequence[Recorded]) -> None:
        error = self._commit(group)
        if isinstance(error, LostRaceError) and len(group) > 1:
            for one in group:
                one.end(self._commit([one]))
        else:
            for one in group:
                one.end(error)
        self._recorded()

    def _commit(self, group: Sequence[Recorded]) -> TacitError | None:
        try:
            self._store.append_events([(one.event, one.leaf) for one in group])
        except TacitError as error:
            return error
        except Exception as fault:  # nobody may wait for ever
            return TacitError(f"the ledger could not be written ({type(fault).__name__})")
        return None
