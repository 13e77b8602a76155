"""People: a keyed hash, a state, a wrapped key, and the counter of their memories."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from memory.adapters.sql.tables import (
    REARRANGED,
    deployment,
    from_micros,
    micros_or_none,
    persons,
    time_or_none,
    to_micros,
)
from memory.adapters.sql.transaction import Columns, Transaction
from memory.core.values import PersonRef, SubjectId, TenantId
from memory.errors import ErasureInProgressError, KeyMovedError
from memory.ports import PersonRow, PersonState, WrappedKey

PEOPLE: Final = select(
    persons.c.subject,
    persons.c.tenant,
    persons.c.ref,
    persons.c.state,
    persons.c.key_version,
    persons.c.epoch,
    persons.c.wrapped_key,
    persons.c.collection,
    persons.c.created_at,
    persons.c.next_seq,
    persons.c.revision,
    persons.c.rearranged,
    persons.c.restricted_at,
    persons.c.held_until,
    persons.c.hold_reference,
)
_BY_REF: Final = PEOPLE.where(persons.c.ref == bindparam("ref"))
_BY_REF_LOCKED: Final = _BY_REF.with_for_update(key_share=True)
"""Lets others add what hangs on the person: a read is written down while a write goes on."""
_BY_SUBJECT: Final = PEOPLE.where(persons.c.subject == bindparam("subject"))
_ALL: Final = PEOPLE.order_by(persons.c.created_at, persons.c.subject)
_OF_TENANT: Final = (
    select(persons.c.subject)
    .where(persons.c.tenant == bindparam("at_tenant"), persons.c.state == PersonState.ACTIVE.value)
    .order_by(persons.c.created_at, persons.c.subject)
)
_INSERT: Final = insert(persons)
_FENCE_EPOCH: Final = select(deployment.c.epoch).with_for_update(read=True)
_REKEY: Final = (
    update(persons)
    .where(persons.c.subject == bindparam("of"))
    .values(
        key_version=bindparam("version"),
        epoch=bindparam("new_epoch"),
        wrapped_key=bindparam("new_key"),
        collection=bindparam("into"),
        **REARRANGED,
    )
)
_RESERVE: Final = (
    update(persons)
    .where(persons.c.subject == bindparam("of"), persons.c.state == PersonState.ACTIVE.value)
    .values(next_seq=persons.c.next_seq + bindparam("count"))
    .returning(persons.c.next_seq)
)
_FENCE: Final = (
    update(persons)
    .where(persons.c.subject == bindparam("of"))
    .values(state=PersonState.ERASING.value)
)
_WRAPPED_KEY: Final = (
    select(persons.c.wrapped_key).where(persons.c.subject == bindparam("of")).with_for_update()
)
_OVERWRITE_KEY: Final = (
    update(persons)
    .where(persons.c.subject == bindparam("of"))
    .values(wrapped_key=bindparam("zeros"))
)
_NAME_COLLECTION: Final = (
    update(persons)
    .where(persons.c.subject == bindparam("of"))
    .values(collection=bindparam("named"))
)
_RESTRICT: Final = (
    update(persons)
    .where(persons.c.subject == bindparam("of"))
    .values(restricted_at=bindparam("since"))
)
_HOLD: Final = (
    update(persons)
    .where(persons.c.subject == bindparam("of"))
    .values(held_until=bindparam("until"), hold_reference=bindparam("reference"))
)
_DELETE: Final = delete(persons).where(persons.c.subject == bindparam("of"))

_FIRST_SEQ: Final = 1
"""Paging starts behind 0."""


class People(Transaction):
    """The part of a unit of work that knows people."""

    def person(self, ref: PersonRef, *, lock: bool = False) -> PersonRow | None:
        row = self._row(_BY_REF_LOCKED if lock else _BY_REF, {"ref": ref})
        return None if row is None else person_row(row)

    def person_by_subject(self, subject: SubjectId) -> PersonRow | None:
        row = self._row(_BY_SUBJECT, {"subject": subject.value})
        return None if row is None else person_row(row)

    def people(self) -> Iterator[PersonRow]:
        return map(person_row, self._rows(_ALL))

    def people_of(self, tenant: TenantId) -> list[SubjectId]:
        return [SubjectId(v) for (v,) in self._rows(_OF_TENANT, {"at_tenant": tenant.value})]

    def add_person(self, row: PersonRow) -> None:
        self._let_in(row.wrapped_key)
        self._change(
            _INSERT,
            {
                "subject": row.subject.value,
                "tenant": row.tenant.value,
                "ref": row.ref,
                "state": row.state.value,
                "key_version": row.key_version,
                "epoch": row.wrapped_key.epoch,
                "wrapped_key": row.wrapped_key.value,
                "collection": row.collection,
                "created_at": to_micros(row.created_at),
                "next_seq": _FIRST_SEQ,
                "revision": 0,
                "rearranged": 0,
                "restricted_at": micros_or_none(row.restricted_at),
                "held_until": micros_or_none(row.held_until),
                "hold_reference": row.hold_reference,
            },
        )

    def rekey_person(self, row: PersonRow) -> None:
        self._let_in(row.wrapped_key)
        self._change(
            _REKEY,
            {
                "of": row.subject.value,
                "version": row.key_version,
                "new_epoch": row.wrapped_key.epoch,
                "new_key": row.wrapped_key.value,
                "into": row.collection,
            },
        )

    def _let_in(self, wrapped: WrappedKey) -> None:
        """Refuses a key under an epoch that is about to go; see `rotations.py`."""
        for (epoch,) in self._rows(_FENCE_EPOCH):
            if wrapped.epoch < epoch:
                raise KeyMovedError("keys have moved to a new epoch meanwhile; repeat the call")

    def name_collection(self, subject: SubjectId, collection: str) -> None:
        self._change(_NAME_COLLECTION, {"of": subject.value, "named": collection})

    def next_seq(self, subject: SubjectId, count: int) -> int:
        reserved = self._row(_RESERVE, {"of": subject.value, "count": count})
        if reserved is None:
            raise ErasureInProgressError("this person is being forgotten: nothing can be stored")
        return int(reserved[0]) - count

    def restrict(self, subject: SubjectId, since: datetime | None) -> None:
        self._change(_RESTRICT, {"of": subject.value, "since": micros_or_none(since)})

    def hold(self, subject: SubjectId, until: datetime | None, reference: str) -> None:
        known = {"of": subject.value, "until": micros_or_none(until), "reference": reference}
        self._change(_HOLD, known)

    def destroy_person_key(self, subject: SubjectId) -> None:
        row = self._row(_WRAPPED_KEY, {"of": subject.value})
        if row is not None:
            self._change(_OVERWRITE_KEY, {"of": subject.value, "zeros": bytes(len(row[0]))})

    def delete_person(self, subject: SubjectId) -> None:
        self._change(_DELETE, {"of": subject.value})

    def _fence_person(self, subject: SubjectId) -> None:
        self._change(_FENCE, {"of": subject.value})


def person_row(row: Columns) -> PersonRow:
    """A row of `PEOPLE` as a value."""
    subject, tenant, ref, state, key_version, epoch, wrapped_key, collection, created_at = row[:9]
    next_seq, revision, rearranged, restricted_at, held_until, hold_reference = row[9:]
    return PersonRow(
        subject=SubjectId(subject),
        tenant=TenantId(tenant),
        ref=PersonRef(ref),
        state=PersonState(state),
        key_version=key_version,
        wrapped_key=WrappedKey(epoch, wrapped_key),
        collection=collection,
        created_at=from_micros(created_at),
        numbered=next_seq - _FIRST_SEQ,
        revision=revision,
        rearranged=rearranged,
        restricted_at=time_or_none(restricted_at),
        held_until=time_or_none(held_until),
        hold_reference=hold_reference,
    )
