"""The one way in which single memories are erased: by request, and when their time is over."""

from __future__ import annotations

from collections.abc import Sequence

from memory.core.values import RecordId, SubjectId
from memory.ports import UnitOfWork


def erase_records(uow: UnitOfWork, subject: SubjectId, records: Sequence[RecordId]) -> int:
    """Erases memories of one person, and what was derived from them; returns how many went.

    The index is owed the same.
    """
    return uow.erase_memories(subject, [*records, *uow.derived(subject, records)])
