"""Consents: one row a decision, found by person and purpose."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update

from memory.adapters.sql.tables import (
    consents,
    from_micros,
    micros_or_none,
    persons,
    time_or_none,
    to_micros,
)
from memory.adapters.sql.transaction import Columns, Transaction
from memory.core.consent import Consent, Decision, Method, Relation
from memory.core.values import AssistantId, PurposeId, RecordId, SubjectId, TenantId

_OF_PERSON: Final = (
    select(*consents.c)
    .where(consents.c.subject == bindparam("of"))
    .order_by(consents.c.given_at, consents.c.id)
)
_FOR_PURPOSE: Final = _OF_PERSON.where(consents.c.purpose == bindparam("for"))
_INSERT: Final = insert(consents)
_UPDATE: Final = (
    update(consents)
    .where(consents.c.id == bindparam("consent"), consents.c.subject == bindparam("of"))
    .values({c: bindparam(c.name) for c in consents.c if c.name not in {"id", "subject"}})
)
_ONE: Final = select(*consents.c).where(
    consents.c.id == bindparam("consent"), consents.c.subject == bindparam("of")
)
_INVALIDATE: Final = (
    update(consents)
    .where(
        consents.c.purpose == bindparam("for"),
        consents.c.notice_version == bindparam("notice"),
        consents.c.decision.in_((Decision.GIVEN.value, Decision.RENEWED.value)),
        consents.c.withdrawn_at.is_(None),
        consents.c.invalidated_at.is_(None),
        consents.c.subject.in_(
            select(persons.c.subject).where(persons.c.tenant == bindparam("in_tenant"))
        ),
    )
    .values(invalidated_at=bindparam("at"))
)


class Consents(Transaction):
    """The part of a unit of work that keeps what a person decided."""

    def consents(self, subject: SubjectId, purpose: PurposeId | None = None) -> list[Consent]:
        named = {"of": subject.value}
        if purpose is None:
            rows = self._rows(_OF_PERSON, named)
        else:
            rows = self._rows(_FOR_PURPOSE, named | {"for": purpose.value})
        return [_consent(row) for row in rows]

    def put_consent(self, row: Consent) -> None:
        columns: dict[str, Any] = {
            "purpose": row.purpose.value,
            "assistant": None if row.assistant is None else row.assistant.value,
            "given_at": to_micros(row.given_at),
            "expires_at": micros_or_none(row.expires_at),
            "withdrawn_at": micros_or_none(row.withdrawn_at),
            "invalidated_at": micros_or_none(row.invalidated_at),
            "decision": row.decision.value,
            "notice_version": row.notice_version,
            "method": row.method.value,
            "explicit": int(row.explicit),
            "language": row.language,
            "relation": row.relation.value,
            "delegate": row.delegate,
        }
        known = {"consent": row.id.value, "of": row.subject.value}
        if self._change(_UPDATE, columns | known) == 0:
            self._change(_INSERT, columns | {"id": row.id.value, "subject": row.subject.value})

    def consent(self, subject: SubjectId, id: RecordId) -> Consent | None:
        row = self._row(_ONE, {"of": subject.value, "consent": id.value})
        return None if row is None else _consent(row)

    def invalidate_consents(
        self, tenant: TenantId, purpose: PurposeId, notice_version: str, at: datetime
    ) -> int:
        columns = {
            "in_tenant": tenant.value,
            "for": purpose.value,
            "notice": notice_version,
            "at": to_micros(at),
        }
        return self._change(_INVALIDATE, columns)


def _consent(row: Columns) -> Consent:
    consent, subject, purpose, assistant, given_at, expires_at, withdrawn_at = row[:7]
    invalidated_at, decision, notice_version, method = row[7:11]
    explicit, language, relation, delegate = row[11:]
    return Consent(
        id=RecordId(consent),
        subject=SubjectId(subject),
        purpose=PurposeId(purpose),
        assistant=None if assistant is None else AssistantId(assistant),
        given_at=from_micros(given_at),
        expires_at=time_or_none(expires_at),
        withdrawn_at=time_or_none(withdrawn_at),
        invalidated_at=time_or_none(invalidated_at),
        decision=Decision(decision),
        notice_version=notice_version,
        method=Method(method),
        explicit=bool(explicit),
        language=language,
        relation=Relation(relation),
        delegate=delegate,
    )
