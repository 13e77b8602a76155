"""Consents: one row a decision, found by person and purpose."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update

from memory.adapters.sql.tables import consents, from_micros, to_micros
from memory.adapters.sql.transaction import Columns, Transaction
from memory.core.consent import Consent
from memory.core.values import AssistantId, PurposeId, RecordId, SubjectId

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
            "expires_at": None if row.expires_at is None else to_micros(row.expires_at),
            "withdrawn_at": None if row.withdrawn_at is None else to_micros(row.withdrawn_at),
        }
        known = {"consent": row.id.value, "of": row.subject.value}
        if self._change(_UPDATE, columns | known) == 0:
            self._change(_INSERT, columns | {"id": row.id.value, "subject": row.subject.value})


def _consent(row: Columns) -> Consent:
    consent, subject, purpose, assistant, given_at, expires_at, withdrawn_at = row
    return Consent(
        id=RecordId(consent),
        subject=SubjectId(subject),
        purpose=PurposeId(purpose),
        assistant=None if assistant is None else AssistantId(assistant),
        given_at=from_micros(given_at),
        expires_at=None if expires_at is None else from_micros(expires_at),
        withdrawn_at=None if withdrawn_at is None else from_micros(withdrawn_at),
    )
