"""Get, list and correct single memories (GDPR Art. 16).

Rules:
- Reading and correcting need consent like Recall does, or the person's own right.
- A missing memory, an expired one, a foreign one, and one stored for a purpose the caller may not
  see read alike.
- A correction detects, embeds and seals anew, under fresh salts, as the next version. The
  one before is kept, sealed for its own place, until the memory is erased; only an export shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from memory.app.duplicates import named_tag
from memory.app.gate import Admission, admit, purpose_of
from memory.app.keyring import Keyring
from memory.app.ledger import Ledger, refusals_logged
from memory.app.narrow import Narrow, Which
from memory.app.prepare import Preparer, seal_row
from memory.app.recorder import Recorded
from memory.app.register import Register
from memory.app.sealing import Remembered, Words, older, open_memory, open_words
from memory.core.draft import Draft
from memory.core.keys import PersonKeys
from memory.core.purposes import Registry
from memory.core.requests import Right
from memory.core.retention import end
from memory.core.values import Access, RecordId
from memory.errors import NotFoundError, VersionConflictError
from memory.ports import (
    AccessAction,
    Clock,
    MemoryFilter,
    MemoryRow,
    RandomBytes,
    Store,
    UnitOfWork,
)

Change = Callable[[Draft], Draft]
"""From what a memory says now, in the person's own words, to what it should say."""


