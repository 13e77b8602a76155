"""What an operator may know of a running server: counts and ages, never content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from memory.app.rotate import Progress, progress
from memory.core.ledger import own_checkpoint
from memory.core.requests import OpenRequests
from memory.core.signing import Verifier
from memory.errors import SignatureError
from memory.ports import Clock, ErasureState, Store, UnitOfWork


@dataclass(frozen=True, slots=True)
class EpochUse:
    """A key epoch: how many keys lie under it, and since when it is in use, and was."""

    number: int
    keys: int
    created_at: datetime | None
    destroyed_at: datetime | None


@dataclass(frozen=True, slots=True)
class LedgerUse:
    """How many events the signed tree holds and how many wait for it, and when it was signed."""

    size: int
    waiting: int
    signed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is, and how much is still owed."""

    people: int
    memories: int
    unindexed: int
    oldest_unindexed: datetime | None
    erasures: Mapping[ErasureState, int]
    """Those that are not settled: `DONE` is certified, and its key epoch not destroyed yet."""
    pending_erasures: int
    oldest_pending_erasure: datetime | None
    waiting_erasures: int
    key_epoch: int
    epochs: tuple[EpochUse, ...]
    rotation: Progress | None
    expired: int
    oldest_expired: datetime | None
    ledger: LedgerUse
    requests: OpenRequests

    @property
    def keys_left(self) -> int:
        """How many keys lie under older epochs than the newest."""
        return sum(epoch.keys for epoch in self.epochs if epoch.number < self.key_epoch)


@dataclass(frozen=True, slots=True)
class Status:
    """The use case behind GetStatus."""

    store: Store
    clock: Clock
    verifier: Verifier
    seconds_behind: Callable[[], float]
    """Since the index was owed nothing."""

    def __call__(self) -> Counts:
        """Counts of one moment."""
        root, now = self.store.root_key(), self.clock()
        with self.store.read() as uow:
            people, memories = uow.totals()
            keys = uow.keys_by_epoch()
            known = {epoch.number: epoch for epoch in uow.key_epochs()}
            expired, oldest = uow.expired(now)
            rotation = uow.unfinished_rotation()
            unsettled = uow.unsettled_erasures()
            pending = [e for e in unsettled if e.state is not ErasureState.DONE]
            return Counts(
                people=people,
                memories=memories,
                unindexed=uow.index_backlog(),
                oldest_unindexed=self._oldest_unindexed(uow),
                erasures=Counter(erasure.state for erasure in unsettled),
                pending_erasures=len(pending),
                oldest_pending_erasure=pending[0].started_at if pending else None,
                waiting_erasures=sum(bool(erasure.waits_for) for erasure in pending),
                key_epoch=0 if root is None else root.epoch,
                epochs=tuple(
                    EpochUse(
                        number,
                        keys.get(number, 0),
                        known[number].created_at if number in known else None,
                        known[number].destroyed_at if number in known else None,
                    )
                    for number in sorted(keys.keys() | known.keys())
                ),
                rotation=None if rotation is None else progress(uow, rotation),
                expired=expired,
                oldest_expired=oldest,
                ledger=self._ledger(uow),
                requests=sum(uow.open_requests(now).values(), OpenRequests()),
            )

    def _oldest_unindexed(self, uow: UnitOfWork) -> datetime | None:
        """Since when the oldest waits. What is built anew waits since it was owed again."""
        stored = uow.oldest_unindexed()
        behind = self.clock() - timedelta(seconds=self.seconds_behind())
        return None if stored is None else max(stored, behind)

    def _ledger(self, uow: UnitOfWork) -> LedgerUse:
        note = uow.ledger_note()
        waiting = uow.waiting_leaves()
        if note is not None:
            with suppress(SignatureError):  # then somebody changed it: it is worth nothing
                checkpoint = own_checkpoint(note, self.verifier)
                return LedgerUse(checkpoint.size, waiting, checkpoint.at)
        return LedgerUse(0, waiting, None)
