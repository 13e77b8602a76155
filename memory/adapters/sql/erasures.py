"""Erasures: how far each has come, who works on it, and the sweep of a person's rows.

Rules:
- An erasure outlives the person it was about.
- Its state only rises: `advance_erasure` changes it only where it still is what was read, so two
  workers cannot undo each other's step.
- One worker at a time has an erasure, by a lease that it renews; safety does not rest on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)

from memory.adapters.sql.people import People
from memory.adapters.sql.tables import (
    erasures,
    from_micros,
    index_outbox,
    memories,
    metadata,
    micros_or_none,
    persons,
    time_or_none,
    to_micros,
)
from memory.adapters.sql.transaction import Columns, batches
from memory.core.canonical import canonical
from memory.core.erasure import ErasureCall, ErasureRow, ErasureState, Scope
from memory.core.values import RecordId, SubjectId, TenantId
from memory.ports import Clock, PersonState

LEASE: Final = timedelta(seconds=60)
"""Longer than any step takes; a worker that died is passed over after it."""

_FIELDS: Final = [c for c in erasures.c if c.name not in {"claimed_by", "claimed_until"}]
_DONE: Final = erasures.c.state == ErasureState.DONE.value
_OPEN: Final[ColumnElement[bool]] = or_(
    erasures.c.state != ErasureState.DONE.value,
    and_(erasures.c.epoch > 0, erasures.c.epoch_destroyed_at.is_(None)),
)
_OLDEST_FIRST: Final = (erasures.c.started_at, erasures.c.id)
_ONE: Final = select(*_FIELDS).where(erasures.c.id == bindparam("erasure"))
_NEWEST: Final = (
    select(*_FIELDS)
    .where(erasures.c.tenant == bindparam("of"))
    .order_by(erasures.c.started_at.desc(), erasures.c.id.desc())
    .limit(bindparam("most"))
)
_PLACE: Final = select(erasures.c.started_at, erasures.c.id).where(
    erasures.c.id == bindparam("erasure")
)
_NEXT_NEWEST: Final = _NEWEST.where(
    or_(
        erasures.c.started_at < bindparam("at"),
        and_(erasures.c.started_at == bindparam("at"), erasures.c.id < bindparam("behind")),
    )
)
_UNFINISHED: Final = select(*_FIELDS).where(~_DONE).order_by(*_OLDEST_FIRST)
_UNSETTLED: Final = select(*_FIELDS).where(_OPEN).order_by(*_OLDEST_FIRST)
_INSERT: Final = insert(erasures)
_UPDATE: Final = (
    update(erasures)
    .where(erasures.c.id == bindparam("erasure"))
    .values({c: bindparam(c.name) for c in _FIELDS if c.name != "id"})
)
_ADVANCE: Final = _UPDATE.where(erasures.c.state == bindparam("since"))
_MINE: Final = or_(
    erasures.c.claimed_until <= bindparam("now"), erasures.c.claimed_by == bindparam("worker")
)
_HOLD: Final = (
    update(erasures)
    .where(erasures.c.id == bindparam("erasure"), _MINE)
    .values(claimed_by=bindparam("worker"), claimed_until=bindparam("until"))
)
_RELEASE_ALL: Final = update(erasures).values(claimed_until=0)
_ACTIVE: Final = select(persons.c.subject).where(
    persons.c.subject.in_(bindparam("subjects", expanding=True)),
    persons.c.state == PersonState.ACTIVE.value,
)
_ROWS: Final = union_all(
    *(
        select(literal(name), func.count())
        .select_from(table)
        .where(table.c.subject == bindparam("of"))
        for name, table in sorted(metadata.tables.items())
        if "subject" in table.c and name != "erasures"
    )
)
_IN_HAND: Final = (
    select(func.count())
    .select_from(index_outbox)
    .where(
        index_outbox.c.subject == bindparam("of"), index_outbox.c.claimed_until > bindparam("now")
    )
)
_DROP_IDLE_TASKS: Final = delete(index_outbox).where(
    index_outbox.c.subject == bindparam("of"), index_outbox.c.claimed_until == 0
)
_DROP_LAPSED_TASKS: Final = delete(index_outbox).where(
    index_outbox.c.subject == bindparam("of"), index_outbox.c.claimed_until <= bindparam("now")
)
_SOME: Final = (
    select(memories.c.id)
    .where(memories.c.subject == bindparam("of"))
    .order_by(memories.c.seq)  # as they lie in SQLite's file: each page is written once
    .limit(bindparam("most"))
)
_DELETE_SOME: Final = delete(memories).where(
    memories.c.subject == bindparam("of"),
    memories.c.id.in_(bindparam("records", expanding=True)),
)


class Erasures(People):
    """The part of a unit of work that keeps track of erasures."""

    _clock: Clock

    def fence(self, subject: SubjectId, erasure: ErasureRow) -> None:
        self._fence_person(subject)
        self.put_erasure(erasure)

    def put_erasure(self, row: ErasureRow) -> None:
        columns = _columns(row)
        if self._change(_UPDATE, columns | {"erasure": row.id.value}) == 0:
            free = {"claimed_by": b"", "claimed_until": 0}
            self._change(_INSERT, columns | free | {"id": row.id.value})

    def advance_erasure(self, row: ErasureRow, since: ErasureState) -> bool:
        named = {"erasure": row.id.value, "since": since.value}
        return self._change(_ADVANCE, _columns(row) | named) == 1

    def erasure(self, id: RecordId) -> ErasureRow | None:
        row = self._row(_ONE, {"erasure": id.value})
        return None if row is None else _erasure(row)

    def erasures(self, tenant: TenantId, before: RecordId | None, limit: int) -> list[ErasureRow]:
        named: dict[str, Any] = {"of": tenant.value, "most": limit}
        if before is None:
            return [_erasure(row) for row in self._rows(_NEWEST, named)]
        place = self._row(_PLACE, {"erasure": before.value})
        if place is None:
            return []
        named |= {"at": place[0], "behind": place[1]}
        return [_erasure(row) for row in self._rows(_NEXT_NEWEST, named)]

    def unfinished_erasures(self) -> list[ErasureRow]:
        return [_erasure(row) for row in self._rows(_UNFINISHED)]

    def unsettled_erasures(self) -> list[ErasureRow]:
        return [_erasure(row) for row in self._rows(_UNSETTLED)]

    def hold_erasure(self, id: RecordId, worker: bytes) -> bool:
        now = self._clock()
        lease = {"worker": worker, "now": to_micros(now), "until": to_micros(now + LEASE)}
        return self._change(_HOLD, lease | {"erasure": id.value}) == 1

    def still_active(self, subjects: Iterable[SubjectId]) -> set[SubjectId]:
        return {
            SubjectId(subject)
            for batch in batches(subject.value for subject in subjects)
            for (subject,) in self._rows(_ACTIVE, {"subjects": batch})
        }

    def rows_of(self, subject: SubjectId) -> Mapping[str, int]:
        return {name: count for name, count in self._rows(_ROWS, {"of": subject.value})}  # noqa: C416

    def claimed_tasks(self, subject: SubjectId) -> int:
        now = to_micros(self._clock())
        return int(self._rows(_IN_HAND, {"of": subject.value, "now": now})[0][0])

    def drop_tasks(self, subject: SubjectId) -> int:
        self._change(_DROP_IDLE_TASKS, {"of": subject.value})
        named = {"of": subject.value, "now": to_micros(self._clock())}
        return self._change(_DROP_LAPSED_TASKS, named)

    def delete_rows(self, subject: SubjectId, limit: int) -> int:
        records = [id_ for (id_,) in self._rows(_SOME, {"of": subject.value, "most": limit})]
        if records:
            self._change(_DELETE_SOME, {"of": subject.value, "records": records})
        return len(records)


def release_erasures(connection: Connection) -> None:
    """Ends every lease: for the one process of a SQLite store, when it starts again."""
    connection.execute(_RELEASE_ALL)


def _columns(row: ErasureRow) -> dict[str, Any]:
    return {
        "tenant": row.tenant.value,
        "state": row.state.value,
        "subject": None if row.subject is None else row.subject.value,
        "collection": row.collection,
        "memories": row.memories,
        "consents": row.consents,
        "vault_entries": row.vault_entries,
        "started_at": to_micros(row.started_at),
        "finished_at": micros_or_none(row.finished_at),
        "call": row.call.value,
        "scope": canonical(row.scope.to_json()).decode(),
        "at_once": int(row.at_once),
        "pseudonym": row.pseudonym,
        "key_version": row.key_version,
        "epoch": row.epoch,
        "key_destroyed_at": micros_or_none(row.key_destroyed_at),
        "swept_at": micros_or_none(row.swept_at),
        "epoch_destroyed_at": micros_or_none(row.epoch_destroyed_at),
        "counts_before": canonical(dict(row.before)).decode(),
        "counts_after": canonical(dict(row.after)).decode(),
        "scan": canonical(dict(row.scan)).decode(),
        "intent": row.intent,
        "certificate": row.certificate,
        "waits_for": row.waits_for,
    }


def _erasure(row: Columns) -> ErasureRow:
    has = row._mapping
    return ErasureRow(
        id=RecordId(has["id"]),
        tenant=TenantId(has["tenant"]),
        state=ErasureState(has["state"]),
        subject=None if has["subject"] is None else SubjectId(has["subject"]),
        collection=has["collection"],
        memories=has["memories"],
        consents=has["consents"],
        vault_entries=has["vault_entries"],
        started_at=from_micros(has["started_at"]),
        finished_at=time_or_none(has["finished_at"]),
        call=ErasureCall(has["call"]),
        scope=Scope.from_json(json.loads(has["scope"])),
        at_once=bool(has["at_once"]),
        pseudonym=has["pseudonym"],
        key_version=has["key_version"],
        epoch=has["epoch"],
        key_destroyed_at=time_or_none(has["key_destroyed_at"]),
        swept_at=time_or_none(has["swept_at"]),
        epoch_destroyed_at=time_or_none(has["epoch_destroyed_at"]),
        before=json.loads(has["counts_before"]),
        after=json.loads(has["counts_after"]),
        scan=json.loads(has["scan"]),
        intent=has["intent"],
        certificate=has["certificate"],
        waits_for=has["waits_for"],
    )
