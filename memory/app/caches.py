"""Everything of people that lies open in this process, as one thing to drop.

Rules:
- Forgetting is for good: what a call in flight opened before it is not kept after it.
- What processes beside this one hold for it is dropped with it (`beside`).
- Another server that shares the database drops what it holds when it sees the erasure (`follow`).
  Not for good: someone whose first call has not committed yet looks just like the erased. What a
  call in flight keeps of the erased goes with the next look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from memory.app.keyring import Keyring
from memory.app.matrices import Matrices
from memory.app.opened import OpenedFeatures
from memory.app.veiling import Veils
from memory.core.values import SubjectId
from memory.ports import CacheUse, Store


@dataclass(frozen=True, slots=True)
class Caches:
    """Unwrapped keys, opened features, subspaces of veils, opened matrices."""

    keyring: Keyring
    opened: OpenedFeatures
    veils: Veils
    matrices: Matrices
    beside: list[Callable[[SubjectId, bool], None]] = field(default_factory=list)
    """Called with whose memories to drop, and whether for good; they return when that is done."""

    def forget(self, subject: SubjectId) -> None:
        """Drops what is held of this person, and keeps nothing of them again."""
        for tell in self.beside:
            tell(subject, True)
        self.keyring.forget(subject)
        self.opened.forget(subject)
        self.veils.forget(subject)
        self.matrices.forget(subject)

    def drop(self, subject: SubjectId) -> None:
        """Drops this person's memories and vectors; what is needed is opened again."""
        for tell in self.beside:
            tell(subject, False)
        self.opened.drop(subject)
        self.matrices.drop(subject)

    def held(self) -> set[SubjectId]:
        """Of whom anything lies open."""
        return (
            self.keyring.held() | self.opened.held() | self.veils.held() | self.matrices.subjects()
        )

    def use(self) -> Mapping[str, CacheUse]:
        """How full each is, by name."""
        return {
            "keys": self.keyring.use(),
            "opened": self.opened.use(),
            "subspaces": self.veils.use(),
            "matrices": self.matrices.use(),
        }

    def follow(self, store: Store) -> None:
        """Drops all that is held of whoever was fenced or erased by any server."""
        for subject in erased_of(store, self.held()):
            self.drop(subject)
            self.keyring.drop(subject)
            self.veils.drop(subject)


def erased_of(store: Store, held: set[SubjectId]) -> set[SubjectId]:
    """Whoever of these was fenced or erased by any server, or is not committed yet."""
    if not held:
        return set()
    with store.read() as uow:
        return held - uow.still_active(held)
