"""Lays out who has many memories in the background; meanwhile their recalls ask the index.

Rules:
- After each page a pause as long: half of the time is for others.
- Whatever changes meanwhile is seen by the last look, in one transaction. Who is being forgotten,
  and who has a new key, is let go: the next recall asks again if it may.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from memory.app.opened import Load, OpenedFeatures, Reading
from memory.app.worker import Worker
from memory.core.keys import PersonKeys
from memory.core.values import SubjectId
from memory.errors import TacitError
from memory.ports import MemoryFilter, MemoryRow, PersonState, Store

log = logging.getLogger(__name__)

MAX_WAITING: Final = 64
"""People; who finds no place asks again with the next recall."""

_PAGE: Final = 100


@dataclass
class LayOut(Worker):
    """Opens what is asked for, one person after the other, in a thread of its own."""

    store: Store
    opened: OpenedFeatures
    thread_name = "layout"
    _waiting: dict[tuple[SubjectId, MemoryFilter], PersonKeys] = field(default_factory=dict)

    def ask(self, keys: PersonKeys, filter_: MemoryFilter) -> None:
        """Lays this out soon; asked for once more, it is done once."""
        if len(self._waiting) < MAX_WAITING:
            self._waiting[keys.subject, filter_] = keys
            self.wake()

    def _run(self) -> None:
        while self._goes_on():
            while self._waiting and not self._stop.is_set():
                (subject, filter_), keys = next(iter(self._waiting.items()))
                try:
                    self._lay_out(keys, filter_)
                except TacitError as error:
                    log.warning("nobody is laid out: %s", error.reason)
                finally:
                    del self._waiting[subject, filter_]
            self._wake.wait()

    def _lay_out(self, keys: PersonKeys, filter_: MemoryFilter) -> None:
        after = -1
        while not self._stop.is_set():
            began = time.monotonic()
            with self.store.read() as uow:
                rows = Reading(uow, keys.subject, filter_).added(after, _PAGE)
            if not rows:
                break
            self.opened.open(keys, [row.head for row in rows], _of(rows))
            after = rows[-1].seq
            self._stop.wait(time.monotonic() - began)
        with self.store.read() as uow:
            person = uow.person_by_subject(keys.subject)
            if person is None or person.state is PersonState.ERASING:
                return
            self.opened.whole(keys, person, Reading(uow, keys.subject, filter_))


def _of(rows: Sequence[MemoryRow]) -> Load:
    """Out of what is read already."""
    by_id = {row.id: row for row in rows}
    return lambda records: [by_id[record] for record in records]
