"""Import: an archive becomes memories again, its names and times kept (GDPR Art. 20).

    every piece   checked line by line, and put aside encrypted
    at the end    the whole is what was written ▶ consent ▶ the vault ▶ memories ▶ older versions ▶
                  ratings

Rules:
- Nothing is stored before the last line is checked. Then it is stored in batches, each whole or
  not at all; every line is known by its id, so that the same archive, sent again after a crash or
  by mistake, goes on where it stopped and stores nothing twice.
- Storing is storing: each memory's purpose must be this deployment's, and covered by a consent that
  holds here and now. An archive's own consents are a copy of decisions, and decide nothing.
- A pseudonym stays what it was unless it means someone else here; then it gets the next number.
- A memory ends when the archive says, or when its purpose's retention here is over if that is
  earlier. What has ended is passed over.
- Mood is not taken over: it was guessed elsewhere. Where the archive has one, it is inferred anew,
  if the consents that hold here and now, and the memory's purpose, allow that.
- Ratings teach here only under a consent for that which holds here and now.
- What was hidden stays hidden, by this tenant's policy, and detection looks again: an archive may
  come from anywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, TypeVar

from memory.app.arriving import Arriving
from memory.app.duplicates import named_tag
from memory.app.gate import Admission, admit
from memory.app.keyring import Keyring
from memory.app.ledger import DENIALS, Ledger
from memory.app.personalize import take_ratings
from memory.app.prepare import Hidden, Named, Preparer, seal_row, vault_place
from memory.app.room import Room
from memory.app.sealing import seal_version
from memory.core.archive_lines import (
    ArchivedEntity,
    ArchivedMemory,
    ArchivedVersion,
)
from memory.core.consent import TUNING
from memory.core.feedback import Rated
from memory.core.keys import PersonKeys
from memory.core.policy import Action
from memory.core.pseudonyms import Entity, blind
from memory.core.purposes import Registry
from memory.core.record_format import SALT_BYTES, seal
from memory.core.retention import last
from memory.core.values import (
    Access,
    Caller,
    PersonId,
    PurposeId,
    SealedRecord,
    Span,
)
from memory.ports import (
    AccessAction,
    Clock,
    MemoryFilter,
    MemoryRow,
    RandomBytes,
    Spool,
    Store,
    UnitOfWork,
    VersionHead,
    VersionRow,
)

BATCH: Final = 256
"""Memories in one transaction; keeps it short for everyone else."""

_SKEW: Final = timedelta(minutes=5)
"""How far another deployment's clock may be ahead."""

_NO_PSEUDONYM: Final = frozenset({Action.REDACT, Action.GENERALIZE})
"""Something else stands for these here, whatever stood for them in the archive."""

T = TypeVar("T")


@dataclass(slots=True)
class Taken:
    """How much was stored, how much was there already, and how much had ended."""

    memories: int = 0
    duplicates: int = 0
    expired: int = 0


@dataclass(frozen=True, slots=True)
class TakeIn:
    """The use case behind ImportData."""

    store: Store
    keyring: Keyring
    registry: Registry
    preparer: Preparer
    room: Room
    spool: Callable[[], Spool]
    clock: Clock
    random: RandomBytes
    stored: Callable[[], None]
    ledger: Ledger

    def begin(self, caller: Caller, person: PersonId) -> Incoming:
        """An archive that is about to come; close it whatever happens."""
        return Incoming(self, caller, person)


