"""The engine behind every erasure: one worker, steps that can be repeated, certificates at the end.

    a person   (fenced)  ▶ key overwritten ▶ caches, index, rows ▶ files scrubbed ▶ certificate
    memories   (deleted) ▶ the person's other memories under a new key, in a new collection
                         ▶ the old collection ▶ files scrubbed ▶ certificate
    both       ▶ the key epoch rolls, within `bound` or at once ▶ the certificate, once more

Rules:
- Each step is idempotent, and recorded before the next: a crash resumes where it stopped, never
  goes back, and never resurrects. ADR 16 reasons about each boundary.
- **Nothing is certified before it was looked at**: rows and vectors are counted again after the
  sweep, and what is left is swept again.
- What does not answer (index, database, key provider) delays the erasures that need it and no
  others; the worker comes back to them, ever more seldom, up to `MAX_RETRY_SECONDS`.
- Files are scrubbed once for all erasures that are at that step.
- Every server drops what it holds open of people whom another one erases.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from memory.app.certify import Certify
from memory.app.erasure_steps import ErasureSteps
from memory.app.intake import Intake, rights_request
from memory.app.ledger import engine
from memory.app.rotate import Rotate
from memory.app.worker import Worker
from memory.core.erasure import ErasureRow, ErasureState, scanned
from memory.core.requests import Outcome
from memory.core.residue import Needles
from memory.core.values import RecordId, SubjectId
from memory.errors import (
    RotationInProgressError,
    TacitError,
)
from memory.ports import Clock, KeyEpoch, Observer, RandomBytes, ResidueScanner, Store

log = logging.getLogger(__name__)

IDLE_SECONDS: Final = 2.0
"""How often to look without being woken: another server may have accepted an erasure, or died."""

POLL_SECONDS: Final = 0.1
"""How often to look for a rotation, or for an indexer's batch, that is waited for."""

SEATS: Final = 2
"""Calls that may wait for their certificate at once: a thread that waits serves nobody else."""

PATIENCE: Final = timedelta(seconds=5)
"""How long a rotation may take before an erasure is said to wait for it."""

RETRY_SECONDS: Final = 1.0
MAX_RETRY_SECONDS: Final = 60.0


@dataclass
class _Waiting:
    """An erasure that could not go on: how often, and when to try again (monotonic)."""

    tries: int
    until: float


