"""The register of requests: read by when they are due, or by whose they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, insert, select, tuple_, update

from memory.adapters.sql.tables import (
    from_micros,
    micros_or_none,
    rights_requests,
    time_or_none,
    to_micros,
)
from memory.adapters.sql.transaction import Columns, Transaction
from memory.core.requests import SOON, Extension, OpenRequests, Outcome, Right, RightsRequest
from memory.core.values import RecordId, SubjectId, TenantId

_C: Final = rights_requests.c
_ONE: Final = select(*_C).where(_C.id == bindparam("of"), _C.tenant == bindparam("at"))
_BY_DUE: Final = (
    select(*_C)
    .where(
        _C.tenant == bindparam("at"),
        tuple_(_C.due_at, _C.id) > tuple_(bindparam("after"), bindparam("after_id")),
    )
    .order_by(_C.due_at, _C.id)
    .limit(bindparam("page"))
)
_OPEN_BY_DUE: Final = _BY_DUE.where(_C.finished_at.is_(None))
_OF_PERSON: Final = (
    select(*_C)
    .where(
        _C.subject == bindparam("of"),
        tuple_(_C.received_at, _C.id) > tuple_(bindparam("after"), bindparam("after_id")),
    )
    .order_by(_C.received_at, _C.id)
    .limit(bindparam("page"))
)
_OVERDUE: Final = _C.due_at < bindparam("now")
_OPEN: Final = (
    select(
        _C.tenant,
        func.count(),
        func.count().filter(and_(~_OVERDUE, _C.due_at < bindparam("soon"))),
        func.count().filter(_OVERDUE),
        func.min(_C.due_at),
    )
    .where(_C.finished_at.is_(None))
    .group_by(_C.tenant)
)
_INSERT: Final = insert(rights_requests)
_UPDATE: Final = (
    update(rights_requests)
    .where(_C.id == bindparam("of"), _C.tenant == bindparam("at"))
    .values(
        {name: bindparam(name) for name in ("due_at", "extended_for", "outcome", "finished_at")}
    )
)


class Requests(Transaction):
    """The part of a unit of work that keeps the register."""

    def rights_request(self, tenant: TenantId, id: RecordId) -> RightsRequest | None:
        row = self._row(_ONE, {"of": id.value, "at": tenant.value})
        return None if row is None else _request(row)

    def put_rights_request(self, row: RightsRequest) -> None:
        changing: dict[str, Any] = {
            "due_at": to_micros(row.due_at),
            "extended_for": row.extended_for,
            "outcome": row.outcome,
            "finished_at": micros_or_none(row.finished_at),
        }
        if self._change(_UPDATE, changing | {"of": row.id.value, "at": row.tenant.value}) == 0:
            fixed = {
                "id": row.id.value,
                "tenant": row.tenant.value,
                "subject": None if row.subject is None else row.subject.value,
                "exercised": row.right.value,
                "received_at": to_micros(row.received_at),
            }
            self._change(_INSERT, changing | fixed)

    def page_rights_requests(
        self, tenant: TenantId, after: tuple[datetime, RecordId], limit: int, *, unfinished: bool
    ) -> list[RightsRequest]:
        statement = _OPEN_BY_DUE if unfinished else _BY_DUE
        named = _behind(after) | {"at": tenant.value, "page": limit}
        return [_request(row) for row in self._rows(statement, named)]

    def page_persons_requests(
        self, subject: SubjectId, after: tuple[datetime, RecordId], limit: int
    ) -> list[RightsRequest]:
        named = _behind(after) | {"of": subject.value, "page": limit}
        return [_request(row) for row in self._rows(_OF_PERSON, named)]

    def open_requests(self, now: datetime) -> dict[TenantId, OpenRequests]:
        rows = self._rows(_OPEN, {"now": to_micros(now), "soon": to_micros(now + SOON)})
        return {
            TenantId(tenant): OpenRequests(count, soon, overdue, from_micros(first))
            for tenant, count, soon, overdue, first in rows
        }


def _behind(after: tuple[datetime, RecordId]) -> dict[str, Any]:
    return {"after": to_micros(after[0]), "after_id": after[1].value}


def _request(row: Columns) -> RightsRequest:
    id_, tenant, subject, right, received_at, due_at, extended_for, outcome, finished_at = row
    return RightsRequest(
        id=RecordId(id_),
        tenant=TenantId(tenant),
        subject=None if subject is None else SubjectId(subject),
        right=Right(right),
        received_at=from_micros(received_at),
        due_at=from_micros(due_at),
        extended_for=None if extended_for is None else Extension(extended_for),
        outcome=None if outcome is None else Outcome(outcome),
        finished_at=time_or_none(finished_at),
    )
