"""The processes beside the server that recall, so that more than one core does.

    many calls at once ▶ they are started ▶ what is not alone goes over a lane to one of them

Rules:
- They are a second way to the same answer. One that is not there, fails, or does not know how costs
  nobody an answer: the server gives it itself.
- Everything is decided and written here: who calls, what the call may do, its rate, the fence, the
  keys, and the event that is on disk before the answer leaves.
- None is started before there is enough to do, and one that nobody asks for a while ends.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from memory.app.recorder import Recorded
from memory.bootstrap import SHIPPED_ENCODER, Tacit
from memory.config import Config
from memory.core.values import PersonRef, SubjectId
from memory.errors import TacitError
from memory.ports import Step
from memory.recalling import Setup
from memory.v1 import memory_service_pb2 as pb
from server.call import Call
from server.lanes import Answered, Asked, Dropped, Lane, Lend, Lent, Noted, NotHere
from server.names import person_from

LANES: Final = 3
"""Calls on their way to one process: while it works on one, others are brought to it and taken."""

CROWD: Final = 3
"""So many calls at once are more than one core answers well."""

PRESSED: Final = 64
"""So many calls found themselves in a crowd: then processes are started."""

START_SECONDS: Final = 60
AGAIN_SECONDS: Final = 10
"""After a start, at the earliest, comes the next."""

HANG_SECONDS: Final = 10
"""One that says nothing for so long is killed."""


def processes(config: Config) -> int:
    """How many may run: over PostgreSQL recalls wait for answers, not for a core."""
    if not config.database_url.startswith("sqlite"):
        return 0
    return min(config.recall_processes, (os.cpu_count() or 1) - 1)


class Beside:
    """All of them. Safe to use from several threads."""

    def __init__(self, config: Config, tacit: Tacit, busy: Callable[[], int]) -> None:
        """`busy` tells how many calls wait for a reader thread, or have one."""
        self._count = processes(config)
        self._recall = tacit.recall
        self._busy = busy
        self._setup = Setup(
            database_url=config.database_url,
            encoder=config.encoder or SHIPPED_ENCODER,
            registry=tacit.registry,
            search_in_memory=config.search_in_memory,
            idle_seconds=config.idle_seconds,
            key_cache_seconds=config.key_cache_seconds,
        )
        self._lock = threading.Lock()
        self._started: list[_Process] = []
        self._running: list[_Process] = []
        """Those of them that wait for calls."""
        self._pressed = 0
        self._next_start = 0.0
        self._closed = False
        self._told = tacit.caches.beside
        self._told.append(self.drop)

    def answer(
        self, call: Call, request: pb.RecallMemoriesRequest | pb.BuildContextRequest
    ) -> bytes | None:
        """The response; None when the server has to answer itself.

        Raises:
            ErasureInProgressError: the person is fenced.
            StorageUnavailableError, StorageFullError: the event could not be written down.
        """
        if request.reveal or not self._count:
            return None
        process, lane = self._lane()
        if process is None or lane is None:
            return None
        try:
            ref, asked = self._asked(call, request)
        except TacitError:
            self._give_back(process, lane)
            raise
        taken = self._taken(process, lane, ref, asked)
        if taken is None:
            return None
        answered, recorded = taken
        observer = self._recall.observer
        for step, nanoseconds in answered.steps:
            if step is not Step.RECALL_RECORD:
                observer.took(step, nanoseconds)
        with observer.step(Step.RECALL_RECORD):
            recorded.wait()
        return answered.response

    def running(self) -> int:
        """How many wait for calls."""
        with self._lock:
            return len(self._running)

    def drop(self, subject: SubjectId, for_good: bool) -> None:
        """Has all of them drop this person's memories, and for good the keys, too."""
        with self._lock:
            running = list(self._running)
        for process in running:
            process.drop(subject, for_good)

    def close(self) -> None:
        """Ends them; nothing is asked any more."""
        with self._lock:
            self._closed = True
            started, running = list(self._started), set(self._running)
        for process in started:
            process.end() if process in running else process.kill()
            process.wait()
        self._told.remove(self.drop)

    def _asked(
        self, call: Call, request: pb.RecallMemoriesRequest | pb.BuildContextRequest
    ) -> tuple[PersonRef, Asked]:
        caller = call.caller
        person = person_from(caller, request.parent, "parent")
        ref = self._recall.keyring.ref(caller.tenant, person)
        return ref, Asked(
            call.method.rpartition("/")[2],
            ref,
            caller.tenant.value,
            caller.assistant.value,
            caller.scopes,
            None if caller.person is None else caller.person.value,
            request.SerializeToString(),
        )

    def _taken(
        self, process: _Process, lane: Lane, ref: PersonRef, asked: Asked
    ) -> tuple[Answered, Recorded] | None:
        """What a process answers, and the event that has to be on disk first; None where it does
        not know. One that fails is ended.
        """
        try:
            lane.send(asked)
            recorded = None
            while isinstance(told := lane.recv(), Lend | Noted):
                if isinstance(told, Noted):
                    recorded = self._recall.ledger.recorder.submit(*told)
                else:
                    lane.send(self._lent(ref))
        except (EOFError, OSError):
            process.kill()
            return None
        except BaseException:
            process.kill()  # what it still says would be taken for the next answer
            raise
        self._give_back(process, lane)
        if isinstance(told, Answered) and recorded is not None:
            return told, recorded
        return None

    def _give_back(self, process: _Process, lane: Lane) -> None:
        with self._lock:
            process.free.append(lane)

    def _lent(self, ref: PersonRef) -> Lent | NotHere:
        try:
            with self._recall.store.read() as uow:
                person = uow.person(ref)
            if person is None:
                return NotHere()
            keys = self._recall.keyring.keys(person)
        except TacitError:
            return NotHere()
        return Lent(keys.version, keys.to_wrap().reveal())

    def _lane(self) -> tuple[_Process, Lane] | tuple[None, None]:
        """A process with a lane for one call; none for a call that is alone, as no way is shorter
        than to answer it here.
        """
        busy = self._busy()
        with self._lock:
            free = [process for process in self._running if process.free]
            if free and busy > 1:
                process = max(free, key=lambda process: len(process.free))
                return process, process.free.pop()
        if busy >= CROWD:
            self._press()
        return None, None

    def _press(self) -> None:
        """One more reason for a start."""
        with self._lock:
            self._pressed += 1
            now = time.monotonic()
            missing = 0 if self._closed else self._count - len(self._started)
            if missing <= 0 or self._pressed < PRESSED or now < self._next_start:
                return
            self._pressed, self._next_start = 0, now + AGAIN_SECONDS
        for _ in range(missing):
            threading.Thread(target=self._run, name="beside", daemon=True).start()

    def _run(self) -> None:
        """The life of one of them."""
        with self._lock:
            if self._closed:
                return
            try:
                process = _Process()
            except OSError:
                return  # no room for one more now: the next crowd tries again
            self._started.append(process)
        if process.begins(self._setup):
            with self._lock:
                self._running.append(process)
        process.wait()
        with self._lock:
            for processes in (self._started, self._running):
                processes[:] = [other for other in processes if other is not process]


