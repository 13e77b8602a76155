"""What an operator may know of a running server: counts and ages, never content."""

from __future__ import annotations

from dataclasses import dataclass

from memory.ports import Store


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is, and how much is still owed."""

    people: int
    memories: int
    unindexed: int
    pending_erasures: int
    key_epoch: int


@dataclass(frozen=True, slots=True)
class Status:
    """The use case behind GetStatus."""

    store: Store

    def __call__(self) -> Counts:
        """Counts of one moment."""
        root = self.store.root_key()
        with self.store.read() as uow:
            people, memories = uow.totals()
            return Counts(
                people=people,
                memories=memories,
                unindexed=uow.index_backlog(),
                pending_erasures=len(uow.unfinished_erasures()),
                key_epoch=0 if root is None else root.epoch,
            )
