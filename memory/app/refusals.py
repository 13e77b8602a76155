"""Writes down what the gate turned away, in a thread of its own.

Rules:
- A refusal of an unknown person leaves nothing: there is nobody whose log it could stand in.
- It never holds up a call. Past `MAX_WAITING`, refusals are counted in the server's log instead.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime
from queue import Full, Queue
from typing import Final

from memory.app.keyring import Keyring
from memory.app.leaves import person_leaf
from memory.app.recorder import Recorder
from memory.core.values import AssistantId, PersonRef, PurposeId, RecordId
from memory.errors import TacitError
from memory.ports import AccessAction, AccessEvent, PersonState, RandomBytes, Store

log = logging.getLogger(__name__)

MAX_WAITING: Final = 4096


@dataclass(frozen=True, slots=True)
class Refused:
    """A call that the gate turned away."""

    ref: PersonRef
    assistant: AssistantId
    action: AccessAction
    purpose: PurposeId | None
    at: datetime


class Refusals:
    """The thread that writes them. Safe to use from several threads."""

    def __init__(
        self, store: Store, keyring: Keyring, recorder: Recorder, random: RandomBytes
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._recorder = recorder
        self._random = random
        self._queue: Queue[Refused | None] = Queue(MAX_WAITING)
        self._thread = threading.Thread(target=self._run, name="refusals", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Hands on what was noted, and ends."""
        self._queue.put(None)
        self._thread.join()

    def note(self, refused: Refused) -> None:
        """Returns at once."""
        try:
            self._queue.put_nowait(refused)
        except Full:
            log.warning("more refusals than can be written down; one is left out of the ledger")

    def _run(self) -> None:
        while (refused := self._queue.get()) is not None:
            try:
                self._write(refused)
            except TacitError as error:
                log.warning("a refusal is left out of the ledger: %s", error.reason)
            except Exception:
                log.exception("a refusal is left out of the ledger")

    def _write(self, refused: Refused) -> None:
        with self._store.read() as uow:
            person = uow.person(refused.ref)
        if person is None or person.state is PersonState.ERASING:
            return
        keys = self._keyring.keys(person)
        event = AccessEvent(
            id=RecordId(self._random(16)),
            subject=keys.subject,
            at=refused.at,
            assistant=refused.assistant,
            purpose=refused.purpose,
            action=refused.action,
            memories=0,
            denied=True,
        )
        self._recorder.submit(event, person_leaf(keys, event).hash)
