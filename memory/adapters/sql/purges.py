"""Purges: whose part of the index still holds vectors of deleted and corrected memories.

Rules:
- Owed in the transaction that deletes or corrects, so that no crash forgets it.
- What is deleted while a purge is under way stays owed: only what was read is struck off.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, exists, insert, literal_column, select, update

from memory.adapters.sql.tables import from_micros, index_outbox, index_purges, to_micros
from memory.adapters.sql.transaction import Transaction
from memory.core.rows import Purge
from memory.core.values import SubjectId
from memory.ports import Clock

_OF: Final = index_purges.c.subject == bindparam("of")
_AGAIN: Final = update(index_purges).where(_OF).values(latest=bindparam("at"))
_FIRST: Final = insert(index_purges)
_DUE: Final = (
    select(*index_purges.c)
    .where(
        index_purges.c.since <= bindparam("before"),
        ~exists().where(
            index_outbox.c.subject == index_purges.c.subject,
            literal_column("index_outbox.claimed_until > 0"),
            index_outbox.c.claimed_until > bindparam("now"),
        ),
    )
    .order_by(index_purges.c.since)
)
_PURGED: Final = delete(index_purges).where(_OF, index_purges.c.latest == bindparam("read"))
_STILL: Final = update(index_purges).where(_OF).values(since=index_purges.c.latest)


class Purges(Transaction):
    """The part of a unit of work that knows what is still to be purged."""

    _clock: Clock

    def owe_purge(self, subject: SubjectId) -> None:
        columns = {"of": subject.value, "at": to_micros(self._clock())}
        if not self._change(_AGAIN, columns):
            at = columns["at"]
            self._change(_FIRST, {"subject": subject.value, "since": at, "latest": at})

    def due_purges(self, before: datetime) -> list[Purge]:
        times = {"before": to_micros(before), "now": to_micros(self._clock())}
        return [
            Purge(SubjectId(subject), from_micros(latest))
            for subject, _, latest in self._rows(_DUE, times)
        ]

    def purged(self, purge: Purge) -> None:
        named = {"of": purge.subject.value}
        if not self._change(_PURGED, named | {"read": to_micros(purge.latest)}):
            self._change(_STILL, named)