class _Process:
    """One of them: a lane to tell it what to drop, and those for calls."""

    def __init__(self) -> None:
        """Raises `OSError` where no process can be started."""
        pairs = [socket.socketpair() for _ in range(LANES + 1)]
        numbers = [theirs.fileno() for _, theirs in pairs]
        timeout = struct.pack("ll", HANG_SECONDS, 0)  # C's `struct timeval`
        for mine, _ in pairs:
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                mine.setsockopt(socket.SOL_SOCKET, option, timeout)
        try:
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "server.recaller", *map(str, numbers)],
                pass_fds=numbers,
                stdin=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        finally:
            for _, theirs in pairs:
                theirs.close()
        self._control, *self.free = [Lane(mine.detach()) for mine, _ in pairs]
        self._turn = threading.Lock()

    def begins(self, setup: Setup) -> bool:
        """Whether it waits for calls, once it does; if it never will, it is killed."""
        with contextlib.suppress(EOFError, OSError):
            self._control.send(setup)
            for lane in (self._control, *self.free):
                if not lane.poll(START_SECONDS):
                    break
                lane.recv()
            else:
                return True
        self.kill()
        return False

    def drop(self, subject: SubjectId, for_good: bool) -> None:
        """Returns when it has dropped this, or is no more."""
        try:
            with self._turn:
                self._control.send(Dropped(subject.value, for_good))
                self._control.recv()
        except (EOFError, OSError):
            self.kill()
            self.wait()

    def end(self) -> None:
        """Has it end, and waits until it has."""
        with self._turn:
            self._control.close()
        try:
            self.wait(HANG_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self._child.kill()

    def wait(self, seconds: float | None = None) -> None:
        """Until it has ended."""
        self._child.wait(seconds)