class Incoming:
    """One archive on its way in: `take` its pieces in order, then `finish`."""

    def __init__(self, of: TakeIn, caller: Caller, person: PersonId) -> None:
        self._of = of
        self._caller = caller
        self._person = person
        self._registry = of.registry.of(caller.tenant)
        self._arriving = Arriving(self._registry, of.spool(), of.clock() + _SKEW)

    def close(self) -> None:
        """Lets go of what was put aside."""
        self._arriving.close()

    def take(self, piece: bytes) -> None:
        """The next bytes. Raises what `Arriving.take` does."""
        self._arriving.take(piece)

    def finish(self) -> Taken:
        """Stores what came.

        Raises:
            ArchiveError: it is not complete, or not what was written; nothing was stored.
            ConsentError, ErasureInProgressError: nothing was stored.
            QuotaError: what there was room for is stored.
            StorageFullError, StorageUnavailableError, KeyUnavailableError: send it again to go on.
        """
        self._arriving.finish()
        taken = Taken()
        if not self._arriving.memories:
            return taken
        entities = self._take_entities()
        for memories in _batches(self._arriving.read(ArchivedMemory)):
            self._take_memories(memories, entities, taken)
        with self._of.store.read() as uow:
            known = set(uow.version_heads(self._admit(uow)[1].subject))
        for versions in _batches(self._arriving.read(ArchivedVersion)):
            self._take_versions(versions, entities, known)
        for rated in _batches(self._arriving.read(Rated)):
            with self._of.store.write() as uow:
                admission, keys = self._admit(uow, lock=True)
                teaches = TUNING in admission.visible
                take_ratings(uow, keys, rated, self._of.random, teaches=teaches)
                uow.commit()
        return taken

    def _admit(self, uow: UnitOfWork, *, lock: bool = False) -> tuple[Admission, PersonKeys]:
        """What covers every purpose of the archive now, and the person's keys."""
        ref = self._of.keyring.ref(self._caller.tenant, self._person)
        now = self._of.clock()
        admitted = []
        for purpose in sorted(set(self._arriving.memories.values()), key=lambda p: p.value):
            access = Access(self._caller, self._person, purpose)
            try:
                admitted.append(admit(uow, ref, self._registry, access, now, lock=lock))
            except DENIALS:
                self._of.ledger.refused(self._caller, self._person, AccessAction.STORE, purpose)
                raise
        return admitted[0], self._of.keyring.keys(admitted[0].person)

    def _infers(self, admission: Admission, purpose: PurposeId) -> bool:
        return admission.infers_affect(self._registry.require(purpose))

    def _end(self, archived: ArchivedMemory) -> datetime | None:
        """When a memory ends here."""
        retention = self._registry.require(archived.purpose).retention
        return last(archived.kept_from, retention, archived.expires_at)

    def _take_entities(self) -> dict[str, Entity]:
        """Whom each pseudonym of the archive stands for here."""
        made: dict[str, Entity] = {}
        for archived in _batches(iter(self._arriving.entities.values())):
            with self._of.store.write() as uow:
                _, keys = self._admit(uow, lock=True)
                made |= self._place(uow, keys, archived)
                uow.commit()
        return made

    def _place(
        self, uow: UnitOfWork, keys: PersonKeys, archived: Sequence[ArchivedEntity]
    ) -> dict[str, Entity]:
        wholes = {a.entity: _whole(keys, a) for a in archived}
        known = dict(uow.entities(keys.subject, wholes.values()))
        numbers = dict(uow.next_entity_numbers(keys.subject))
        fresh: list[tuple[Entity, SealedRecord]] = []
        aliases: dict[bytes, Entity] = {}
        made = {}
        policy = self._of.preparer.detection(keys.tenant).policy
        for each in archived:
            entity, whole = each.entity, wholes[each.entity]
            if policy.action(entity.entity_type) in _NO_PSEUDONYM:
                made[entity.pseudonym] = entity
                continue
            here = known.get(whole)
            if here is None:
                number = max(entity.number, numbers.get(entity.entity_type, 1))
                numbers[entity.entity_type] = number + 1
                here = known[whole] = aliases[whole] = Entity(entity.entity_type, number)
                value = each.value.value.encode()
                salt = self._of.random(SALT_BYTES)
                fresh.append((here, seal(keys, keys.vault, vault_place(here), value, salt)))
            made[entity.pseudonym] = here
        uow.add_entities(keys.subject, fresh, aliases)
        return made

    def _take_memories(
        self, archived: Sequence[ArchivedMemory], entities: dict[str, Entity], taken: Taken
    ) -> None:
        of = self._of
        with of.store.read() as uow:
            admission, keys = self._admit(uow)
            ids = [a.id for a in archived]
            there = {h.id for h in uow.heads(keys.subject, MemoryFilter(), ids)}
        absent = [a for a in archived if a.id not in there]
        fresh = [a for a in absent if not _over(self._end(a), admission.at)]
        prepared = of.preparer.prepare_archived(
            self._caller.tenant,
            [a.said.draft for a in fresh],
            _hidden(fresh, entities),
            [a.said.moody and self._infers(admission, a.purpose) for a in fresh],
        )
        with of.store.write() as uow:
            admission, keys = self._admit(uow, lock=True)
            there |= {h.id for h in uow.heads(keys.subject, MemoryFilter(), [a.id for a in fresh])}
            pairs = [(a, p) for a, p in zip(fresh, prepared, strict=True) if a.id not in there]
            if pairs:
                named = of.preparer.name(uow, keys, [p for _, p in pairs], of.random)
                of.room.require(uow, admission.person, len(named))
                seq = uow.next_seq(keys.subject, len(named))
                uow.add_memories(
                    [
                        self._row(admission, keys, a, n, seq + offset)
                        for offset, ((a, _), n) in enumerate(zip(pairs, named, strict=True))
                    ]
                )
                self._link(uow, keys, [a for a, _ in pairs])
                for purpose, count in Counter(a.purpose for a, _ in pairs).items():
                    by, action = self._caller.assistant, AccessAction.STORE
                    of.ledger.write(uow, keys, by, action, count, purpose)
                uow.commit()
        taken.memories += len(pairs)
        taken.duplicates += len(archived) - len(absent) + len(fresh) - len(pairs)
        taken.expired += len(absent) - len(fresh)
        of.stored()

    def _link(self, uow: UnitOfWork, keys: PersonKeys, archived: Sequence[ArchivedMemory]) -> None:
        """What they were derived from, as far as it is here: what had ended is not taken in. What
        they supersede is not looked for when it is told again.
        """
        superseded = {older for a in archived for older in a.said.draft.supersedes}
        uow.untag_memories(keys.subject, superseded)
        named = {source for a in archived for source in a.said.draft.sources}
        if not named:
            return
        there = {h.id for h in uow.heads(keys.subject, MemoryFilter(), named)}
        links = {a.id: [s for s in a.said.draft.sources if s in there] for a in archived}
        uow.add_sources(keys.subject, links)

    def _row(
        self,
        admission: Admission,
        keys: PersonKeys,
        archived: ArchivedMemory,
        named: Named,
        seq: int,
    ) -> MemoryRow:
        sealed = seal_row(
            keys,
            named,
            Access(self._caller, self._person, archived.purpose),
            archived.id,
            seq,
            archived.stored_at,
            self._of.random,
            affect=self._infers(admission, archived.purpose),
            expires_at=self._end(archived),
            content_tag=named_tag(keys, named, archived.purpose, archived.assistant),
            told_last=archived.last_seen_at,
        )
        return replace(
            sealed,
            assistant=archived.assistant,
            updated_at=archived.updated_at,
            version=archived.version,
            sightings=archived.sightings,
        )

    def _take_versions(
        self,
        archived: Sequence[ArchivedVersion],
        entities: dict[str, Entity],
        known: set[VersionHead],
    ) -> None:
        of = self._of
        with of.store.read() as uow:
            admission, keys = self._admit(uow)
        prepared = of.preparer.prepare_archived(
            self._caller.tenant,
            [a.said.draft for a in archived],
            _hidden(archived, entities),
            [a.said.moody and self._infers(admission, self._purpose(a)) for a in archived],
        )
        with of.store.write() as uow:
            admission, keys = self._admit(uow, lock=True)
            heads = {
                h.id: h
                for h in uow.heads(keys.subject, MemoryFilter(), {a.memory for a in archived})
            }
            named = of.preparer.name(uow, keys, prepared, of.random)
            rows = []
            for a, n in zip(archived, named, strict=True):
                head = heads.get(a.memory)
                if head is None or a.version >= head.version:
                    continue  # erased here since, or corrected while it was exported
                place = VersionHead(head.seq, a.version)
                if place not in known:
                    known.add(place)
                    infers = self._infers(admission, self._purpose(a))
                    rows.append(self._version_row(keys, a, n, head.seq, affect=infers))
            uow.add_versions(rows)
            uow.commit()

    def _purpose(self, archived: ArchivedVersion) -> PurposeId:
        return self._arriving.memories[archived.memory.value]

    def _version_row(
        self, keys: PersonKeys, archived: ArchivedVersion, named: Named, seq: int, *, affect: bool
    ) -> VersionRow:
        nothing = SealedRecord(b"")
        row = VersionRow(
            archived.memory,
            keys.subject,
            seq,
            archived.version,
            archived.said.draft.kind,
            archived.updated_at,
            keys.version,
            nothing,
            nothing,
        )
        content = named.content(affect=affect)
        return seal_version(keys, row, content, named.originals, self._of.random)


def _hidden(
    archived: Sequence[ArchivedMemory | ArchivedVersion], entities: dict[str, Entity]
) -> list[Hidden]:
    return [
        Hidden(
            a.said.spans(entities),
            entities[a.said.speaker_hidden] if a.said.speaker_hidden else None,
        )
        for a in archived
    ]


def _over(end: datetime | None, now: datetime) -> bool:
    return end is not None and end <= now


def _whole(keys: PersonKeys, archived: ArchivedEntity) -> bytes:
    """The alias of an entity's value as written in full."""
    value = archived.value
    (blinded,) = blind(
        value, [Span(0, len(value.value), archived.entity.entity_type)], keys.blind_index
    )
    return blinded.whole


def _batches(values: Iterator[T]) -> Iterator[list[T]]:
    while batch := list(islice(values, BATCH)):
        yield batch
