"""Rotate: a new key epoch ▶ the root ▶ every person's key ▶ verify ▶ destroy the old epochs.

    begun    it is written down that there is to be a new epoch
    moving   the epoch exists, and the deployment's root lies under it: from here on no key under
             an older one is let in; people's keys follow, batch by batch
    done     every key was seen to open under the new epoch, and the older ones are destroyed

Rules:
- Online: keys under old and new epochs are read at once, and nobody waits longer than a batch.
- A key is replaced only after what is to replace it has opened to the same key, and only where it
  still is what was read.
- **No epoch is destroyed before every key has been read back from the store and opened**, and been
  found to be the one that the person's records commit to. One that does not open stops the
  rotation where it is, with the old epoch alive.
- Each step can be repeated. A crash leaves a state from which the next worker goes on: see ADR 9.
- No error stops the worker: it waits, and tries again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from memory.app.ledger import Ledger
from memory.app.worker import Worker
from memory.core.keys import DEPLOYMENT_AAD, PersonKeys, root_aad
from memory.core.record_format import Place, commits_to
from memory.core.values import Caller, RecordId, SubjectId
from memory.errors import (
    KeyUnavailableError,
    RotationInProgressError,
    SealError,
    TacitError,
)
from memory.ports import (
    Clock,
    KeyEpoch,
    KeyProvider,
    MemoryFilter,
    OperatorAction,
    PersonRow,
    RandomBytes,
    RotationRow,
    RotationState,
    Store,
    UnitOfWork,
    WrappedKey,
)

log = logging.getLogger(__name__)

BATCH: Final = 64
"""Keys in one transaction: short, for others wait for it."""

PAUSE_SECONDS: Final = 0.002
"""Between batches, so that whoever waits for the database comes in."""

IDLE_SECONDS: Final = 5.0
"""How often to look without being woken: another replica may have died with a rotation."""

RENEW_AFTER: Final = timedelta(seconds=5)
"""How often to hold the lease by itself, where no step does."""

RETRY_SECONDS: Final = 1.0

STUCK_SECONDS: Final = 60.0
"""How often to look whether a damaged key was looked after."""

RETIRE_AFTER: Final = timedelta(minutes=3)
"""A collection is dropped again after it: a worker elsewhere may have had a batch in hand."""

_RECORDS: Final = 5
"""Records that may be damaged before a key is taken to be another person's."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rotation is: keys under its epoch, of all there are."""

    epoch: int
    done: int
    total: int
    finished_at: datetime | None


