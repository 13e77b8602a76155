"""Retention: when memories end, and which are due.

Rules:
- Claiming locks the memories and their people until the transaction ends, and passes over what
  another transaction has locked: replicas share the work, and nobody waits.
- Shortening gives the person a new revision, so that nothing opened before outlives it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update

from memory.adapters.sql.tables import REARRANGED, memories, persons, time_or_none, to_micros
from memory.adapters.sql.transaction import Transaction
from memory.core.values import PurposeId, RecordId, SubjectId, TenantId
from memory.ports import PersonState


def _erasable() -> ColumnElement[bool]:
    """Whose memories retention may erase now (`:now`): the one place for what forbids it."""
    return and_(
        persons.c.state == PersonState.ACTIVE.value,
        or_(persons.c.held_until.is_(None), persons.c.held_until <= bindparam("now")),
    )


_TENANTS: Final = select(persons.c.tenant).distinct()
_CLAIM: Final = (
    select(memories.c.subject, memories.c.id)
    .join(persons, persons.c.subject == memories.c.subject)
    .where(memories.c.expires_at <= bindparam("now"), _erasable())
    .order_by(memories.c.expires_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_EXPIRED: Final = select(func.count(), func.min(memories.c.expires_at)).where(
    memories.c.expires_at <= bindparam("now")
)
_KEPT_FROM: Final = func.coalesce(memories.c.last_seen_at, memories.c.stored_at)
_TOO_LONG: Final = and_(
    memories.c.purpose == bindparam("for_purpose"),
    or_(
        memories.c.expires_at.is_(None),
        memories.c.expires_at > _KEPT_FROM + bindparam("kept"),
    ),
)
_REVISE: Final = (
    update(persons)
    .where(
        persons.c.tenant == bindparam("of_tenant"),
        persons.c.subject.in_(select(memories.c.subject).where(_TOO_LONG)),
    )
    .values(REARRANGED)
)
_SHORTEN: Final = (
    update(memories)
    .where(
        _TOO_LONG,
        memories.c.subject.in_(
            select(persons.c.subject).where(persons.c.tenant == bindparam("of_tenant"))
        ),
    )
    .values(expires_at=_KEPT_FROM + bindparam("kept"))
)


class Retention(Transaction):
    """The part of a unit of work that retention lives on."""

    def tenants(self) -> list[TenantId]:
        return [TenantId(tenant) for (tenant,) in self._rows(_TENANTS)]

    def shorten_retention(self, tenant: TenantId, purpose: PurposeId, retention: timedelta) -> int:
        named = {
            "of_tenant": tenant.value,
            "for_purpose": purpose.value,
            "kept": retention // timedelta(microseconds=1),
        }
        if not self._change(_REVISE, named):
            return 0
        return self._change(_SHORTEN, named)

    def claim_expired(self, now: datetime, limit: int) -> list[tuple[SubjectId, RecordId]]:
        rows = self._rows(_CLAIM, {"now": to_micros(now), "most": limit})
        return [(SubjectId(subject), RecordId(record)) for subject, record in rows]

    def expired(self, now: datetime) -> tuple[int, datetime | None]:
        ((count, oldest),) = self._rows(_EXPIRED, {"now": to_micros(now)})
        return int(count), time_or_none(oldest)
