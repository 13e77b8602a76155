"""The access log, and what operators did: the events whose leaves the ledger holds.

Rules:
- An event and its leaf hash are written in one transaction; `ledger.py` takes the leaf in later.
- An event goes with its person; its leaf stays.
- Every recall waits for its event. On SQLite, `append` therefore speaks to the driver itself, and
  in one statement, which commits by itself: while it runs, the interpreter is free for others, who
  would else have to let go of it once for each statement.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, insert, or_, select

from memory.adapters.sql.tables import (
    access_events,
    from_micros,
    ledger_waiting,
    operator_events,
    to_micros,
)
from memory.adapters.sql.transaction import Columns, Transaction
from memory.core.values import AssistantId, PurposeId, RecordId, SubjectId, TenantId
from memory.ports import (
    AccessAction,
    AccessEvent,
    AccessFilter,
    OperatorAction,
    OperatorEvent,
)

_OF_PERSON: Final = (
    select(*access_events.c)
    .where(access_events.c.subject == bindparam("of"))
    .order_by(access_events.c.at.desc(), access_events.c.id.desc())
    .limit(bindparam("most"))
)
_BEFORE: Final = or_(
    access_events.c.at < bindparam("before"),
    and_(access_events.c.at == bindparam("before"), access_events.c.id < bindparam("before_id")),
)
_INSERT: Final = insert(access_events)
_WAIT: Final = insert(ledger_waiting)
_COLUMNS: Final = tuple(access_events.c.keys())
_APPENDING: Final = (
    f"CREATE TEMP VIEW appended ({', '.join(_COLUMNS)}, leaf)"
    f" AS SELECT {', '.join(['NULL'] * (len(_COLUMNS) + 1))}",
    "CREATE TEMP TRIGGER append INSTEAD OF INSERT ON appended BEGIN"  # noqa: S608 (no values)
    f" INSERT INTO access_events ({', '.join(_COLUMNS)})"
    f" VALUES ({', '.join(f'NEW.{column}' for column in _COLUMNS)});"
    " INSERT INTO ledger_waiting (leaf) VALUES (NEW.leaf); END",
)
_APPEND: Final = "INSERT INTO appended VALUES "
_APPENDED_ROW: Final = f"({', '.join(['?'] * (len(_COLUMNS) + 1))})"
_ADD_OPERATOR_EVENT: Final = insert(operator_events)
_OPERATOR_EVENTS: Final = (
    select(*operator_events.c)
    .order_by(operator_events.c.at.desc(), operator_events.c.id.desc())
    .limit(bindparam("most"))
)
_OPERATOR_BEFORE: Final = or_(
    operator_events.c.at < bindparam("before"),
    and_(
        operator_events.c.at == bindparam("before"),
        operator_events.c.id < bindparam("before_id"),
    ),
)


class AccessLog(Transaction):
    """The part of a unit of work that writes down who did what."""

    def add_access_events(self, events: Sequence[tuple[AccessEvent, bytes]]) -> None:
        rows = [dict(zip(_COLUMNS, _columns(event), strict=True)) for event, _ in events]
        self._change(_INSERT, rows)
        self._change(_WAIT, [{"leaf": leaf} for _, leaf in events])

    def access_events(
        self,
        subject: SubjectId,
        filter: AccessFilter,
        limit: int,
        before: tuple[datetime, RecordId] | None = None,
    ) -> list[AccessEvent]:
        statement, named = _OF_PERSON, {"of": subject.value, "most": limit, **_behind(before)}
        if before is not None:
            statement = statement.where(_BEFORE)
        if filter.start is not None:
            statement = statement.where(access_events.c.at >= to_micros(filter.start))
        if filter.end is not None:
            statement = statement.where(access_events.c.at < to_micros(filter.end))
        if filter.assistant is not None:
            statement = statement.where(access_events.c.assistant == filter.assistant.value)
        if filter.actions:
            actions = sorted(action.value for action in filter.actions)
            statement = statement.where(access_events.c.action.in_(actions))
        return [_event(row) for row in self._rows(statement, named)]

    def add_operator_event(self, event: OperatorEvent, leaf: bytes) -> None:
        self._change(
            _ADD_OPERATOR_EVENT,
            {
                "at": to_micros(event.at),
                "id": event.id.value,
                "tenant": event.tenant.value,
                "assistant": event.assistant.value,
                "action": event.action.value,
                "amount": event.count,
            },
        )
        self._change(_WAIT, {"leaf": leaf})

    def operator_events(
        self, limit: int, before: tuple[datetime, RecordId] | None = None
    ) -> list[OperatorEvent]:
        statement = _OPERATOR_EVENTS
        if before is not None:
            statement = statement.where(_OPERATOR_BEFORE)
        rows = self._rows(statement, {"most": limit, **_behind(before)})
        return [_operator_event(row) for row in rows]


def prepare_to_append(connection: sqlite3.Connection, _record: object = None) -> None:
    """What `append` needs of a connection, once; nothing of it is in the file."""
    for statement in _APPENDING:
        connection.execute(statement)


def append(connection: sqlite3.Connection, events: Sequence[tuple[AccessEvent, bytes]]) -> None:
    """`add_access_events` in a transaction of its own, committed when it returns."""
    values = [value for event, leaf in events for value in (*_columns(event), leaf)]
    connection.execute(_APPEND + ", ".join([_APPENDED_ROW] * len(events)), values)


def _columns(event: AccessEvent) -> tuple[Any, ...]:
    """In the order of the table."""
    return (
        event.subject.value,
        to_micros(event.at),
        event.id.value,
        event.assistant.value,
        "" if event.purpose is None else event.purpose.value,
        event.action.value,
        event.memories,
        int(event.denied),
    )


def _behind(before: tuple[datetime, RecordId] | None) -> dict[str, Any]:
    if before is None:
        return {}
    return {"before": to_micros(before[0]), "before_id": before[1].value}


def _event(row: Columns) -> AccessEvent:
    subject, at, event, assistant, purpose, action, memories, denied = row
    return AccessEvent(
        id=RecordId(event),
        subject=SubjectId(subject),
        at=from_micros(at),
        assistant=AssistantId(assistant),
        purpose=PurposeId(purpose) if purpose else None,
        action=AccessAction(action),
        memories=memories,
        denied=bool(denied),
    )


def _operator_event(row: Columns) -> OperatorEvent:
    at, event, tenant, assistant, action, amount = row
    return OperatorEvent(
        id=RecordId(event),
        at=from_micros(at),
        tenant=TenantId(tenant),
        assistant=AssistantId(assistant),
        action=OperatorAction(action),
        count=amount,
    )