@dataclass
class Rotate(Worker):
    """The use case behind RotateKeys, and the worker that carries it out."""

    store: Store
    provider: KeyProvider
    drop_collection: Callable[[str], None]
    clock: Clock
    random: RandomBytes
    ledger: Ledger
    thread_name = "rotation"
    _worker: bytes = field(init=False)
    _renew_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self._worker = self.random(16)
        self._renew_at = self.clock()

    def __call__(self, caller: Caller, request_id: str) -> Progress:
        """Begins a rotation, or says how far the one of this request is.

        Raises:
            RotationInProgressError: another request's rotation is under way.
            StorageUnavailableError, StorageFullError: nothing was begun.
        """
        id_ = rotation_id(request_id)
        with self.store.read() as uow:
            if (known := uow.rotation(id_)) is not None:
                return progress(uow, known)
        begun = RotationRow(id_, RotationState.BEGUN, 0, 0, self.clock())
        with self.store.write() as uow:
            if uow.rotation(id_) is None:
                if uow.unfinished_rotation() is not None:
                    raise RotationInProgressError(
                        "keys are being rotated already; `tacit keys status` shows how far it is"
                    )
                uow.add_rotation(begun)
                keys = sum(uow.keys_by_epoch().values())
                self.ledger.operate(uow, caller, OperatorAction.ROTATE, keys)
                uow.commit()
        self._wake.set()
        with self.store.read() as uow:
            return progress(uow, begun)

    def start(self) -> None:
        """Goes on with what is unfinished, and then waits for work, in a thread of its own."""
        self._note_epoch()
        self.wake()
        super().start()

    def _run(self) -> None:
        while self._goes_on():
            try:
                self._wake.wait(IDLE_SECONDS if self.work() else STUCK_SECONDS)
            except TacitError as error:
                log.warning("rotation waits: %s", error.reason)
                self._stop.wait(RETRY_SECONDS)

    def work(self) -> bool:
        """Carries the unfinished rotation, if there is one, as far as it goes; and tidies up.

        False if it can go no further before somebody has looked after a damaged key.
        """
        self._sweep()
        rotation = self._claim()
        if rotation is None:
            return True
        if rotation.state is RotationState.BEGUN:
            rotation = self._begin(rotation)
        if not (self._move(rotation.epoch) and self._verify(rotation.epoch)):
            return False
        self._finish(rotation)
        return True

    def _note_epoch(self) -> None:
        """Writes down since when the first epoch is in use."""
        root = self.store.root_key()
        assert root is not None
        with self.store.write() as uow:
            uow.add_key_epoch(KeyEpoch(root.epoch, self.clock()))
            uow.commit()

    def _begin(self, rotation: RotationRow) -> RotationRow:
        """A new epoch, and the root under it: in this order, so that a crash wastes no epoch."""
        old = self.store.root_key()
        assert old is not None
        newest = self.provider.epochs()[-1]
        epoch = newest if newest > old.epoch else self.provider.new_epoch()
        new = self._moved(old, DEPLOYMENT_AAD, epoch)
        rotation = replace(rotation, state=RotationState.MOVING, epoch=epoch)
        with self.store.write() as uow:
            self._require_lease(uow)
            if not uow.replace_root_key(old, new):
                raise KeyUnavailableError("the deployment's root was changed meanwhile")
            uow.add_key_epoch(KeyEpoch(epoch, self.clock()))
            uow.put_rotation(rotation)
            uow.commit()
        return rotation

    def _move(self, epoch: int) -> bool:
        """Brings people's keys under `epoch`; whether all of them are there."""
        stuck = 0
        for people in self._pages(below_epoch=epoch):
            moved: list[tuple[PersonRow, WrappedKey]] = []
            for person in people:
                try:
                    moved.append((person, self._moved(person.wrapped_key, _aad(person), epoch)))
                except SealError:
                    stuck += 1
            with self.store.write() as uow:
                self._require_lease(uow)
                for person, wrapped in moved:
                    uow.replace_key(person, wrapped)
                uow.commit()
            self._stop.wait(PAUSE_SECONDS)
        if stuck:
            log.warning("rotation waits: %d keys do not unwrap; the old epoch stays", stuck)
        with self.store.read() as uow:
            left = [number for number in uow.keys_by_epoch() if number < epoch]
        return not left and not self._stop.is_set()

    def _verify(self, epoch: int) -> bool:
        """Reads every key back and opens it; False if one is not what its records commit to."""
        root = self.store.root_key()
        assert root is not None
        self.provider.unwrap(root, DEPLOYMENT_AAD)
        wrong = 0
        for people in self._pages():
            with self.store.read() as uow:
                wrong += sum(not self._fits(uow, person, epoch) for person in people)
            if self.clock() > self._renew_at:
                with self.store.write() as uow:
                    self._require_lease(uow)
                    uow.commit()
        if wrong:
            log.error("rotation waits: %d keys do not fit their records; nothing destroyed", wrong)
        return not wrong and not self._stop.is_set()

    def _fits(self, uow: UnitOfWork, person: PersonRow, epoch: int) -> bool:
        """Whether the key opens under `epoch`, and is the one that the person's records name."""
        if person.wrapped_key.epoch < epoch:
            return False
        try:
            secret = self.provider.unwrap(person.wrapped_key, _aad(person))
            keys = PersonKeys.opened(person.tenant, person.subject, person.key_version, secret)
        except SealError:
            return False
        for count in (1, _RECORDS):
            rows = uow.page_memories(person.subject, MemoryFilter(), -1, count)
            if not rows or any(
                row.key_version != keys.version  # given a new key since the page was read
                or commits_to(keys, keys.record, Place(row.id.value, "body"), row.body)
                for row in rows
            ):
                return True
        return False

    def _finish(self, rotation: RotationRow) -> None:
        old = [number for number in self.provider.epochs() if number < rotation.epoch]
        for number in old:
            self.provider.destroy_epoch(number)
        now = self.clock()
        with self.store.write() as uow:
            self._require_lease(uow)
            for known in uow.key_epochs():
                if known.number < rotation.epoch:
                    uow.key_epoch_destroyed(known.number, now)
            keys = sum(uow.keys_by_epoch().values())
            done = replace(rotation, state=RotationState.DONE, keys=keys, finished_at=now)
            uow.put_rotation(done)
            uow.commit()

    def _moved(self, old: WrappedKey, aad: bytes, epoch: int) -> WrappedKey:
        """The same key under `epoch`, seen to open to the same."""
        key = self.provider.unwrap(old, aad)
        new = self.provider.wrap(key, aad, epoch)
        if self.provider.unwrap(new, aad) != key:
            raise KeyUnavailableError("the key provider gave back another key than it was given")
        return new

    def _pages(self, below_epoch: int | None = None) -> Iterator[list[PersonRow]]:
        after: SubjectId | None = None
        while not self._stop.is_set():
            with self.store.read() as uow:
                people = uow.people_after(after, BATCH, below_epoch=below_epoch)
            if not people:
                return
            yield people
            after = people[-1].subject

    def _claim(self) -> RotationRow | None:
        with self.store.read() as uow:
            if uow.unfinished_rotation() is None:
                return None
        with self.store.write() as uow:
            rotation = uow.claim_rotation(self._worker)
            uow.commit()
        return rotation

    def _require_lease(self, uow: UnitOfWork) -> None:
        self._renew_at = self.clock() + RENEW_AFTER
        if uow.claim_rotation(self._worker) is None:
            raise KeyUnavailableError("another server leads the rotation")

    def _sweep(self) -> None:
        """Takes collections that a new key left behind out of the index once more."""
        with self.store.read() as uow:
            retired = uow.retired_collections()
        for collection, at in retired.items():
            if self.clock() - at > RETIRE_AFTER:
                self.drop_collection(collection)
                with self.store.write() as uow:
                    uow.collection_is_gone(collection)
                    uow.commit()


def progress(uow: UnitOfWork, rotation: RotationRow) -> Progress:
    """How far a rotation is, as the store knows it."""
    if rotation.state is RotationState.DONE:
        return Progress(rotation.epoch, rotation.keys, rotation.keys, rotation.finished_at)
    keys = uow.keys_by_epoch()
    moved = keys.get(rotation.epoch, 0) if rotation.epoch else 0
    return Progress(rotation.epoch, moved, sum(keys.values()), None)


def rotation_id(request_id: str) -> RecordId:
    """What a rotation is known by: 16 bytes of a digest of the caller's request id."""
    return RecordId(sha256(request_id.encode()).digest()[:16])


def _aad(person: PersonRow) -> bytes:
    return root_aad(person.tenant, person.ref, person.subject, person.key_version)
