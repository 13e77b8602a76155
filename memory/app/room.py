"""Whether there is room for more memories of a person.

    ever stored  ≥  kept           the person's row counts the first; most are far below the quota
    ever stored - gone             `gone` as of the last count: it only grows, so this is never less
                                   than what is kept
    a count                        when that is over the quota, and something changed since the last

Rules:
- It is asked inside the transaction that stores, which has the person locked: two calls cannot
  both take the last place.
- What is kept past its end, or under a hold, takes its place until it is erased.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from memory.app.lru import Lru
from memory.core.quotas import MEMORIES_PER_PERSON, Quotas
from memory.core.values import SubjectId
from memory.errors import QuotaError
from memory.ports import MemoryFilter, PersonRow, UnitOfWork

MOST_COUNTED: Final = 10_000
"""People whose last count is remembered: those who are near their quota."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """How many memories were gone, at a revision of the person."""

    gone: int
    revision: int


@dataclass(frozen=True, slots=True)
class Room:
    """Holds tenants to their quotas."""

    quotas: Quotas
    _counted: Lru[SubjectId, _Counted] = field(default_factory=lambda: Lru(MOST_COUNTED))

    def require(self, uow: UnitOfWork, person: PersonRow, more: int) -> None:
        """Lets so many more be stored of the person, locked and as they are now.

        Raises:
            QuotaError: they would be too many.
        """
        quota = self.quotas.of(person.tenant)
        if quota is None or person.numbered + more <= quota:
            return
        last = self._counted.get(person.subject) or _Counted(0, -1)
        if person.numbered - last.gone + more > quota and person.revision != last.revision:
            kept = uow.count_memories(person.subject, MemoryFilter())
            last = _Counted(person.numbered - kept, person.revision)
            self._counted.put(person.subject, last)
        if person.numbered - last.gone + more > quota:
            raise QuotaError(
                f"no more than {quota} memories may be kept of one person: nothing was stored; "
                "delete some, or ask the operator",
                quota=MEMORIES_PER_PERSON,
                limit=str(quota),
            )
