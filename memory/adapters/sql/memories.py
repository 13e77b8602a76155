"""Memories: sealed bytes with what rules, filters and paging need in the clear.

Rules:
- Each change leaves a task in the outbox, in the same transaction: the index cannot miss it. It
  also gives the person a new revision: what was opened at the old one is known to be stale. Where
  memories came behind the others and nothing else changed, what was opened still holds of those.
- Every statement names the person too: an id alone opens nothing of somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from memory.adapters.sql.narrowing import narrowed, narrowing
from memory.adapters.sql.tables import (
    NEXT_REVISION,
    REARRANGED,
    from_micros,
    index_outbox,
    memories,
    memory_sources,
    micros_or_none,
    persons,
    time_or_none,
    to_micros,
)
from memory.adapters.sql.transaction import Columns, Transaction, batches
from memory.core.values import (
    AssistantId,
    MemoryKind,
    PurposeId,
    RecordId,
    SealedRecord,
    SubjectId,
)
from memory.ports import IndexOp, MemoryFilter, MemoryHead, MemoryRow

_OF_PERSON: Final = select(*memories.c).where(memories.c.subject == bindparam("of"))
_ONE: Final = _OF_PERSON.where(memories.c.id == bindparam("record"))
_SOME: Final = _OF_PERSON.where(memories.c.id.in_(bindparam("records", expanding=True)))
_TAGGED: Final = _OF_PERSON.where(memories.c.content_tag.in_(bindparam("contents", expanding=True)))
_PAGE: Final = (
    _OF_PERSON.where(memories.c.seq > bindparam("after"))
    .order_by(memories.c.seq)
    .limit(bindparam("page"))
)
_HEADS: Final = select(
    memories.c.id,
    memories.c.seq,
    memories.c.version,
    memories.c.session_tag,
    memories.c.sightings,
).where(memories.c.subject == bindparam("of"))
_HEADS_BY_SEQ: Final = _HEADS.where(memories.c.seq.in_(bindparam("seqs", expanding=True)))
_SOME_HEADS: Final = _HEADS.where(memories.c.id.in_(bindparam("records", expanding=True)))
_UNINDEXED_HEADS: Final = _HEADS.where(
    memories.c.id.in_(
        select(index_outbox.c.record).where(
            index_outbox.c.subject == bindparam("of"),
            index_outbox.c.op == IndexOp.UPSERT.value,
        )
    )
)
_COUNT: Final = (
    select(func.count()).select_from(memories).where(memories.c.subject == bindparam("of"))
)
_NEXT_EXPIRY: Final = select(func.min(memories.c.expires_at)).where(
    memories.c.subject == bindparam("of")
)
_INSERT: Final = insert(memories)
_REPLACE: Final = (
    update(memories)
    .where(
        memories.c.id == bindparam("record"),
        memories.c.subject == bindparam("of"),
        memories.c.version == bindparam("expected"),
    )
    .values({c: bindparam(c.name) for c in memories.c if c.name not in {"id", "subject"}})
)
_TAG: Final = memories.c.content_tag
_RESEAL: Final = (
    update(memories)
    .where(
        memories.c.id == bindparam("record"),
        memories.c.subject == bindparam("of"),
        memories.c.version == bindparam("at_version"),
    )
    .values(
        {
            name: bindparam(name)
            for name in ("session_tag", "key_version", "body", "features", "originals")
        }
        # The column in one branch tells PostgreSQL the type of the other.
        | {"content_tag": case((_TAG.is_(None), _TAG), else_=bindparam("content_tag"))}
    )
)
_SEE_AGAIN: Final = (
    update(memories)
    .where(memories.c.id == bindparam("record"), memories.c.subject == bindparam("of"))
    .values(
        {name: bindparam(name) for name in ("features", "expires_at", "sightings", "last_seen_at")}
    )
)
_UNTAG: Final = (
    update(memories)
    .where(memories.c.id == bindparam("record"), memories.c.subject == bindparam("of"))
    .values(content_tag=None)
)
_DELETE: Final = delete(memories).where(
    memories.c.id == bindparam("record"), memories.c.subject == bindparam("of")
)
_LINK: Final = insert(memory_sources)
_DERIVED: Final = select(memory_sources.c.derived).where(
    memory_sources.c.subject == bindparam("of"),
    memory_sources.c.source.in_(bindparam("sources", expanding=True)),
)
_QUEUE: Final = insert(index_outbox)
_OF: Final = update(persons).where(persons.c.subject == bindparam("of"))
_ADDED: Final = _OF.values(NEXT_REVISION)
REARRANGE: Final = _OF.values(REARRANGED)


_purpose: Final = lru_cache(maxsize=1024)(PurposeId)
_assistant: Final = lru_cache(maxsize=1024)(AssistantId)


class Memories(Transaction):
    """The part of a unit of work that keeps memories."""

    def add_memories(self, rows: Sequence[MemoryRow]) -> None:
        if rows:
            self._change(_INSERT, [_columns(row) for row in rows])
            self._change(_ADDED, [{"of": subject.value} for subject in {r.subject for r in rows}])
            self._queue(IndexOp.UPSERT, [(row.subject, row.id) for row in rows])

    def replace_memory(self, row: MemoryRow, expected_version: int) -> bool:
        columns = _columns(row)
        columns["record"], columns["of"] = columns.pop("id"), columns.pop("subject")
        if self._change(_REPLACE, columns | {"expected": expected_version}) != 1:
            return False
        self._changed(IndexOp.UPSERT, [(row.subject, row.id)])
        return True

    def reseal_memories(self, rows: Sequence[MemoryRow]) -> None:
        if rows:
            self._change(
                _RESEAL,
                [
                    {
                        "record": row.id.value,
                        "of": row.subject.value,
                        "at_version": row.version,
                        "session_tag": row.session_tag,
                        "key_version": row.key_version,
                        "body": row.body.value,
                        "features": row.features.value,
                        "originals": row.originals.value,
                        "content_tag": row.content_tag,
                    }
                    for row in rows
                ],
            )

    def tagged_memories(
        self, subject: SubjectId, tags: Iterable[bytes], filter: MemoryFilter
    ) -> list[MemoryRow]:
        statement = narrowed(_TAGGED, filter)
        named = narrowing(filter) | {"of": subject.value}
        rows = [
            _memory(row)
            for batch in batches(tags)
            for row in self._rows(statement, named | {"contents": batch})
        ]
        return sorted(rows, key=lambda row: row.seq)

    def see_again(self, rows: Sequence[MemoryRow]) -> None:
        if rows:
            self._revise({row.subject for row in rows})
            self._change(
                _SEE_AGAIN,
                [
                    {
                        "record": row.id.value,
                        "of": row.subject.value,
                        "features": row.features.value,
                        "expires_at": micros_or_none(row.expires_at),
                        "sightings": row.sightings,
                        "last_seen_at": micros_or_none(row.last_seen_at),
                    }
                    for row in rows
                ],
            )

    def untag_memories(self, subject: SubjectId, records: Iterable[RecordId]) -> None:
        named = [{"of": subject.value, "record": record.value} for record in records]
        if named:
            self._change(_UNTAG, named)

    def add_sources(self, subject: SubjectId, made: Mapping[RecordId, Sequence[RecordId]]) -> None:
        links = [
            {"subject": subject.value, "source": source.value, "derived": record.value}
            for record, sources in made.items()
            for source in sources
        ]
        if links:
            self._change(_LINK, links)

    def derived(self, subject: SubjectId, records: Iterable[RecordId]) -> list[RecordId]:
        known = {record.value for record in records}
        found: dict[bytes, None] = {}
        following = list(known)
        while following:
            rows = [
                row
                for batch in batches(following)
                for row in self._rows(_DERIVED, {"of": subject.value, "sources": batch})
            ]
            following = [row[0] for row in rows if row[0] not in known and row[0] not in found]
            found |= dict.fromkeys(following)
        return [RecordId(record) for record in found]

    def delete_memory(self, subject: SubjectId, record: RecordId) -> bool:
        named = {"of": subject.value, "record": record.value}
        if self._change(_DELETE, named) != 1:
            return False
        self._changed(IndexOp.DELETE, [(subject, record)])
        return True

    def erase_memories(self, subject: SubjectId, records: Iterable[RecordId]) -> int:
        gone = [r for r in dict.fromkeys(records) if self.delete_memory(subject, r)]
        return len(gone)

    def memory(self, subject: SubjectId, record: RecordId) -> MemoryRow | None:
        named = {"of": subject.value, "record": record.value}
        row = self._row(_ONE, named)
        return None if row is None else _memory(row)

    def memories(
        self, subject: SubjectId, records: Iterable[RecordId], filter: MemoryFilter
    ) -> list[MemoryRow]:
        statement = narrowed(_SOME, filter)
        named = narrowing(filter) | {"of": subject.value}
        return [
            _memory(row)
            for batch in batches(record.value for record in records)
            for row in self._rows(statement, named | {"records": batch})
        ]

    def heads(
        self,
        subject: SubjectId,
        filter: MemoryFilter,
        records: Iterable[RecordId] | None = None,
    ) -> list[MemoryHead]:
        named = narrowing(filter) | {"of": subject.value}
        if records is None:
            return [_head(row) for row in self._rows(narrowed(_HEADS, filter), named)]
        statement = narrowed(_SOME_HEADS, filter)
        return [
            _head(row)
            for batch in batches(record.value for record in records)
            for row in self._rows(statement, named | {"records": batch})
        ]

    def heads_numbered(
        self, subject: SubjectId, filter: MemoryFilter, seqs: Iterable[int]
    ) -> list[MemoryHead]:
        statement = narrowed(_HEADS_BY_SEQ, filter)
        named = narrowing(filter) | {"of": subject.value}
        return [
            _head(row)
            for batch in batches(seqs)
            for row in self._rows(statement, named | {"seqs": batch})
        ]

    def unindexed_heads(self, subject: SubjectId, filter: MemoryFilter) -> list[MemoryHead]:
        named = narrowing(filter) | {"of": subject.value}
        return [_head(row) for row in self._rows(narrowed(_UNINDEXED_HEADS, filter), named)]

    def page_memories(
        self, subject: SubjectId, filter: MemoryFilter, after_seq: int, limit: int
    ) -> list[MemoryRow]:
        rows = self._rows(
            narrowed(_PAGE, filter),
            narrowing(filter) | {"of": subject.value, "after": after_seq, "page": limit},
        )
        return [_memory(row) for row in rows]

    def count_memories(self, subject: SubjectId, filter: MemoryFilter) -> int:
        rows = self._rows(narrowed(_COUNT, filter), narrowing(filter) | {"of": subject.value})
        return int(rows[0][0])

    def next_expiry(self, subject: SubjectId, filter: MemoryFilter) -> datetime | None:
        named = narrowing(filter) | {"of": subject.value}
        ((micros,),) = self._rows(narrowed(_NEXT_EXPIRY, filter), named)
        return time_or_none(micros)

    def _revise(self, subjects: Iterable[SubjectId]) -> None:
        self._change(REARRANGE, [{"of": subject.value} for subject in subjects])

    def _changed(self, op: IndexOp, records: Sequence[tuple[SubjectId, RecordId]]) -> None:
        self._revise({subject for subject, _ in records})
        self._queue(op, records)

    def _queue(self, op: IndexOp, records: Sequence[tuple[SubjectId, RecordId]]) -> None:
        self._change(
            _QUEUE,
            [
                {"subject": subject.value, "record": record.value, "op": op.value}
                for subject, record in records
            ],
        )


def _columns(row: MemoryRow) -> dict[str, Any]:
    return {
        "id": row.id.value,
        "subject": row.subject.value,
        "seq": row.seq,
        "purpose": row.purpose.value,
        "assistant": row.assistant.value,
        "kind": row.kind.value,
        "session_tag": row.session_tag,
        "stored_at": to_micros(row.stored_at),
        "updated_at": to_micros(row.updated_at),
        "version": row.version,
        "key_version": row.key_version,
        "body": row.body.value,
        "features": row.features.value,
        "originals": row.originals.value,
        "expires_at": micros_or_none(row.expires_at),
        "content_tag": row.content_tag,
        "sightings": row.sightings,
        "last_seen_at": micros_or_none(row.last_seen_at),
    }


def _head(row: Columns) -> MemoryHead:
    record, seq, version, session_tag, sightings = row
    return MemoryHead(RecordId(record), seq, version, session_tag, sightings)


def _memory(row: Columns) -> MemoryRow:
    (subject, record, seq, purpose, assistant, kind, session_tag, stored_at, updated_at) = row[:9]
    version, key_version, body, features, originals, expires_at = row[9:15]
    content_tag, sightings, last_seen_at = row[15:]
    return MemoryRow(
        id=RecordId(record),
        subject=SubjectId(subject),
        seq=seq,
        purpose=_purpose(purpose),
        assistant=_assistant(assistant),
        kind=MemoryKind(kind),
        session_tag=session_tag,
        stored_at=from_micros(stored_at),
        updated_at=from_micros(updated_at),
        version=version,
        key_version=key_version,
        body=SealedRecord(body),
        features=SealedRecord(features),
        originals=SealedRecord(originals),
        expires_at=time_or_none(expires_at),
        content_tag=content_tag,
        sightings=sightings,
        last_seen_at=time_or_none(last_seen_at),
    )
