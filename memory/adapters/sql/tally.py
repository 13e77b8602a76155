"""Figures: how much there is, of everyone and of each tenant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, bindparam, func, or_, select, tuple_, union

from memory.adapters.sql.tables import consents, memories, persons, rights_requests, to_micros
from memory.adapters.sql.transaction import Transaction
from memory.core.consent import Decision
from memory.core.rows import ConsentCount
from memory.core.values import PurposeId, SubjectId, TenantId

_TOTALS: Final = select(
    select(func.count()).select_from(persons).scalar_subquery(),
    select(func.count()).select_from(memories).scalar_subquery(),
)
_COUNTS: Final = select(memories.c.subject, func.count()).group_by(memories.c.subject)
_THESE: Final = persons.c.tenant.in_(bindparam("tenants", expanding=True))
_PEOPLE: Final = select(persons.c.tenant, func.count()).where(_THESE).group_by(persons.c.tenant)
_MEMORIES: Final = _PEOPLE.join(memories, memories.c.subject == persons.c.subject)
_PAGE: Final = (
    union(
        select(persons.c.tenant).where(persons.c.tenant > bindparam("after")),
        select(rights_requests.c.tenant).where(
            rights_requests.c.tenant > bindparam("after"), rights_requests.c.finished_at.is_(None)
        ),
    )
    .order_by("tenant")
    .limit(bindparam("page"))
)
_later: Final = consents.alias("later")


def _rank(table: FromClause) -> ColumnElement[Any]:
    """Of two decisions that concern one assistant, the one that counts has the higher rank."""
    decided = func.coalesce(table.c.withdrawn_at, table.c.given_at)
    return tuple_(decided, table.c.assistant.is_not(None), table.c.given_at, table.c.id)


_IN_FORCE: Final = (
    select(
        persons.c.tenant,
        consents.c.purpose,
        consents.c.notice_version,
        consents.c.explicit,
        func.count(),
    )
    .join(persons, persons.c.subject == consents.c.subject)
    .where(
        _THESE,
        consents.c.decision.in_((Decision.GIVEN.value, Decision.RENEWED.value)),
        consents.c.withdrawn_at.is_(None),
        consents.c.invalidated_at.is_(None),
        or_(consents.c.expires_at.is_(None), consents.c.expires_at > bindparam("now")),
        ~select(1)
        .where(
            _later.c.subject == consents.c.subject,
            _later.c.purpose == consents.c.purpose,
            or_(_later.c.assistant.is_(None), _later.c.assistant == consents.c.assistant),
            _rank(_later) > _rank(consents),
        )
        .exists(),
    )
    .group_by(persons.c.tenant, consents.c.purpose, consents.c.notice_version, consents.c.explicit)
)


class Tally(Transaction):
    """The part of a unit of work that counts."""

    def totals(self) -> tuple[int, int]:
        people, records = self._rows(_TOTALS)[0]
        return people, records

    def memory_counts(self) -> dict[SubjectId, int]:
        return {SubjectId(subject): count for subject, count in self._rows(_COUNTS)}

    def totals_of(self, tenants: Sequence[TenantId]) -> dict[TenantId, tuple[int, int]]:
        named = {"tenants": [tenant.value for tenant in tenants]}
        people, records = (
            {tenant: int(count) for tenant, count in self._rows(statement, named)}
            for statement in (_PEOPLE, _MEMORIES)
        )
        return {t: (people.get(t.value, 0), records.get(t.value, 0)) for t in tenants}

    def page_tenants(self, after: TenantId | None, limit: int) -> list[TenantId]:
        named = {"after": "" if after is None else after.value, "page": limit}
        return [TenantId(tenant) for (tenant,) in self._rows(_PAGE, named)]

    def consents_in_force(self, tenants: Sequence[TenantId], now: datetime) -> list[ConsentCount]:
        named = {"tenants": [tenant.value for tenant in tenants], "now": to_micros(now)}
        return [
            ConsentCount(TenantId(tenant), PurposeId(purpose), notice, bool(explicit), int(count))
            for tenant, purpose, notice, explicit, count in self._rows(_IN_FORCE, named)
        ]
