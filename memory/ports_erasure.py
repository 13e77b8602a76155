"""What erasing needs of the outside world: the part of a unit of work that keeps erasures, and this
server's own disk for what is accepted while SQL is away. See `memory.ports`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from memory.core.erasure import ErasureRow, ErasureState
from memory.core.values import AssistantId, PersonRef, RecordId, SubjectId, TenantId


class ErasureRecords(Protocol):
    """Erasures, and the sweep of what they are about."""

    def fence(self, subject: SubjectId, erasure: ErasureRow) -> None: ...
    def put_erasure(self, row: ErasureRow) -> None:
        """Adds it, or replaces what is there; for a change of state see `advance_erasure`."""
        ...

    def advance_erasure(self, row: ErasureRow, since: ErasureState) -> bool:
        """False, and nothing written, when it is not in state `since` any more."""
        ...

    def erasure(self, id: RecordId) -> ErasureRow | None: ...
    def erasures(self, tenant: TenantId, before: RecordId | None, limit: int) -> list[ErasureRow]:
        """Newest first, starting behind `before`."""
        ...

    def unfinished_erasures(self) -> list[ErasureRow]:
        """Oldest first; not DONE."""
        ...

    def unsettled_erasures(self) -> list[ErasureRow]:
        """Those, and the ones whose key epoch is not destroyed yet."""
        ...

    def hold_erasure(self, id: RecordId, worker: bytes) -> bool:
        """Takes or renews the lease on it; False when another worker has it."""
        ...

    def still_active(self, subjects: Iterable[SubjectId]) -> set[SubjectId]:
        """Those of them that are known and not fenced."""
        ...

    def rows_of(self, subject: SubjectId) -> Mapping[str, int]:
        """How many rows each table holds of this person."""
        ...

    def claimed_tasks(self, subject: SubjectId) -> int:
        """Outbox tasks that an indexer has in hand now."""
        ...

    def drop_tasks(self, subject: SubjectId) -> int:
        """Takes what no indexer has in hand out of the outbox; returns how many of them one had,
        and let its lease lapse.
        """
        ...

    def delete_rows(self, subject: SubjectId, limit: int) -> int:
        """Deletes up to `limit` memories of a fenced person; returns how many."""
        ...

    def erase_memories(self, subject: SubjectId, records: Iterable[RecordId]) -> int:
        """Deletes memories and owes the index the same; returns how many there were."""
        ...

    def destroy_person_key(self, subject: SubjectId) -> None:
        """Overwrites the wrapped key in place."""
        ...

    def delete_person(self, subject: SubjectId) -> None:
        """With everything that hangs on them."""
        ...


@dataclass(frozen=True, slots=True)
class Intent:
    """An erasure that was accepted while SQL was away."""

    id: RecordId
    tenant: TenantId
    assistant: AssistantId
    """Of whom it was accepted, for the ledger."""
    ref: PersonRef
    at_once: bool
    by_person: bool
    at: datetime


class Intents(Protocol):
    """Accepted erasures that SQL does not have yet, on this server's own disk."""

    def put(self, intent: Intent) -> None:
        """On disk when it returns; raises `StorageFullError`."""
        ...

    def all(self) -> list[Intent]: ...
    def remove(self, erasure: RecordId) -> None: ...
