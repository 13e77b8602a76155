"""What an operator may know of a running server: counts and ages, never content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from memory.app.rotate import Progress, progress
from memory.ports import Clock, Store


@dataclass(frozen=True, slots=True)
class EpochUse:
    """A key epoch: how many keys lie under it, and since when it is in use, and was."""

    number: int
    keys: int
    created_at: datetime | None
    destroyed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is, and how much is still owed."""

    people: int
    memories: int
    unindexed: int
    pending_erasures: int
    oldest_pending_erasure: datetime | None
    waiting_erasures: int
    key_epoch: int
    epochs: tuple[EpochUse, ...]
    rotation: Progress | None
    expired: int
    oldest_expired: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    """The use case behind GetStatus."""

    store: Store
    clock: Clock

    def __call__(self) -> Counts:
        """Counts of one moment."""
        root = self.store.root_key()
        with self.store.read() as uow:
            people, memories = uow.totals()
            keys = uow.keys_by_epoch()
            known = {epoch.number: epoch for epoch in uow.key_epochs()}
            expired, oldest = uow.expired(self.clock())
            rotation = uow.unfinished_rotation()
            pending = uow.unfinished_erasures()
            return Counts(
                people=people,
                memories=memories,
                unindexed=uow.index_backlog(),
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
            )
