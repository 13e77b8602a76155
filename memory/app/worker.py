"""A thread in the background: woken when there is something to do, ended with the server."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass
class Worker(ABC):
    """Runs `_run` in a thread of its own, which ends once `_stop` is set."""

    thread_name: ClassVar[str]
    _wake: threading.Event = field(default_factory=threading.Event, init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def start(self) -> None:
        """Works in a thread of its own from now on."""
        self._thread = threading.Thread(target=self._run, name=self.thread_name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    def stop(self) -> None:
        """Finishes what is in hand and ends. What is left is owed still."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _goes_on(self) -> bool:
        """False once it is to end. Forgets wakes so far, in this order: a `stop` meanwhile is
        either seen here or ends the next wait.
        """
        self._wake.clear()
        return not self._stop.is_set()

    @abstractmethod
    def _run(self) -> None: ...
