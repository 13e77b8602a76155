"""Erase memories: one, or all that a filter names; the engine sees to the rest (GDPR Art. 17).

    ONE transaction   the rows go, the signed intent and the count are written down
    `app.erase`       the person's other memories under a new key ▶ sweep ▶ scrub ▶ certificate

Rules:
- Gone from every answer when the call returns. What lies in files, and the key that could open old
  copies, go within `erasure_seconds`, or at once on request.
- What was derived from a memory goes with it, to any depth: it may repeat what is erased.
- Needs no consent: it is a right. A legal hold refuses it.
- A missing memory and a foreign one read alike.
- A filter that names nothing is refused: for everything there is ForgetUser.
- Event times are sealed, so an erasure by time opens what else fits the filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from memory.app.erase import Eraser
from memory.app.erasing import Erasing
from memory.app.keyring import Keyring
from memory.app.narrow import Which
from memory.app.prepare import session_tag
from memory.app.register import Register
from memory.app.sealing import open_memory
from memory.core.erasure import ErasureCall, Scope
from memory.core.keys import PersonKeys
from memory.core.requests import Right
from memory.core.values import Caller, PersonId, RecordId
from memory.errors import (
    ErasureInProgressError,
    InvalidArgumentError,
    NotFoundError,
    VersionConflictError,
)
from memory.ports import (
    ErasureRow,
    MemoryFilter,
    MemoryHead,
    MemoryRow,
    PersonRow,
    PersonState,
    Store,
    UnitOfWork,
)

_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class EraseMemories:
    """The use cases behind DeleteMemory and EraseMemories."""

    store: Store
    keyring: Keyring
    eraser: Eraser
    erasing: Erasing
    register: Register

    def one(
        self, caller: Caller, person: PersonId, record: RecordId, version: int | None = None
    ) -> ErasureRow:
        """Erases one memory; `version`, when given, must be the current one.

        Raises:
            NotFoundError, VersionConflictError, ErasureInProgressError, LegalHoldError: nothing was
                erased.
            StorageUnavailableError, StorageFullError: nothing was erased; call again.
        """
        scope = Scope(whole=False, narrowed_by=("memory",))
        ref = self.keyring.ref(caller.tenant, person)
        erasure = self._new(caller, person, ErasureCall.DELETE_MEMORY, scope)
        with self.store.write() as uow:
            row = uow.person(ref, lock=True)
            memory = None if row is None else uow.memory(_active(row).subject, record)
            if row is None or memory is None:
                raise NotFoundError("no such memory of this person", resource="memory")
            if version is not None and version != memory.version:
                raise VersionConflictError(
                    "the memory was changed meanwhile; read it and try again"
                )
            erasure = self._erase(uow, caller, row, erasure, [record])
            uow.commit()
        self.erasing.follow(row.subject)
        return erasure

    def __call__(
        self,
        caller: Caller,
        person: PersonId,
        which: Which,
        *,
        at_once: bool = False,
        wait: float = 0.0,
    ) -> ErasureRow:
        """Erases what `which` names; an unknown person has nothing.

        Args:
            at_once: give the person a new key and roll the key epoch now, and wait for the
                certificate for `wait` seconds.

        Raises:
            InvalidArgumentError: the filter names nothing.
            ErasureInProgressError, LegalHoldError, StorageUnavailableError, StorageFullError,
                KeyUnavailableError: nothing was erased.
        """
        if which == Which():
            raise InvalidArgumentError("filter", "name what to erase; for everything: ForgetUser")
        ref = self.keyring.ref(caller.tenant, person)
        erasure = self._new(
            caller, person, ErasureCall.ERASE_MEMORIES, which.scope(), at_once=at_once
        )
        with self.store.read() as uow:
            row = uow.person(ref)
            known = {} if row is None else self._fitting(uow, _active(row), which, {})
        with self.store.write() as uow:
            row = uow.person(ref, lock=True)
            fitting = {} if row is None else self._fitting(uow, _active(row), which, known)
            records = [head.id for head, fits in fitting.items() if fits]
            if row is None or not records:
                erasure = self.erasing.certify.nothing_there(erasure)
                uow.put_erasure(erasure)
            else:
                erasure = self._erase(uow, caller, row, erasure, records)
            uow.commit()
        if row is not None:
            self.erasing.follow(row.subject)
        return self.eraser.wait(erasure, wait) if at_once else erasure

    def _new(
        self,
        caller: Caller,
        person: PersonId,
        call: ErasureCall,
        scope: Scope,
        *,
        at_once: bool = False,
    ) -> ErasureRow:
        ref = self.keyring.ref(caller.tenant, person)
        by_person = caller.person is not None
        return self.erasing.begin(
            caller.tenant, ref, call, scope, by_person=by_person, at_once=at_once
        )

    def _erase(
        self,
        uow: UnitOfWork,
        caller: Caller,
        row: PersonRow,
        erasure: ErasureRow,
        records: Sequence[RecordId],
    ) -> ErasureRow:
        erasure = self.erasing(uow, row, erasure, records, caller.assistant)
        self.register.own(uow, caller, row.subject, Right.ERASURE)
        return erasure

    def _fitting(
        self,
        uow: UnitOfWork,
        row: PersonRow,
        which: Which,
        known: dict[MemoryHead, bool],
    ) -> dict[MemoryHead, bool]:
        """Which memories there are by what SQL knows, and whether each fits in time, too; those
        that are `known` already are not opened again.
        """
        narrow = which.narrow
        keys = self.keyring.keys(row) if narrow.sessions or narrow.by_time else None
        tags = {session_tag(keys, s) for s in narrow.sessions} if keys else set()
        filter_ = MemoryFilter(
            purposes=which.purposes,
            assistant=which.source,
            kinds=narrow.kinds,
            session_tags=frozenset(tags),
        )
        heads = uow.heads(row.subject, filter_)
        if keys is None or not narrow.by_time:
            return dict.fromkeys(heads, True)
        new = [head for head in heads if head not in known]
        fits = {head: known[head] for head in heads if head in known}
        for start in range(0, len(new), _PAGE):
            part = {head.id: head for head in new[start : start + _PAGE]}
            for memory in uow.memories(row.subject, part, filter_):
                fits[part[memory.id]] = narrow.covers(_time(keys, memory))
        return fits


def _time(keys: PersonKeys, row: MemoryRow) -> datetime:
    memory = open_memory(keys, row)
    return memory.content.event_time or memory.stored_at


def _active(row: PersonRow) -> PersonRow:
    if row.state is PersonState.ERASING:
        raise ErasureInProgressError("this person is being forgotten, with every memory")
    return row