@dataclass(frozen=True, slots=True)
class Rectify:
    """The use cases behind GetMemory, ListMemories and UpdateMemory."""

    store: Store
    keyring: Keyring
    registry: Registry
    preparer: Preparer
    register: Register
    clock: Clock
    random: RandomBytes
    stored: Callable[[], None]
    ledger: Ledger

    @refusals_logged(AccessAction.READ)
    def get(self, access: Access, record: RecordId) -> Remembered:
        """One memory, with pseudonyms. Raises NotFoundError, and what the gate raises."""
        with self.store.read() as uow:
            admission, keys = self._admit(uow, access)
            row = visible(uow, admission, record)
        noted = self._read(access, keys, 1)
        memory = open_memory(keys, row, affect=self._shows(admission, access))
        noted.wait()
        return memory

    @refusals_logged(AccessAction.READ)
    def page(
        self, access: Access, narrow: Narrow, after_seq: int, limit: int
    ) -> tuple[list[Remembered], int | None]:
        """Up to `limit` memories stored behind `after_seq` (-1: from the first), and the seq to
        go on behind, None at the end.
        """
        with self.store.read() as uow:
            admission, keys = self._admit(uow, access)
            filter_ = narrow.to_filter(keys, admission)
            rows = uow.page_memories(keys.subject, filter_, after_seq, limit + 1)
        more = rows[limit - 1].seq if len(rows) > limit else None
        shows = self._shows(admission, access)
        memories = [open_memory(keys, row, affect=shows) for row in rows[:limit]]
        shown = [memory for memory in memories if _in_time(narrow, memory)]
        self._read(access, keys, len(shown)).wait()
        return shown, more

    @refusals_logged(AccessAction.READ)
    def latest(
        self, access: Access, which: Which, before_seq: int | None, limit: int
    ) -> tuple[list[Remembered], int | None]:
        """Up to `limit` memories, the latest first, stored before `before_seq` (None: of all),
        and the seq to go on before, None at the end.
        """
        narrow = which.narrow
        found: list[tuple[int, Remembered]] = []
        with self.store.read() as uow:
            admission, keys = self._admit(uow, access)
            shows = self._shows(admission, access)
            purposes = (which.purposes or admission.visible) & admission.visible
            filter_ = narrow.to_filter(keys, admission)
            filter_ = replace(filter_, purposes=purposes, assistant=which.source)
            heads = uow.heads(keys.subject, filter_) if purposes else []
            heads = [head for head in heads if before_seq is None or head.seq < before_seq]
            heads.sort(key=lambda head: head.seq, reverse=True)
            for start in range(0, len(heads), limit + 1):
                part = {head.id: head.seq for head in heads[start : start + limit + 1]}
                rows = {row.id: row for row in uow.memories(keys.subject, part, filter_)}
                opened = [
                    (seq, open_memory(keys, rows[one], affect=shows)) for one, seq in part.items()
                ]
                found += [one for one in opened if _in_time(narrow, one[1])]
                if len(found) > limit:
                    break
        page = found[:limit]
        self._read(access, keys, len(page)).wait()
        return [memory for _, memory in page], page[-1][0] if len(found) > limit else None

    @refusals_logged(AccessAction.UPDATE)
    def update(
        self, access: Access, record: RecordId, change: Change, version: int | None = None
    ) -> Remembered:
        """Corrects a memory; `version`, when given, must be the current one.

        Raises:
            NotFoundError, VersionConflictError, InvalidArgumentError, and what the gate raises.
        """
        with self.store.read() as uow:
            admission, keys = self._admit(uow, access)
            row = visible(uow, admission, record)
            if version is not None and version != row.version:
                raise _conflict()
            now = open_memory(keys, row)
            draft = change(_draft(now, open_words(keys, row, now.content)))
            kept_for = self.registry.of(access.caller.tenant).require(row.purpose)
            affect = admission.infers_affect(kept_for)
        expires_at = row.expires_at
        if draft.expire_time != expires_at:
            expires_at = end(row.kept_from, kept_for.retention, draft.expire_time, admission.at)
        (prepared,) = self.preparer.prepare(access.caller.tenant, [draft], affect=affect)
        with self.store.write() as uow:
            admission, keys = self._admit(uow, access, lock=True)
            row = visible(uow, admission, record)
            if row.version != now.version:
                raise _conflict()
            (named,) = self.preparer.name(uow, keys, [prepared], self.random)
            sealed = seal_row(
                keys,
                named,
                access,
                record,
                row.seq,
                row.stored_at,
                self.random,
                affect=admission.infers_affect(kept_for),
                expires_at=expires_at,
                content_tag=(
                    named_tag(keys, named, row.purpose, row.assistant) if row.content_tag else None
                ),
            )
            before = older(keys, row, self.random)
            row = replace(
                sealed,
                purpose=row.purpose,
                assistant=row.assistant,
                updated_at=self.clock(),
                version=row.version + 1,
                sightings=row.sightings,
                last_seen_at=row.last_seen_at,
            )
            if not uow.replace_memory(row, row.version - 1):
                raise _conflict()
            uow.add_versions([before])
            by = access.caller.assistant
            self.ledger.write(uow, keys, by, AccessAction.UPDATE, 1, access.purpose)
            self.register.own(uow, access.caller, keys.subject, Right.RECTIFICATION)
            uow.commit()
        self.stored()
        return open_memory(keys, row, affect=self._shows(admission, access))

    def _read(self, access: Access, keys: PersonKeys, count: int) -> Recorded:
        by = access.caller.assistant
        return self.ledger.record(keys, by, AccessAction.READ, count, access.purpose)

    def _shows(self, admission: Admission, access: Access) -> bool:
        purpose = purpose_of(self.registry.of(access.caller.tenant), access)
        return admission.shows_affect(access, purpose)

    def _admit(
        self, uow: UnitOfWork, access: Access, *, lock: bool = False
    ) -> tuple[Admission, PersonKeys]:
        purposes = self.registry.of(access.caller.tenant)
        purpose_of(purposes, access)
        ref = self.keyring.ref(access.caller.tenant, access.person)
        admission = admit(uow, ref, purposes, access, self.clock(), lock=lock)
        return admission, self.keyring.keys(admission.person)


def visible(uow: UnitOfWork, admission: Admission, record: RecordId) -> MemoryRow:
    """The memory, if this caller may see it, or `NotFoundError`."""
    filter_ = MemoryFilter(purposes=admission.visible, alive_at=admission.at)
    rows = uow.memories(admission.person.subject, [record], filter_)
    if not rows:
        raise _missing()
    return rows[0]


def _in_time(narrow: Narrow, memory: Remembered) -> bool:
    return narrow.covers(memory.content.event_time or memory.stored_at)


def _draft(memory: Remembered, words: Words) -> Draft:
    return Draft(
        text=words.text,
        kind=memory.kind,
        speaker=words.speaker,
        session=memory.content.session,
        event_time=memory.content.event_time,
        labels=memory.content.labels,
        expire_time=memory.expires_at,
        sources=memory.content.sources,
        until=memory.content.until,
        supersedes=memory.content.supersedes,
        importance=memory.content.importance,
    )


def _missing() -> NotFoundError:
    return NotFoundError("no such memory of this person", resource="memory")


def _conflict() -> VersionConflictError:
    return VersionConflictError("the memory was changed meanwhile; read it and try again")
