"""The outbox: what the index is still owed, in the order in which it was owed.

Rules:
- A task stays until it is finished. Claiming leases it for `LEASE`. A worker that fails releases
  it; one that dies lets the lease run out (or, as SQLite's only process, starts again).
- Tasks of one person are claimed by one worker at a time, so that an upsert cannot overtake the
  delete that followed it. Workers take turns at claiming: on SQLite because they write, on
  PostgreSQL by an advisory lock. Servers' clocks must agree to within a few seconds.
- Finishing an id finishes only that: what was queued for the same memory meanwhile has its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
    update,
)

from memory.adapters.sql.tables import from_micros, index_outbox, memories, to_micros
from memory.adapters.sql.transaction import Transaction, batches
from memory.core.values import RecordId, SubjectId
from memory.ports import Clock, IndexOp, IndexTask

LEASE: Final = timedelta(minutes=1)
"""Far longer than one batch takes the index; a stalled worker is passed over after it."""

_TAKE_TURNS: Final = text("SELECT pg_advisory_xact_lock(hashtext('tacit index outbox'))")

_held = index_outbox.alias("held")
_CLAIMABLE: Final = (
    select(index_outbox.c.id, index_outbox.c.subject, index_outbox.c.record, index_outbox.c.op)
    .where(
        index_outbox.c.subject.not_in(
            select(_held.c.subject).where(
                literal_column("held.claimed_until > 0"),  # as the partial index says it
                _held.c.claimed_until > bindparam("now"),
            )
        )
    )
    .order_by(index_outbox.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_CLAIM: Final = (
    update(index_outbox)
    .where(index_outbox.c.id.in_(bindparam("ids", expanding=True)))
    .values(claimed_until=bindparam("until"))
)
_FINISH: Final = delete(index_outbox).where(index_outbox.c.id.in_(bindparam("ids", expanding=True)))
_BACKLOG: Final = select(func.count()).select_from(index_outbox)
_OLDEST: Final = (
    select(memories.c.updated_at)
    .join(
        index_outbox,
        (index_outbox.c.subject == memories.c.subject) & (index_outbox.c.record == memories.c.id),
    )
    .order_by(index_outbox.c.id)
    .limit(1)
)
_QUEUE_ALL: Final = insert(index_outbox).from_select(
    ["subject", "record", "op"],
    select(memories.c.subject, memories.c.id, literal(IndexOp.UPSERT.value))
    .where(memories.c.subject == bindparam("of"))
    .order_by(memories.c.seq),
)
_RELEASE_ALL: Final = update(index_outbox).values(claimed_until=0)
_RELEASE: Final = _RELEASE_ALL.where(index_outbox.c.id.in_(bindparam("ids", expanding=True)))


class Outbox(Transaction):
    """The part of a unit of work that the indexer lives on."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        super().__init__(connection)
        self._clock = clock

    def queue_all(self, subject: SubjectId) -> int:
        return self._change(_QUEUE_ALL, {"of": subject.value})

    def claim_index_tasks(self, limit: int) -> list[IndexTask]:
        now = self._clock()
        if self._connection.dialect.name == "postgresql":
            self._rows(_TAKE_TURNS)
        tasks = [
            IndexTask(id_, SubjectId(subject), RecordId(record), IndexOp(op))
            for id_, subject, record, op in self._rows(
                _CLAIMABLE, {"now": to_micros(now), "most": limit}
            )
        ]
        for ids in batches(task.id for task in tasks):
            self._change(_CLAIM, {"ids": ids, "until": to_micros(now + LEASE)})
        return tasks

    def release_index_tasks(self, ids: Sequence[int]) -> None:
        for batch in batches(ids):
            self._change(_RELEASE, {"ids": batch})

    def finish_index_tasks(self, ids: Sequence[int]) -> None:
        for batch in batches(ids):
            self._change(_FINISH, {"ids": batch})

    def index_backlog(self) -> int:
        return int(self._rows(_BACKLOG)[0][0])

    def oldest_unindexed(self) -> datetime | None:
        oldest = self._rows(_OLDEST)
        return from_micros(oldest[0][0]) if oldest else None


def release_claims(connection: Connection) -> None:
    """Ends every lease: for the one process of a SQLite store, when it starts again."""
    connection.execute(_RELEASE_ALL)
