"""Keeps the index what SQL says it should be.

Rules:
- Store only leaves a task in the outbox; this worker batches tasks into the index and strikes
  them off after the index has them. Every task may run twice.
- At the start, and when the index fails, people whose collection is missing, holds another number
  of vectors or was made under another protection are queued again from SQL: nobody has to ask for
  a rebuild, and changing the veil or the mode is no more than a restart. An operator may ask
  (`renew`), for what a count cannot show.
- A sealed person has no collection: their vectors go into sealed segments (`app.segments`).
- Between the fence and the sweep of a Forget nothing is written for that person: the check of
  their state and the write are one step under `_lock`, and so is the sweep.
- No error stops the worker: it waits, and tries again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from memory.app.keyring import Keyring
from memory.app.matrices import Matrices
from memory.app.opened import OpenedFeatures
from memory.app.sealing import open_features
from memory.app.segments import drop_all, write_segments
from memory.app.veiling import Veils
from memory.app.worker import Worker
from memory.core.protection import Mode
from memory.core.values import RecordId, SubjectId, Vector
from memory.errors import IndexUnavailableError, TacitError
from memory.ports import (
    IndexTask,
    MemoryFilter,
    MemoryRow,
    PersonRow,
    PersonState,
    RandomBytes,
    Store,
    UnitOfWork,
    VectorIndex,
)

log = logging.getLogger(__name__)

BATCH: Final = 256
"""Tasks in one go: 100 vectors in one upsert cost as much as ten single ones."""

IDLE_SECONDS: Final = 5.0
"""How often to look without being woken: another replica may have died with tasks claimed."""

SETTLE_SECONDS: Final = 0.05
MOST_SETTLES: Final = 8
"""How long to let a burst of stores come together: until nothing came for so many seconds, and at
most so many times that. Recall does not wait for the index, and who stores would wait for it.
"""

RETRY_SECONDS: Final = 1.0


@dataclass
class Indexer(Worker):
    """The worker between the outbox and the index."""

    store: Store
    keyring: Keyring
    index: VectorIndex
    veils: Veils
    matrices: Matrices
    opened: OpenedFeatures
    random: RandomBytes
    thread_name = "indexer"
    _asked: deque[SubjectId] = field(default_factory=deque)
    _check: threading.Event = field(default_factory=threading.Event)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _level: float = field(default_factory=time.monotonic)
    """When nothing was owed (monotonic)."""

    def start(self) -> None:
        """Looks the index over, then works in a thread of its own."""
        self._check.set()
        super().start()

    def check(self) -> None:
        """The index failed: look it over."""
        self._check.set()
        self._wake.set()

    def renew(self, subjects: Iterable[SubjectId]) -> None:
        """Has these people rebuilt, one after the other, by the worker."""
        self._asked.extend(subjects)
        self.wake()

    def work_off(self) -> int:
        """Does what the outbox holds; returns the number of tasks done. What comes meanwhile may
        come together, too.
        """
        done = 0
        while not self._stop.is_set() and (count := self._batch()):
            done += count
            if count < BATCH:
                self._settle()
        return done

    def seconds_behind(self) -> float:
        """Since nothing was owed. What is owed now may be far older: a rebuild owes all of it."""
        return time.monotonic() - self._level

    def repair(self) -> int:
        """Queues again whoever the index does not hold in full; returns the number of people."""
        held = self.index.collections()
        broken = self.matrices.broken()
        with self.store.read() as uow:
            stored = uow.memory_counts()
            wrong = [
                person.subject
                for person in uow.people()
                if person.subject in broken
                or self._differs(uow, person, stored.get(person.subject, 0), held)
            ]
        for subject in wrong:
            self.rebuild(subject)
        if wrong:
            log.warning("the index does not match the store: rebuilding %d collections", len(wrong))
        return len(wrong)

    def rebuild(self, subject: SubjectId) -> int:
        """Drops what the index has of one person, and queues all of it under the protection of
        today; returns the number of memories.
        """
        with self._lock, self.store.write() as uow:
            person = _active(uow, subject)
            if person is None:
                return 0
            self.index.drop(person.collection)
            drop_all(uow, subject)
            uow.name_collection(subject, self.veils.collection(person))
            count = uow.queue_all(subject)
            uow.commit()
        self.matrices.drop(subject)
        self.wake()
        return count

    def sweep(self, collection: str) -> None:
        """Takes a collection out of the index and its files, for good."""
        self.drop(collection)
        self.scrub()

    def drop(self, collection: str) -> int:
        """Drops a collection that nothing writes to any more; returns how many vectors it had, 0
        where a damaged one does not say.
        """
        held = 0
        with self._lock:
            with suppress(IndexUnavailableError):
                held = self.index.count(collection)
            self.index.drop(collection)
        return held

    def scrub(self) -> None:
        """Purges what dropped and deleted vectors left in the index's files."""
        with self._lock:
            self.index.scrub()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._check.is_set():
                    self._check.clear()
                    self.repair()
                while self._asked and not self._stop.is_set():
                    self.rebuild(self._asked[0])
                    self._asked.popleft()
                self.work_off()
                self._level = time.monotonic()
                self.matrices.evict_idle()
                self.opened.evict_idle()
                if self._wake.wait(IDLE_SECONDS):
                    self._settle()
            except TacitError as error:
                log.warning("indexing waits: %s", error.reason)
                self._check.set()
                self._stop.wait(RETRY_SECONDS)
            self._wake.clear()

    def _settle(self) -> None:
        for _ in range(MOST_SETTLES):
            self._wake.clear()
            if self._stop.wait(SETTLE_SECONDS) or not self._wake.is_set():
                return

    def _batch(self) -> int:
        with self.store.write() as uow:
            tasks = uow.claim_index_tasks(BATCH)
            uow.commit()
        by_subject: dict[SubjectId, list[IndexTask]] = defaultdict(list)
        for task in tasks:
            by_subject[task.subject].append(task)
        ids = [task.id for task in tasks]
        try:
            for subject, theirs in by_subject.items():
                with self._lock:
                    self._apply(subject, list(dict.fromkeys(task.record for task in theirs)))
        except TacitError:
            with self.store.write() as uow:
                uow.release_index_tasks(ids)
                uow.commit()
            raise
        if tasks:
            with self.store.write() as uow:
                uow.finish_index_tasks(ids)
                uow.commit()
        return len(tasks)

    def _apply(self, subject: SubjectId, records: Sequence[RecordId]) -> None:
        """Makes the index hold what SQL says of these records, whatever the tasks were."""
        with self.store.read() as uow:
            person = _active(uow, subject)
            if person is None:
                return
            rows = uow.memories(subject, records, MemoryFilter())
        if person.collection != self.veils.collection(person):
            self.rebuild(subject)
        elif self.veils.mode(person.tenant) is Mode.SEALED:
            self._seal(subject, records)
        else:
            self._veil(person, records, rows)

    def _veil(
        self, person: PersonRow, records: Sequence[RecordId], rows: Sequence[MemoryRow]
    ) -> None:
        present = {row.id for row in rows}
        if gone := [r for r in records if r not in present]:
            self.index.delete(person.collection, gone)
        if rows:
            keys = self.keyring.keys(person)
            exact = np.stack([open_features(keys, row).vector for row in rows])
            ids = [row.id for row in rows]
            self.index.upsert(person.collection, ids, self.veils.records(keys, ids, exact))

    def _seal(self, subject: SubjectId, records: Sequence[RecordId]) -> None:
        """All in one transaction: what was deleted meanwhile is not written again."""
        with self.store.write() as uow:
            person = _active(uow, subject)
            if person is None:
                return
            uow.person(person.ref, lock=True)
            keys = self.keyring.keys(person)
            rows = uow.memories(subject, records, MemoryFilter())
            vectors: dict[RecordId, Vector] = {r.id: open_features(keys, r).vector for r in rows}
            try:
                write_segments(uow, keys, self.matrices, records, vectors, self.random)
            except IndexUnavailableError:
                self._check.set()  # the segments are broken, and `repair` writes them anew
                return
            uow.commit()

    def _differs(
        self, uow: UnitOfWork, person: PersonRow, stored: int, held: Mapping[str, int]
    ) -> bool:
        if person.state is PersonState.ERASING:
            return False
        if person.collection != self.veils.collection(person):
            return True
        indexed = held.get(person.collection, 0)
        if self.veils.mode(person.tenant) is Mode.SEALED:
            indexed = sum(head.vectors for head in uow.segments(person.subject))
        if indexed == stored:
            return False
        owed = len(uow.unindexed_heads(person.subject, MemoryFilter()))
        return not stored - owed <= indexed < stored


def _active(uow: UnitOfWork, subject: SubjectId) -> PersonRow | None:
    person = uow.person_by_subject(subject)
    return None if person is None or person.state is PersonState.ERASING else person
