"""Rotation of keys: which epoch each wrapped key is under, and how far a rotation has come.

Rules:
- A wrapped key is replaced only where it still is what was read: two rotators cannot undo each
  other, and a key that was destroyed meanwhile stays destroyed.
- **The epoch of the deployment's root is the fence**: a key under an older one is not let in any
  more. Who lets a key in holds the root's row until the transaction ends (on PostgreSQL FOR SHARE;
  on SQLite there is one writer), so once the root has moved, no older key can arrive.
- One rotation at a time, led by one worker at a time: a lease, renewed with each step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, update

from memory.adapters.sql.people import PEOPLE, person_row
from memory.adapters.sql.tables import (
    deployment,
    from_micros,
    key_epochs,
    micros_or_none,
    persons,
    retired_collections,
    rotations,
    time_or_none,
    to_micros,
)
from memory.adapters.sql.transaction import Columns, Transaction
from memory.core.rows import (
    KeyEpoch,
    PersonRow,
    PersonState,
    RotationRow,
    RotationState,
    WrappedKey,
)
from memory.core.values import RecordId, SubjectId
from memory.ports import Clock

LEASE: Final = timedelta(seconds=30)
"""Far longer than one step takes; a worker that died is passed over after it."""

_ACTIVE: Final = persons.c.state == PersonState.ACTIVE.value
_BY_EPOCH: Final = select(persons.c.epoch, func.count()).where(_ACTIVE).group_by(persons.c.epoch)
_ROOT_EPOCH: Final = select(deployment.c.epoch)
_AFTER: Final = (
    PEOPLE.where(_ACTIVE, persons.c.subject > bindparam("after"))
    .order_by(persons.c.subject)
    .limit(bindparam("most"))
)
_OLDER: Final = (
    PEOPLE.where(
        _ACTIVE, persons.c.epoch < bindparam("below"), persons.c.subject > bindparam("after")
    )
    .order_by(persons.c.subject)
    .limit(bindparam("most"))
)
_REPLACE_KEY: Final = (
    update(persons)
    .where(
        persons.c.subject == bindparam("of"),
        persons.c.epoch == bindparam("old_epoch"),
        persons.c.wrapped_key == bindparam("old_key"),
        _ACTIVE,
    )
    .values(epoch=bindparam("new_epoch"), wrapped_key=bindparam("new_key"))
)
_REPLACE_ROOT: Final = (
    update(deployment)
    .where(
        deployment.c.epoch == bindparam("old_epoch"),
        deployment.c.wrapped_key == bindparam("old_key"),
    )
    .values(epoch=bindparam("new_epoch"), wrapped_key=bindparam("new_key"))
)
_ONE: Final = select(*rotations.c).where(rotations.c.id == bindparam("rotation"))
_UNFINISHED: Final = select(*rotations.c).where(rotations.c.state != RotationState.DONE.value)
_ADD: Final = insert(rotations)
_PUT: Final = (
    update(rotations)
    .where(rotations.c.id == bindparam("rotation"))
    .values({name: bindparam(name) for name in ("state", "epoch", "keys", "finished_at")})
)
_CLAIM: Final = (
    update(rotations)
    .where(
        rotations.c.state != RotationState.DONE.value,
        or_(
            rotations.c.claimed_until <= bindparam("now"),
            rotations.c.claimed_by == bindparam("worker"),
        ),
    )
    .values(claimed_by=bindparam("worker"), claimed_until=bindparam("until"))
)
_HELD: Final = select(*rotations.c).where(
    and_(rotations.c.state != RotationState.DONE.value, rotations.c.claimed_by == bindparam("by"))
)
_RELEASE_ALL: Final = update(rotations).values(claimed_until=0)
_EPOCHS: Final = select(*key_epochs.c).order_by(key_epochs.c.epoch)
_ADD_EPOCH: Final = insert(key_epochs)
_EPOCH_DESTROYED: Final = (
    update(key_epochs)
    .where(key_epochs.c.epoch == bindparam("of"), key_epochs.c.destroyed_at.is_(None))
    .values(destroyed_at=bindparam("at"))
)
_RETIRED: Final = select(*retired_collections.c)
_RETIRE: Final = insert(retired_collections)
_UNRETIRE: Final = delete(retired_collections).where(
    retired_collections.c.collection == bindparam("of")
)


class Rotations(Transaction):
    """The part of a unit of work that knows which key lies under which epoch."""

    _clock: Clock

    def keys_by_epoch(self) -> Mapping[int, int]:
        counts = {epoch: count for epoch, count in self._rows(_BY_EPOCH)}  # noqa: C416
        for (epoch,) in self._rows(_ROOT_EPOCH):
            counts[epoch] = counts.get(epoch, 0) + 1
        return counts

    def people_after(
        self, after: SubjectId | None, limit: int, *, below_epoch: int | None = None
    ) -> list[PersonRow]:
        named: dict[str, Any] = {"after": after.value if after else b"", "most": limit}
        if below_epoch is None:
            return [person_row(row) for row in self._rows(_AFTER, named)]
        return [person_row(row) for row in self._rows(_OLDER, named | {"below": below_epoch})]

    def replace_key(self, person: PersonRow, wrapped: WrappedKey) -> bool:
        named = _swap(person.wrapped_key, wrapped) | {"of": person.subject.value}
        return self._change(_REPLACE_KEY, named) == 1

    def replace_root_key(self, old: WrappedKey, new: WrappedKey) -> bool:
        return self._change(_REPLACE_ROOT, _swap(old, new)) == 1

    def rotation(self, id: RecordId) -> RotationRow | None:
        row = self._row(_ONE, {"rotation": id.value})
        return None if row is None else _rotation(row)

    def unfinished_rotation(self) -> RotationRow | None:
        row = self._row(_UNFINISHED, {})
        return None if row is None else _rotation(row)

    def add_rotation(self, row: RotationRow) -> None:
        columns = {"id": row.id.value, "started_at": to_micros(row.started_at)}
        self._change(_ADD, columns | _state(row) | {"claimed_by": b"", "claimed_until": 0})

    def put_rotation(self, row: RotationRow) -> None:
        self._change(_PUT, _state(row) | {"rotation": row.id.value})

    def claim_rotation(self, worker: bytes) -> RotationRow | None:
        now = self._clock()
        named = {"worker": worker, "now": to_micros(now), "until": to_micros(now + LEASE)}
        if self._change(_CLAIM, named) != 1:
            return None
        row = self._row(_HELD, {"by": worker})
        return None if row is None else _rotation(row)

    def key_epochs(self) -> Sequence[KeyEpoch]:
        return [
            KeyEpoch(epoch, from_micros(created), time_or_none(gone))
            for epoch, created, gone in self._rows(_EPOCHS)
        ]

    def add_key_epoch(self, epoch: KeyEpoch) -> None:
        if epoch.number not in {known.number for known in self.key_epochs()}:
            columns = {"epoch": epoch.number, "created_at": to_micros(epoch.created_at)}
            self._change(_ADD_EPOCH, columns | {"destroyed_at": None})

    def key_epoch_destroyed(self, number: int, at: datetime) -> None:
        self._change(_EPOCH_DESTROYED, {"of": number, "at": to_micros(at)})

    def retire_collection(self, collection: str, at: datetime) -> None:
        self._change(_RETIRE, {"collection": collection, "retired_at": to_micros(at)})

    def retired_collections(self) -> Mapping[str, datetime]:
        return {name: from_micros(at) for name, at in self._rows(_RETIRED)}

    def collection_is_gone(self, collection: str) -> None:
        self._change(_UNRETIRE, {"of": collection})


def release_rotation(connection: Connection) -> None:
    """Ends the lease: for the one process of a SQLite store, when it starts again."""
    connection.execute(_RELEASE_ALL)


def _swap(old: WrappedKey, new: WrappedKey) -> dict[str, Any]:
    return {
        "old_epoch": old.epoch,
        "old_key": old.value,
        "new_epoch": new.epoch,
        "new_key": new.value,
    }


def _state(row: RotationRow) -> dict[str, Any]:
    finished = row.finished_at
    return {
        "state": row.state.value,
        "epoch": row.epoch,
        "keys": row.keys,
        "finished_at": micros_or_none(finished),
    }


def _rotation(row: Columns) -> RotationRow:
    id_, state, epoch, keys, started, finished = row[:6]
    begun = RotationRow(RecordId(id_), RotationState(state), epoch, keys, from_micros(started))
    return begun if finished is None else replace(begun, finished_at=from_micros(finished))
