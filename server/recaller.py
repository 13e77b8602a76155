"""The process beside the server that recalls: `python -m server.recaller FD ...`.

Each file descriptor is a lane (`server.lanes`), on which one call at a time is answered.

Rules:
- One thread works, one call at a time: a second would only take turns with Python's lock.
- It ends when the server closes a lane or dies, or when nobody has asked for `idle_seconds`. SIGINT
  and SIGTERM are meant for the server.
- Whatever is raised ends in NotHere, and is told nowhere: the server meets it again, and tells it.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast

from memory.app.context import BuildContext
from memory.core.values import AssistantId, Caller, PersonId, PersonRef, Secret, SubjectId, TenantId
from memory.ports import AccessEvent, Step
from memory.recalling import Recalling, Setup, open_recalling
from memory.v1 import memory_service_pb2 as pb
from server.call import Call, to_bytes
from server.lanes import Answered, Asked, Dropped, Lane, Lend, Lent, Noted, NotHere, Ready
from server.logs import Log, silence_libraries
from server.services.memories import Memories

REQUESTS: Final[Mapping[str, type[pb.RecallMemoriesRequest | pb.BuildContextRequest]]] = {
    "RecallMemories": pb.RecallMemoriesRequest,
    "BuildContext": pb.BuildContextRequest,
}
"""The rpcs that can be answered here."""

FOLLOW_SECONDS: Final = 1.0
"""How often SQL is asked who was erased."""


class Steps:
    """The `Observer` that tells the server."""

    def __init__(self) -> None:
        self.taken: list[tuple[Step, int]] = []

    @contextmanager
    def step(self, step: Step) -> Iterator[None]:
        began = time.perf_counter_ns()
        yield
        self.took(step, time.perf_counter_ns() - began)

    def took(self, step: Step, nanoseconds: int) -> None:
        self.taken.append((step, nanoseconds))

    def found(self, _entity_types: object) -> None: ...

    def erased(self, _to_key: object, _to_certificate: object) -> None: ...


class Recaller:
    """What answers."""

    def __init__(self, setup: Setup) -> None:
        self._lane: Any = None
        self._steps = Steps()
        self._recalling: Recalling = open_recalling(setup, self._lend, self._note, self._steps)
        recall = self._recalling.recall
        others = cast(Any, None)
        service = Memories(others, recall, BuildContext(recall, others), *([others] * 6))
        self._answers = service.answers()
        self._idle_seconds = setup.idle_seconds

    def serve(self, lanes: list[Lane]) -> None:
        """Until one is closed, or nobody has asked for a while."""
        waiting = selectors.DefaultSelector()
        for lane in lanes:
            waiting.register(lane, selectors.EVENT_READ)
            lane.send(Ready())
        followed = asked = time.monotonic()
        while followed - asked < self._idle_seconds:
            for key, _ in waiting.select(FOLLOW_SECONDS):
                self._lane = key.fileobj
                self._lane.send(self._answer(self._lane.recv()))
                asked = time.monotonic()
            if time.monotonic() - followed >= FOLLOW_SECONDS:
                self._recalling.follow()
                followed = time.monotonic()

    def _answer(self, asked: Asked | Dropped) -> Answered | NotHere | Ready:
        if isinstance(asked, Dropped):
            drop = self._recalling.forget if asked.for_good else self._recalling.drop
            drop(SubjectId(asked.subject))
            return Ready()
        self._steps.taken = []
        self._recalling.keys.about = PersonRef(asked.ref)
        call = Call(cast(Any, None), cast(Any, None), authenticated=_caller(asked))
        try:
            request = REQUESTS[asked.rpc].FromString(asked.request)
            response = self._answers[asked.rpc](call, request)
            return Answered(to_bytes(response), self._steps.taken)
        except (EOFError, OSError):
            raise
        except Exception:
            return NotHere()

    def _lend(self, _ref: PersonRef) -> tuple[int, Secret]:
        self._lane.send(Lend())
        lent: Lent = self._lane.recv()
        return lent.version, Secret(lent.root)

    def _note(self, event: AccessEvent, leaf: bytes) -> None:
        self._lane.send(Noted(event, leaf))


def _caller(asked: Asked) -> Caller:
    return Caller(
        TenantId(asked.tenant),
        AssistantId(asked.assistant),
        asked.scopes,
        None if asked.person is None else PersonId(asked.person),
    )


def main(numbers: list[str]) -> None:
    """Answers until the server is gone."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    silence_libraries(Log())
    lanes: list[Lane] = [Lane(int(number)) for number in numbers]
    try:
        recaller = Recaller(lanes[0].recv())
        gc.collect()
        gc.freeze()
        recaller.serve(lanes)
    except Exception:
        os._exit(1)  # the server is gone, or sees that this is; a traceback might quote a text
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
