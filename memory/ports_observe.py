"""What use cases tell of their work while they do it: see `memory.ports`.

Rules:
- Nothing here takes a text, an id, a tenant or a person: there is no way to tell content. Names are
  those of the lists below, or of entity types; the rest are numbers.
- Observing never fails a call, and costs nothing that could be measured when nobody looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final, Protocol


class Step(Enum):
    """A step of a recall or of a store: (call, step)."""

    RECALL_UNDERSTAND = ("recall", "understand")
    """The consent gate, and the query's words in the person's vault."""
    RECALL_ENCODE = ("recall", "encode")
    RECALL_CANDIDATES = ("recall", "candidates")
    """What to rank, laid open: all of it, or what the index proposes. All of it comes
    before `encode`.
    """
    RECALL_RANK = ("recall", "rank")
    RECALL_OPEN = ("recall", "open")
    """Unsealing the hits."""
    RECALL_RECORD = ("recall", "record")
    """Waiting until the ledger has it."""
    STORE_ADMIT = ("store", "admit")
    STORE_DETECT = ("store", "detect")
    STORE_ENCODE = ("store", "encode")
    STORE_WRITE = ("store", "write")
    """The whole transaction: waiting for it, the gate once more, `seal` and `commit`."""
    STORE_SEAL = ("store", "seal")
    """Pseudonyms out of the vault, sealing, and the rows' insertion."""
    STORE_COMMIT = ("store", "commit")


class Observer(Protocol):
    """Who looks. Safe to use from several threads."""

    def step(self, step: Step) -> AbstractContextManager[None]:
        """Around the step."""
        ...

    def took(self, step: Step, nanoseconds: int) -> None:
        """A step of this call has ended that took so long, in another process."""
        ...

    def found(self, entity_types: Iterable[str]) -> None:
        """What the detector found, by type; one that was found twice comes twice."""
        ...

    def erased(self, to_key: timedelta | None, to_certificate: timedelta) -> None:
        """How long an erasure took from its request; `to_key` until its key was destroyed."""
        ...


class _Nobody:
    """Nobody looks."""

    _step: Final = nullcontext()

    def step(self, _step: Step) -> AbstractContextManager[None]:
        return self._step

    def took(self, step: Step, nanoseconds: int) -> None: ...

    def found(self, entity_types: Iterable[str]) -> None: ...

    def erased(self, to_key: timedelta | None, to_certificate: timedelta) -> None: ...


NOBODY: Final[Observer] = _Nobody()


@dataclass(frozen=True, slots=True)
class CacheUse:
    """How full a cache is. `size` is in bytes; None where it is not known without counting."""

    entries: int
    evicted: int
    size: int | None = None


@dataclass(frozen=True, slots=True)
class ModelUse:
    """How a model is used: callers that wait for it now, and runs by how many texts shared them."""

    waiting: int
    runs: Mapping[int, int]
