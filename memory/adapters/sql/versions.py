"""Older versions of memories: sealed, written once, read in pages and gone with their memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, insert, select, tuple_, update

from memory.adapters.sql.tables import from_micros, memory_versions, to_micros
from memory.adapters.sql.transaction import Columns, Transaction
from memory.core.values import MemoryKind, RecordId, SealedRecord, SubjectId
from memory.ports import VersionHead, VersionRow

_C: Final = memory_versions.c
_PAGE: Final = (
    select(*_C)
    .where(
        _C.subject == bindparam("of"),
        tuple_(_C.seq, _C.version) > tuple_(bindparam("after_seq"), bindparam("after_version")),
    )
    .order_by(_C.seq, _C.version)
    .limit(bindparam("page"))
)
_HEADS: Final = (
    select(_C.seq, _C.version).where(_C.subject == bindparam("of")).order_by(_C.seq, _C.version)
)
_INSERT: Final = insert(memory_versions)
_RESEAL: Final = (
    update(memory_versions)
    .where(
        _C.subject == bindparam("of"),
        _C.seq == bindparam("at_seq"),
        _C.version == bindparam("at_version"),
    )
    .values({name: bindparam(name) for name in ("key_version", "body", "originals")})
)


class Versions(Transaction):
    """The part of a unit of work that keeps what memories said before."""

    def add_versions(self, rows: Sequence[VersionRow]) -> None:
        if rows:
            self._change(
                _INSERT,
                [
                    {
                        "subject": row.subject.value,
                        "seq": row.seq,
                        "version": row.version,
                        "id": row.id.value,
                        "kind": row.kind.value,
                        "updated_at": to_micros(row.updated_at),
                        "key_version": row.key_version,
                        "body": row.body.value,
                        "originals": row.originals.value,
                    }
                    for row in rows
                ],
            )

    def version_heads(self, subject: SubjectId) -> list[VersionHead]:
        rows = self._rows(_HEADS, {"of": subject.value})
        return [VersionHead(seq, version) for seq, version in rows]

    def page_versions(self, subject: SubjectId, after: VersionHead, limit: int) -> list[VersionRow]:
        named = {
            "of": subject.value,
            "after_seq": after.seq,
            "after_version": after.version,
            "page": limit,
        }
        return [_version(row) for row in self._rows(_PAGE, named)]

    def reseal_versions(self, rows: Sequence[VersionRow]) -> None:
        if rows:
            self._change(
                _RESEAL,
                [
                    {
                        "of": row.subject.value,
                        "at_seq": row.seq,
                        "at_version": row.version,
                        "key_version": row.key_version,
                        "body": row.body.value,
                        "originals": row.originals.value,
                    }
                    for row in rows
                ],
            )


def _version(row: Columns) -> VersionRow:
    subject, seq, version, record, kind, updated_at, key_version, body, originals = row
    return VersionRow(
        id=RecordId(record),
        subject=SubjectId(subject),
        seq=seq,
        version=version,
        kind=MemoryKind(kind),
        updated_at=from_micros(updated_at),
        key_version=key_version,
        body=SealedRecord(body),
        originals=SealedRecord(originals),
    )
