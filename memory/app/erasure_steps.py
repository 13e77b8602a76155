"""The steps of an erasure that change something: key, caches, index, rows; and the second look.

Rules:
- Each can be repeated, and writes down the next state in the transaction that completes it.
- A step compares the state that it read: a server that comes late changes nothing.
- Others wait for a batch of `BATCH` rows at most, and most of the time for none.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Final

from memory.app.caches import Caches
from memory.app.certify import entry
from memory.app.index import Indexer
from memory.app.ledger import Ledger
from memory.app.rekey import Rekey
from memory.core.erasure import ErasureRow, ErasureState
from memory.core.values import SubjectId
from memory.errors import IndexUnavailableError, StorageUnavailableError
from memory.ports import Clock, PersonState, Store, UnitOfWork

BATCH: Final = 50
"""Memories deleted in one transaction: some 5 ms, for others wait for it."""

PACE: Final = 0.001
"""Seconds that a batch is given for each memory, where it takes no longer: most are for others."""

MOST_SECONDS: Final = 15.0
"""What all of them are given: of very many, each is given less."""

HAND_SECONDS: Final = 5.0
"""How long to wait for an indexer's batch in one go."""

_LOOK_SECONDS: Final = 0.1
"""How often to look for an indexer's batch that is waited for."""


@dataclass(frozen=True, slots=True)
class ErasureSteps:
    """What `app.erase` puts in order."""

    store: Store
    caches: Caches
    indexer: Indexer
    rekey: Rekey
    ledger: Ledger
    clock: Clock

    def destroy_key(self, erasure: ErasureRow) -> ErasureRow:
        """Overwrites the wrapped key of a fenced person, and drops what lies open of them."""
        if erasure.state is not ErasureState.FENCED or erasure.subject is None:
            return erasure
        with self.store.write() as uow:
            uow.destroy_person_key(erasure.subject)
            uow.drop_tasks(erasure.subject)
            destroyed = self._step(
                uow, erasure, ErasureState.KEY_DESTROYED, key_destroyed_at=self.clock()
            )
            uow.commit()
        self.caches.forget(erasure.subject)
        return destroyed

    def take_key(self, erasure: ErasureRow) -> ErasureRow:
        """The same of any erasure: of memories, by giving the person's others a new key."""
        if erasure.state is not ErasureState.FENCED:
            return erasure
        if erasure.scope.whole:
            return self.destroy_key(erasure)
        return self._renew_key(erasure)

    def sweep(self, erasure: ErasureRow) -> ErasureRow:
        """Takes vectors and rows away; those of memories went when it was accepted."""
        if erasure.state is not ErasureState.KEY_DESTROYED or erasure.subject is None:
            return erasure
        whole, subject = erasure.scope.whole, erasure.subject
        lapsed = 0
        if whole:
            self.caches.forget(subject)
            lapsed = self._empty_hands(subject)
        vectors = self.indexer.drop(erasure.collection)
        before = {**erasure.before, "index_vectors": vectors} if whole else erasure.before
        with self.store.read() as uow:
            retired = uow.retired_collections()
        for collection in retired:
            self.indexer.drop(collection)
        if whole:
            self._delete_rows(subject, BATCH * min(PACE, MOST_SECONDS / max(1, erasure.memories)))
        with self.store.write() as uow:
            swept = self._step(
                uow, erasure, ErasureState.SWEPT, swept_at=self.clock(), before=before
            )
            self.ledger.erased(uow, entry(swept))
            if whole:
                self._take_along(uow, swept)
                uow.delete_person(subject)
            if lapsed and erasure.collection not in retired:
                uow.retire_collection(erasure.collection, self.clock())
            uow.commit()
        return swept

    def look_again(self, erasure: ErasureRow) -> ErasureRow:
        """Counts what is left; what should not be there is swept again before anything is said."""
        left: dict[str, int] = {}
        if erasure.scope.whole:
            assert erasure.subject is not None
            with self.store.read() as uow:
                left |= uow.rows_of(erasure.subject)
        left["index_vectors"] = self.indexer.index.count(erasure.collection)
        if any(left.values()):
            self.indexer.drop(erasure.collection)
            raise StorageUnavailableError("something was written after the sweep: swept again")
        return replace(erasure, after=left)

    def _renew_key(self, erasure: ErasureRow) -> ErasureRow:
        """The person's other memories get a new key; the one that opens the erased ones goes."""
        assert erasure.subject is not None
        with self.store.read() as uow:
            person = uow.person_by_subject(erasure.subject)
        if person is not None and person.state is PersonState.ERASING:
            return erasure  # it goes with the person
        if person is not None and person.key_version <= erasure.key_version:
            self.rekey.renew(person, erasure.id)
        root = self.store.root_key()
        assert root is not None
        with self.store.write() as uow:
            after = self._step(
                uow,
                erasure,
                ErasureState.KEY_DESTROYED,
                key_destroyed_at=self.clock(),
                epoch=root.epoch,
            )
            uow.commit()
        return after

    def _take_along(self, uow: UnitOfWork, whole: ErasureRow) -> None:
        """Erasures of single memories that had not come to the key: it is destroyed now."""
        for other in uow.unfinished_erasures():
            if other.subject == whole.subject and other.state is ErasureState.FENCED:
                key = {"key_destroyed_at": whole.key_destroyed_at, "epoch": whole.epoch}
                self._step(uow, other, ErasureState.KEY_DESTROYED, **key)

    def _empty_hands(self, subject: SubjectId) -> int:
        """Waits until no indexer has vectors of this person in hand; returns how many tasks were
        given up by one that may yet come back.
        """
        end = time.monotonic() + HAND_SECONDS
        lapsed = 0
        while True:
            with self.store.write() as uow:
                lapsed += uow.drop_tasks(subject)
                in_hand = uow.claimed_tasks(subject)
                uow.commit()
            if not in_hand:
                return lapsed
            if time.monotonic() > end:
                raise IndexUnavailableError("an indexer still has memories of a person in hand")
            time.sleep(_LOOK_SECONDS)

    def _delete_rows(self, subject: SubjectId, pace: float) -> None:
        """A batch every `pace` seconds, and after each a pause that is no shorter than it was."""
        while True:
            began = time.monotonic()
            with self.store.write() as uow:
                count = uow.delete_rows(subject, BATCH)
                uow.commit()
            if count < BATCH:
                return
            took = time.monotonic() - began
            time.sleep(max(took, pace - took))

    def _step(
        self, uow: UnitOfWork, erasure: ErasureRow, state: ErasureState, **changes: object
    ) -> ErasureRow:
        """The erasure in its next state; raises if another server was faster."""
        after = replace(erasure, state=state, waits_for="", **changes)  # type: ignore[arg-type]
        if not uow.advance_erasure(after, erasure.state):
            raise StorageUnavailableError("another server works on this erasure")
        return after
