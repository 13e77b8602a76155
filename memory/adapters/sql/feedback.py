"""A person's ratings of recalled memories: one sealed value a person, gone with them.

Rules:
- Each change gives the person a new revision, as one of their memories does.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, insert, select

from memory.adapters.sql.memories import REARRANGE
from memory.adapters.sql.tables import feedback
from memory.adapters.sql.transaction import Transaction
from memory.core.values import SealedRecord, SubjectId

_OF_PERSON: Final = feedback.c.subject == bindparam("of")
_SEALED: Final = select(feedback.c.sealed).where(_OF_PERSON)
_PUT: Final = insert(feedback)
_DROP: Final = delete(feedback).where(_OF_PERSON)


class Feedback(Transaction):
    """The part of a unit of work that keeps feedback."""

    def feedback(self, subject: SubjectId) -> SealedRecord | None:
        row = self._row(_SEALED, {"of": subject.value})
        return None if row is None else SealedRecord(row[0])

    def put_feedback(self, subject: SubjectId, sealed: SealedRecord | None) -> None:
        self._change(_DROP, {"of": subject.value})
        if sealed is not None:
            self._change(_PUT, {"subject": subject.value, "sealed": sealed.value})
        self._change(REARRANGE, {"of": subject.value})
