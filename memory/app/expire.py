"""Retention: what has expired is erased, by the same engine as a deletion (GDPR Art. 5(1)(e)).

Rules:
- What is due stands in SQL: a restart forgets nothing, and a server that was down catches up.
- A batch is claimed and erased in one transaction: several replicas share the work, none does it
  twice, and one that dies leaves its batch as it was.
- A person who is being forgotten, or under a legal hold, is left out.
- At the start, a purpose's shortened retention is put on what is stored already.
- No error stops the worker: it waits, and tries again.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from memory.app.worker import Worker
from memory.core.purposes import Purposes
from memory.core.values import RecordId, SubjectId, TenantId
from memory.errors import TacitError
from memory.ports import Clock, Store, UnitOfWork

log = logging.getLogger(__name__)

BATCH: Final = 200
"""Memories in one transaction; keeps it short for everyone else."""

INTERVAL_SECONDS: Final = 15.0
"""How often to look. What has expired is not shown from that moment on; this erases it."""

Erase = Callable[[UnitOfWork, SubjectId, Sequence[RecordId]], int]


@dataclass
class Expire(Worker):
    """The worker that erases what has expired."""

    store: Store
    purposes: Callable[[TenantId], Purposes]
    erase: Erase
    follow: Callable[[SubjectId], None]
    """Called after each batch with whose memories went."""
    clock: Clock
    thread_name = "retention"

    def apply(self) -> int:
        """Puts each purpose's retention on what is stored; returns how many
        memories end earlier.
        """
        changed = 0
        with self.store.read() as uow:
            tenants = uow.tenants()
        for tenant in tenants:
            for purpose in self.purposes(tenant).by_id.values():
                if purpose.retention is not None:
                    with self.store.write() as uow:
                        changed += uow.shorten_retention(tenant, purpose.id, purpose.retention)
                        uow.commit()
        return changed

    def work_off(self) -> int:
        """Erases what is due; returns how many memories that were."""
        done = 0
        while not self._stop.is_set() and (count := self._batch()):
            done += count
        return done

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.work_off()
            except TacitError as error:
                log.warning("retention waits: %s", error.reason)
            self._stop.wait(INTERVAL_SECONDS)

    def _batch(self) -> int:
        with self.store.write() as uow:
            due: dict[SubjectId, list[RecordId]] = defaultdict(list)
            for subject, record in uow.claim_expired(self.clock(), BATCH):
                due[subject].append(record)
            count = sum(self.erase(uow, subject, records) for subject, records in due.items())
            uow.commit()
        for subject in due:
            self.follow(subject)
        return count
