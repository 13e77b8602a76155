"""The access log: which assistant did what with a person's memories, in the order of time."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, insert, select

from memory.adapters.sql.tables import access_events, from_micros, to_micros
from memory.adapters.sql.transaction import Columns, Transaction
from memory.core.values import AssistantId, PurposeId, RecordId, SubjectId
from memory.ports import AccessAction, AccessEvent

_OF_PERSON: Final = (
    select(*access_events.c)
    .where(access_events.c.subject == bindparam("of"))
    .order_by(access_events.c.at, access_events.c.id)
)
_INSERT: Final = insert(access_events)


class AccessLog(Transaction):
    """The part of a unit of work that writes down who read what."""

    def add_access_event(self, event: AccessEvent) -> None:
        self._change(
            _INSERT,
            {
                "subject": event.subject.value,
                "at": to_micros(event.at),
                "id": event.id.value,
                "assistant": event.assistant.value,
                "purpose": event.purpose.value,
                "action": event.action.value,
                "memories": event.memories,
            },
        )

    def access_events(self, subject: SubjectId) -> list[AccessEvent]:
        return [_event(row) for row in self._rows(_OF_PERSON, {"of": subject.value})]


def _event(row: Columns) -> AccessEvent:
    subject, at, event, assistant, purpose, action, memories = row
    return AccessEvent(
        id=RecordId(event),
        subject=SubjectId(subject),
        at=from_micros(at),
        assistant=AssistantId(assistant),
        purpose=PurposeId(purpose),
        action=AccessAction(action),
        memories=memories,
    )
