"""Rekey: one person gets a new key, and everything of theirs is sealed anew under it.

    seal every record anew, beside the old ones ▶ ONE SQL transaction ▶ the old collection goes

Rules:
- All or nothing: until the transaction commits, everything is under the old key; from then on,
  under the new one. A crash before it leaves nothing behind.
- What was stored or changed while the records were being sealed anew is sealed inside the
  transaction; nothing is lost, and nothing is sealed twice under one salt.
- The blind index is made anew from the words that the vault and the records hold. An alias whose
  words are nowhere kept any more, because the memory that brought it was deleted, is let go.
- Ratings of memories that are not there any more are let go, with what they taught.
- The index follows under another name; the old collection is owed to be dropped in the same
  transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from memory.app.consents import delegate_place
from memory.app.duplicates import content_tag
from memory.app.keyring import Keyring
from memory.app.ledger import Ledger, engine
from memory.app.prepare import session_tag, vault_place
from memory.app.rotate import Progress, rotation_id
from memory.app.sealing import (
    open_features,
    open_feedback,
    open_memory,
    open_originals,
    open_version,
    seal_feedback,
    seal_fields,
    seal_version,
)
from memory.app.segments import drop_all
from memory.app.veiling import Veils
from memory.core.consent import Consent
from memory.core.content import Originals
from memory.core.keys import KEY_BYTES, PersonKeys
from memory.core.pseudonyms import Entity, rehash
from memory.core.record_format import SALT_BYTES, seal, unseal
from memory.core.values import Caller, PersonId, RawText, RecordId, SealedRecord, Secret
from memory.errors import (
    ErasureInProgressError,
    IndexUnavailableError,
    KeyMovedError,
    VersionConflictError,
)
from memory.ports import (
    Clock,
    MemoryFilter,
    MemoryHead,
    MemoryRow,
    OperatorAction,
    PersonRow,
    PersonState,
    RandomBytes,
    RotationRow,
    RotationState,
    Store,
    UnitOfWork,
    VersionHead,
    VersionRow,
)

_PAGE: Final = 200
_TURN: Final = 10
"""Memories that are sealed before a pause as long: half of the time is for others."""

_TRIES: Final = 3


_Words = tuple[tuple[str, str], ...]
"""What stood in a text, by its pseudonyms."""

_FIRST: Final = VersionHead(-1, 0)


@dataclass(frozen=True, slots=True)
class _Resealed:
    """A row under the new key, and the words that stood in it."""

    row: MemoryRow
    words: _Words


@dataclass(frozen=True, slots=True)
class _ResealedVersion:
    """The same of an older version."""

    row: VersionRow
    words: _Words


@dataclass(frozen=True, slots=True)
class Rekey:
    """The use case behind RotateKeys for one person."""

    store: Store
    keyring: Keyring
    veils: Veils
    clock: Clock
    random: RandomBytes
    retired: Callable[[str], None]
    """Called after the commit with the collection that must go."""
    stored: Callable[[], None]
    ledger: Ledger

    def __call__(self, caller: Caller, person: PersonId, request_id: str) -> Progress:
        """Gives the person a new key; returns when it is done. An unknown person has none.

        Raises:
            ErasureInProgressError: the person is being forgotten.
            StorageUnavailableError, StorageFullError, KeyUnavailableError, VersionConflictError:
                nothing was changed; call again.
        """
        ref = self.keyring.ref(caller.tenant, person)
        id_ = rotation_id(request_id)
        for _ in range(_TRIES):
            with self.store.read() as uow:
                done, row = uow.rotation(id_), uow.person(ref)
            if done is not None:
                return Progress(done.epoch, done.keys, done.keys, done.finished_at)
            if row is None:
                return Progress(0, 0, 0, self.clock())
            if row.state is PersonState.ERASING:
                raise ErasureInProgressError("this person is being forgotten, with their key")
            with suppress(KeyMovedError, VersionConflictError):
                return self._rekey(caller, row, id_)
        raise VersionConflictError("this person's key was changed meanwhile; call again")

    def renew(self, person: PersonRow, id_: RecordId) -> None:
        """The same after an erasure of memories, under whose id it is written down; the second
        time it does nothing. Names that no memory mentions any more leave the vault.

        Raises as above, and `VersionConflictError` when the row is not current.
        """
        with self.store.read() as uow:
            if uow.rotation(id_) is not None:
                return
        self._rekey(engine(person.tenant), person, id_, prune=True)

    def _rekey(
        self, caller: Caller, old_row: PersonRow, id_: RecordId, *, prune: bool = False
    ) -> Progress:
        old = self.keyring.keys(old_row)
        new = old.successor(Secret(self.random(KEY_BYTES)))
        new_row = replace(
            old_row,
            key_version=new.version,
            wrapped_key=self.keyring.wrap(new, old_row.ref),
            collection=self.keyring.new_collection(),
        )
        new_row = replace(new_row, collection=self.veils.collection(new_row))
        ready = self._seal_ahead(old, new)
        ready_versions = self._seal_versions_ahead(old, new)
        now = self.clock()
        epoch = new_row.wrapped_key.epoch
        with self.store.write() as uow:
            held = uow.person(old_row.ref, lock=True)
            if held is None or held.state is PersonState.ERASING:
                raise ErasureInProgressError("this person is being forgotten, with their key")
            if (held.subject, held.key_version) != (old_row.subject, old_row.key_version):
                raise VersionConflictError("this person's key was changed meanwhile; call again")
            resealed = self._seal_rest(uow, old, new, ready)
            versions = self._seal_versions_rest(uow, old, new, ready_versions)
            uow.reseal_memories([each.row for each in resealed])
            uow.reseal_versions([each.row for each in versions])
            kept = [each.words for each in resealed] + [each.words for each in versions]
            self._rehash(uow, old, new, kept, prune=prune)
            for consent in uow.consents(new.subject):
                if consent.delegate:
                    uow.put_consent(self._delegate(old, new, consent))
            if sealed := uow.feedback(old.subject):
                left = open_feedback(old, sealed).of({each.row.id for each in resealed})
                uow.put_feedback(new.subject, seal_feedback(new, left, self.random))
            drop_all(uow, new.subject)
            uow.rekey_person(new_row)
            uow.queue_all(new.subject)
            uow.retire_collection(old_row.collection, now)
            uow.add_rotation(RotationRow(id_, RotationState.DONE, epoch, 1, now, now))
            self.ledger.operate(uow, caller, OperatorAction.REKEY, 1)
            uow.commit()
        self.keyring.drop(new.subject)
        with suppress(IndexUnavailableError):  # then it is dropped later: it is owed
            self.retired(old_row.collection)
        self.stored()
        return Progress(epoch, 1, 1, now)

    def _seal_ahead(self, old: PersonKeys, new: PersonKeys) -> dict[RecordId, _Resealed]:
        """The bulk of the work, while others read and write."""
        ready: dict[RecordId, _Resealed] = {}
        after = -1
        while True:
            with self.store.read() as uow:
                rows = uow.page_memories(old.subject, MemoryFilter(), after, _PAGE)
            if not rows:
                return ready
            for start in range(0, len(rows), _TURN):
                began = time.monotonic()
                turn = rows[start : start + _TURN]
                ready |= {row.id: self._reseal(old, new, row) for row in turn}
                time.sleep(time.monotonic() - began)
            after = rows[-1].seq

    def _seal_rest(
        self,
        uow: UnitOfWork,
        old: PersonKeys,
        new: PersonKeys,
        ready: Mapping[RecordId, _Resealed],
    ) -> list[_Resealed]:
        """What holds now: what was sealed ahead, and what came or changed since."""
        heads = uow.heads(old.subject, MemoryFilter())
        current = {
            head.id: ready[head.id]
            for head in heads
            if head.id in ready and _is(ready[head.id].row, head)
        }
        late = [head.id for head in heads if head.id not in current]
        rows = uow.memories(old.subject, late, MemoryFilter())
        return [*current.values(), *(self._reseal(old, new, row) for row in rows)]

    def _reseal(self, old: PersonKeys, new: PersonKeys, row: MemoryRow) -> _Resealed:
        content = open_memory(old, row, affect=True).content
        originals = open_originals(old, row)
        sealed = seal_fields(new, row.id, content, open_features(old, row), originals, self.random)
        row = replace(
            row,
            key_version=new.version,
            session_tag=session_tag(new, content.session),
            content_tag=content_tag(new, content, originals, row.kind, row.purpose, row.assistant),
            body=sealed.body,
            features=sealed.features,
            originals=sealed.originals,
        )
        return _Resealed(row, _words(originals))

    def _seal_versions_ahead(
        self, old: PersonKeys, new: PersonKeys
    ) -> dict[VersionHead, _ResealedVersion]:
        ready: dict[VersionHead, _ResealedVersion] = {}
        after = _FIRST
        while True:
            with self.store.read() as uow:
                rows = uow.page_versions(old.subject, after, _PAGE)
            if not rows:
                return ready
            for row in rows:
                after = VersionHead(row.seq, row.version)
                ready[after] = self._reseal_version(old, new, row)

    def _seal_versions_rest(
        self,
        uow: UnitOfWork,
        old: PersonKeys,
        new: PersonKeys,
        ready: Mapping[VersionHead, _ResealedVersion],
    ) -> list[_ResealedVersion]:
        """An older version never changes: only those that came since are missing."""
        made = []
        for head in uow.version_heads(old.subject):
            if head in ready:
                made.append(ready[head])
                continue
            before = VersionHead(head.seq, head.version - 1)
            (row,) = uow.page_versions(old.subject, before, 1)
            made.append(self._reseal_version(old, new, row))
        return made

    def _reseal_version(
        self, old: PersonKeys, new: PersonKeys, row: VersionRow
    ) -> _ResealedVersion:
        content, originals = open_version(old, row)
        return _ResealedVersion(
            seal_version(new, row, content, originals, self.random), _words(originals)
        )

    def _delegate(self, old: PersonKeys, new: PersonKeys, consent: Consent) -> Consent:
        """Who decided for the person, under the new key."""
        place = delegate_place(consent.id)
        name = unseal(old, old.vault, place, SealedRecord(consent.delegate))
        sealed = seal(new, new.vault, place, name, self.random(SALT_BYTES))
        return replace(consent, delegate=sealed.value)

    def _rehash(
        self,
        uow: UnitOfWork,
        old: PersonKeys,
        new: PersonKeys,
        kept: Sequence[_Words],
        *,
        prune: bool,
    ) -> None:
        """The vault's values and its blind index under the new key."""
        mentioned = {pseudonym for words in kept for pseudonym, _ in words}
        opened = {
            entity: unseal(old, old.vault, vault_place(entity), value).decode()
            for entity, value in uow.vault(old.subject)
            if not prune or entity.pseudonym in mentioned
        }
        known = {entity.pseudonym: entity for entity in opened}
        words: dict[Entity, set[str]] = {entity: {value} for entity, value in opened.items()}
        for each in kept:
            for pseudonym, word in each:
                if entity := known.get(pseudonym):
                    words[entity].add(word)
        anew: dict[bytes, bytes] = {}
        for entity, surfaces in words.items():
            for surface in sorted(surfaces):
                anew |= rehash(
                    entity.entity_type, RawText(surface), old.blind_index, new.blind_index
                )
        aliases = {
            anew[hash_]: entity
            for hash_, entity in uow.aliases(old.subject).items()
            if hash_ in anew and entity in opened
        }
        sealed: list[tuple[Entity, SealedRecord]] = [
            (
                entity,
                seal(new, new.vault, vault_place(entity), value.encode(), self.random(SALT_BYTES)),
            )
            for entity, value in opened.items()
        ]
        uow.replace_vault(old.subject, sealed, aliases)


def _is(row: MemoryRow, head: MemoryHead) -> bool:
    return (row.version, row.sightings) == (head.version, head.sightings)


def _words(originals: Originals) -> _Words:
    mentions = (*originals.text, *originals.speaker)
    return tuple((m.pseudonym, m.original.value) for m in mentions)
