"""The ledger's part of the ports: events, the tree over them, and the file beside the database.

Rules:
- An event and its leaf hash are written together; the leaf waits until it is taken into the tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from memory.core.rows import AccessEvent, AccessFilter, OperatorEvent
from memory.core.tiles import Tile, Tiles
from memory.core.values import RecordId, SubjectId


class LedgerWork(Protocol):
    """What a `UnitOfWork` can do with the ledger."""

    def add_access_events(self, events: Sequence[tuple[AccessEvent, bytes]]) -> None:
        """Each with its leaf hash."""
        ...

    def access_events(
        self,
        subject: SubjectId,
        filter: AccessFilter,
        limit: int,
        before: tuple[datetime, RecordId] | None = None,
    ) -> list[AccessEvent]:
        """Newest first, from behind `before`."""
        ...

    def add_operator_event(self, event: OperatorEvent, leaf: bytes) -> None: ...
    def operator_events(
        self, limit: int, before: tuple[datetime, RecordId] | None = None
    ) -> list[OperatorEvent]: ...
    def waiting_leaves(self) -> int: ...
    def is_waiting(self, leaf: bytes) -> bool: ...
    def take_waiting_leaves(self, limit: int) -> list[bytes]:
        """The oldest, struck off. Who takes holds off the other servers until they commit."""
        ...

    def ledger_note(self) -> str | None:
        """The newest checkpoint; None before the first."""
        ...

    def put_ledger_note(self, note: str) -> None: ...
    def tiles(self, tiles: Iterable[Tile]) -> dict[Tile, bytes]:
        """Those that there are."""
        ...

    def put_tiles(self, tiles: Tiles) -> None: ...
    def add_places(self, first: int, leaves: Sequence[bytes]) -> None:
        """Where leaves are found again: these have the places from `first` on."""
        ...

    def places(self, leaves: Iterable[bytes]) -> Mapping[bytes, Sequence[int]]:
        """Where each of these may be; whether it is, the tile says."""
        ...


class CheckpointFile(Protocol):
    """The newest checkpoint, kept outside the database, so that an older database is noticed."""

    name: str
    """How errors call it."""

    def read(self) -> str | None:
        """None if there is none."""
        ...

    def write(self, note: str) -> None:
        """Lasting when it returns. Raises `StorageUnavailableError`."""
        ...
