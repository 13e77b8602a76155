"""A thread in the background: woken when there is something to do, ended with the server.

Rules:
- A fault that nobody foresaw is logged by its class, and the work begins again: what is owed (an
  erasure, a rotation) must not wait for the next start.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Final

log = logging.getLogger(__name__)

FAULT_SECONDS: Final = 1.0
"""How long to wait after a fault."""


@dataclass
class Worker(ABC):
    """Runs `_run` in a thread of its own, which ends once `_stop` is set."""

    thread_name: ClassVar[str]
    _wake: threading.Event = field(default_factory=threading.Event, init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def start(self) -> None:
        """Works in a thread of its own from now on."""
        self._thread = threading.Thread(target=self._keep_on, name=self.thread_name, daemon=True)
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

    def _keep_on(self) -> None:
        while not self._stop.is_set():
            try:
                self._run()
            except Exception:
                log.exception("%s failed, and begins again", self.thread_name)
                self._stop.wait(FAULT_SECONDS)

    @abstractmethod
    def _run(self) -> None: ...