@dataclass
class Eraser(Worker):
    """Carries out what was accepted, in a thread of its own."""

    store: Store
    intake: Intake
    steps: ErasureSteps
    rotate: Rotate
    certify: Certify
    clock: Clock
    random: RandomBytes
    bound: timedelta
    """Key epochs of erased keys are destroyed within this time after the erasure."""
    scanner: ResidueScanner
    observer: Observer
    thread_name = "erasure"
    _moved: threading.Condition = field(default_factory=threading.Condition)
    _seats: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(SEATS))
    _worker: bytes = field(init=False)
    _in_hand: set[RecordId] = field(default_factory=set)
    _waiting: dict[RecordId, _Waiting] = field(default_factory=dict)
    _scrubbed: dict[RecordId, bool] = field(default_factory=dict)
    """Those whose files are scrubbed, and whether the database's was rewritten in full."""
    _needles: dict[RecordId, Needles] = field(default_factory=dict)
    """What a scan looks for, until it is done. Gone with the process: then the certificate says
    there was none.
    """

    def __post_init__(self) -> None:
        self._worker = self.random(16)

    def start(self) -> None:
        """Goes on with what is unfinished, then waits for work."""
        self.wake()
        super().start()

    def look_for(self, erasure: RecordId, needles: Needles) -> None:
        """What the scan before this erasure's certificate must not find."""
        self._needles[erasure] = needles

    def follow(self, subject: SubjectId) -> None:
        """Memories of this person were erased: drops what lies open of them, and goes on."""
        self.steps.caches.drop(subject)
        self.steps.indexer.wake()
        self.wake()

    @contextmanager
    def in_hand(self, erasure: RecordId) -> Iterator[None]:
        """The caller does the first steps itself; the worker takes over afterwards."""
        self._in_hand.add(erasure)
        try:
            yield
        finally:
            self._in_hand.discard(erasure)
            self._wake.set()

    def wait(self, erasure: ErasureRow, seconds: float) -> ErasureRow:
        """Until it is done, waits for something that does not answer, or time is up; as it is
        then, or as it was if the store does not say. Returns at once when `SEATS` others wait.
        """
        if not self._seats.acquire(blocking=False):
            return erasure
        try:
            return self._wait(erasure, time.monotonic() + seconds)
        finally:
            self._seats.release()

    def _wait(self, erasure: ErasureRow, end: float) -> ErasureRow:
        with self._moved:
            while not self._stop.is_set():
                with suppress(TacitError), self.store.read() as uow:
                    erasure = uow.erasure(erasure.id) or erasure
                left = end - time.monotonic()
                if erasure.state is ErasureState.DONE or erasure.waits_for or left <= 0:
                    break
                self._moved.wait(min(left, IDLE_SECONDS))
        return erasure

    def work(self) -> bool:
        """One pass over everything that is owed; whether to come back soon."""
        self.intake.replay()
        self.steps.caches.follow(self.store)
        looking = set(self._needles)
        with self.store.read() as uow:
            unsettled = uow.unsettled_erasures()
            epochs = {epoch.number: epoch for epoch in uow.key_epochs()}
        for done in looking - {e.id for e in unsettled if e.state is not ErasureState.DONE}:
            self._needles.pop(done, None)  # by another server
        owed = [e for e in unsettled if e.id not in self._in_hand]
        now = self.clock()
        due = [e for e in owed if self._is_due(e, now)]
        mine = self._hold([e for e in owed if self._is_next(e, epochs, due)])
        mine = [self._try(e, self.steps.take_key) for e in mine]
        mine = [self._try(e, self.steps.sweep) for e in mine]
        self._scrub([e for e in mine if e.state is ErasureState.SWEPT])
        if due:
            self._roll(due)
        mine = [self._try(e, lambda e: self._finish(e, epochs)) for e in mine]
        with self._moved:
            self._moved.notify_all()
        return any(e.state is not ErasureState.DONE and not e.waits_for for e in mine) or any(
            e.at_once and not e.settled for e in mine
        )

    def _run(self) -> None:
        while self._goes_on():
            try:
                pause = POLL_SECONDS if self.work() else IDLE_SECONDS
            except TacitError as error:
                log.warning("erasure waits: %s", error.reason)
                pause = RETRY_SECONDS
            self._wake.wait(pause)

    def _is_due(self, erasure: ErasureRow, now: datetime) -> bool:
        """Whether the epoch of its key must go now."""
        due = erasure.epoch_due(self.bound)
        return due is not None and due <= now

    def _is_next(
        self, erasure: ErasureRow, epochs: dict[int, KeyEpoch], due: Sequence[ErasureRow]
    ) -> bool:
        """Whether there is a step to take now."""
        waiting = self._waiting.get(erasure.id)
        if waiting is not None and time.monotonic() < waiting.until:
            return False
        if erasure.state is ErasureState.DONE:
            return _destroyed_at(epochs, erasure.epoch) is not None
        if erasure.state is ErasureState.FENCED and not erasure.scope.whole:
            return bool(due)  # all of them together, before the epoch rolls
        return True

    def _hold(self, erasures: Sequence[ErasureRow]) -> list[ErasureRow]:
        if not erasures:
            return []
        with self.store.write() as uow:
            mine = [e for e in erasures if uow.hold_erasure(e.id, self._worker)]
            current = [uow.erasure(e.id) for e in mine]
            uow.commit()
        return [e for e in current if e is not None]

    def _try(self, erasure: ErasureRow, step: Callable[[ErasureRow], ErasureRow]) -> ErasureRow:
        """The erasure after the step; or as it was, with what it waits for."""
        if erasure.waits_for and erasure.id in self._waiting:
            waiting = self._waiting[erasure.id]
            if time.monotonic() < waiting.until:
                return erasure
        try:
            after = step(erasure)
        except TacitError as error:
            return self._put_off(erasure, error)
        if after is not erasure:
            self._waiting.pop(erasure.id, None)
        return after

    def _put_off(self, erasure: ErasureRow, error: TacitError) -> ErasureRow:
        tries = self._waiting.get(erasure.id, _Waiting(0, 0.0)).tries
        pause = min(RETRY_SECONDS * 2**tries, MAX_RETRY_SECONDS)
        self._waiting[erasure.id] = _Waiting(min(tries + 1, 10), time.monotonic() + pause)
        log.warning("%s waits: %s", f"erasures/{erasure.id}", error.reason)
        waits = replace(erasure, waits_for=error.reason)
        with suppress(TacitError), self.store.write() as uow:
            uow.advance_erasure(waits, erasure.state)
            uow.commit()
        return waits

    def _scrub(self, swept: Sequence[ErasureRow]) -> None:
        """Once for all; those that it failed for come again."""
        todo = [e for e in swept if e.id not in self._scrubbed]
        if not todo:
            return
        try:
            self.steps.indexer.scrub()
            whole = self.store.scrub()
        except TacitError as error:
            for erasure in todo:
                self._put_off(erasure, error)
        else:
            self._scrubbed |= {e.id: whole for e in todo}

    def _finish(self, erasure: ErasureRow, epochs: dict[int, KeyEpoch]) -> ErasureRow:
        if erasure.state is ErasureState.DONE:
            return self._certify_again(erasure, _destroyed_at(epochs, erasure.epoch))
        if erasure.state is not ErasureState.SWEPT or erasure.id not in self._scrubbed:
            return erasure
        with self.store.read() as uow:
            epochs = {epoch.number: epoch for epoch in uow.key_epochs()}
        destroyed = _destroyed_at(epochs, erasure.epoch)
        if erasure.at_once and erasure.epoch and destroyed is None:
            return self._wait_for_epoch(erasure)
        needles = self._needles.get(erasure.id)
        try:
            checked = self.steps.look_again(erasure)
            report = None if needles is None else self.scanner.scan(needles)
        except TacitError:
            self._scrubbed.pop(erasure.id, None)
            raise
        done = replace(
            checked,
            state=ErasureState.DONE,
            subject=None,
            collection="",
            epoch_destroyed_at=destroyed,
            finished_at=self.clock(),
            waits_for="",
            scan=scanned(rewritten=self._scrubbed[erasure.id], report=report),
        )
        done = self.certify(done)
        with self.store.write() as uow:
            mine = uow.advance_erasure(done, ErasureState.SWEPT)
            if done.scope.whole:
                request = uow.rights_request(done.tenant, done.id) or rights_request(done)
                uow.put_rights_request(request.finished(Outcome.FULFILLED, self.clock()))
            uow.commit()
        if mine:
            self._tell(done)
        self._scrubbed.pop(erasure.id, None)
        self._needles.pop(erasure.id, None)
        return done

    def _tell(self, done: ErasureRow) -> None:
        assert done.finished_at is not None
        asked, key = done.started_at, done.key_destroyed_at
        self.observer.erased(None if key is None else key - asked, done.finished_at - asked)

    def _wait_for_epoch(self, erasure: ErasureRow) -> ErasureRow:
        """Says so, if the rotation takes longer than one would wait for."""
        assert erasure.swept_at is not None
        if erasure.waits_for or self.clock() - erasure.swept_at < PATIENCE:
            return erasure
        waits = replace(erasure, waits_for=RotationInProgressError.reason)
        with self.store.write() as uow:
            uow.advance_erasure(waits, ErasureState.SWEPT)
            uow.commit()
        return waits

    def _certify_again(self, erasure: ErasureRow, destroyed: datetime | None) -> ErasureRow:
        again = self.certify(replace(erasure, epoch_destroyed_at=destroyed))
        with self.store.write() as uow:
            uow.advance_erasure(again, ErasureState.DONE)
            uow.commit()
        return again

    def _roll(self, due: Sequence[ErasureRow]) -> None:
        """Asks for a new key epoch in place of the newest one that erased keys lie under."""
        with self.store.read() as uow:
            states = {e.id: uow.erasure(e.id) for e in due}
        ready = [
            e
            for e in states.values()
            if e is not None and e.state is not ErasureState.FENCED and not e.epoch_destroyed_at
        ]
        if ready:
            newest = max(ready, key=lambda e: e.epoch)
            with suppress(RotationInProgressError):
                self.rotate(engine(newest.tenant), f"erasure of epoch {newest.epoch}")


def _destroyed_at(epochs: dict[int, KeyEpoch], epoch: int) -> datetime | None:
    return epochs[epoch].destroyed_at if epoch in epochs else None
