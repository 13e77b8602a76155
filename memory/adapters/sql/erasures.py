"""Erasures: how far each Forget has come. They outlive the person they were about."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update

from memory.adapters.sql.people import People
from memory.adapters.sql.tables import erasures, from_micros, to_micros
from memory.adapters.sql.transaction import Columns
from memory.core.values import RecordId, SubjectId, TenantId
from memory.ports import ErasureRow, ErasureState

_UNFINISHED: Final = (
    select(*erasures.c)
    .where(erasures.c.state != ErasureState.DONE.value)
    .order_by(erasures.c.started_at, erasures.c.id)
)
_INSERT: Final = insert(erasures)
_UPDATE: Final = (
    update(erasures)
    .where(erasures.c.id == bindparam("erasure"))
    .values({c: bindparam(c.name) for c in erasures.c if c.name != "id"})
)


class Erasures(People):
    """The part of a unit of work that keeps track of Forget."""

    def fence(self, subject: SubjectId, erasure: ErasureRow) -> None:
        self._fence_person(subject)
        self.put_erasure(erasure)

    def put_erasure(self, row: ErasureRow) -> None:
        columns: dict[str, Any] = {
            "tenant": row.tenant.value,
            "state": row.state.value,
            "subject": None if row.subject is None else row.subject.value,
            "collection": row.collection,
            "memories": row.memories,
            "consents": row.consents,
            "vault_entries": row.vault_entries,
            "started_at": to_micros(row.started_at),
            "finished_at": None if row.finished_at is None else to_micros(row.finished_at),
        }
        if self._change(_UPDATE, columns | {"erasure": row.id.value}) == 0:
            self._change(_INSERT, columns | {"id": row.id.value})

    def unfinished_erasures(self) -> list[ErasureRow]:
        return [_erasure(row) for row in self._rows(_UNFINISHED)]


def _erasure(row: Columns) -> ErasureRow:
    erasure, tenant, state, subject, collection = row[:5]
    memories, consents, vault_entries, started_at, finished_at = row[5:]
    return ErasureRow(
        id=RecordId(erasure),
        tenant=TenantId(tenant),
        state=ErasureState(state),
        subject=None if subject is None else SubjectId(subject),
        collection=collection,
        memories=memories,
        consents=consents,
        vault_entries=vault_entries,
        started_at=from_micros(started_at),
        finished_at=None if finished_at is None else from_micros(finished_at),
    )
