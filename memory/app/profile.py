"""GetProfile: consent gate ▶ open what the caller may see ▶ what holds ▶ each in somebody's words.

Rules:
- Needs a consent for `PROFILE` beside the one for the call's own purpose, checked in the snapshot
  that is read: a profile tells more than the memories one by one (GDPR Art. 4(4)).
- Computed for each call, and never stored.
- What was rated wrong plays no part.
- Leaves only once it is in the ledger, as a read of the memories that it rests on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from memory.app.gate import Admission, admit, not_allowed, purpose_of
from memory.app.keyring import Keyring
from memory.app.ledger import Ledger, refusals_logged
from memory.app.opened import Opened, OpenedFeatures, Reading
from memory.app.sealing import open_memory
from memory.core.consent import PROFILE
from memory.core.corpus import in_order
from memory.core.facts import find
from memory.core.keys import PersonKeys
from memory.core.profile import Trait, traits
from memory.core.purposes import Registry
from memory.core.values import Access, MemoryKind, RecordId
from memory.ports import (
    AccessAction,
    Clock,
    MemoryFilter,
    MemoryHead,
    Store,
    UnitOfWork,
)

TOLD = frozenset({MemoryKind.FACT, MemoryKind.PREFERENCE})


@dataclass(frozen=True, slots=True)
class Known:
    """A trait, what it is, and the clause that said so last, under pseudonyms."""

    trait: Trait
    kind: MemoryKind
    text: str


@dataclass(frozen=True, slots=True)
class Profile:
    """The use case behind GetProfile."""

    store: Store
    keyring: Keyring
    registry: Registry
    opened: OpenedFeatures
    clock: Clock
    ledger: Ledger

    @refusals_logged(AccessAction.READ)
    def __call__(self, access: Access) -> list[Known]:
        """What is known of the person, in the order of subject and slot.

        Raises:
            UnknownPurposeError, ConsentError, ErasureInProgressError: nothing may be read.
            StorageUnavailableError, StorageFullError: it could not be written down.
        """
        purposes = self.registry.of(access.caller.tenant)
        purpose_of(purposes, access)
        ref = self.keyring.ref(access.caller.tenant, access.person)
        with self.store.read() as uow:
            admission = admit(uow, ref, purposes, access, self.clock())
            if PROFILE not in admission.visible:
                raise not_allowed(access, PROFILE, "this assistant see a profile of them")
            keys = self.keyring.keys(admission.person)
            heads, opened = laid_out(uow, keys, admission, self.opened)
            found = held(heads, opened, admission.at)
            by, count = access.caller.assistant, len({r for t in found for r in t.evidence})
            noted = self.ledger.record(keys, by, AccessAction.READ, count, access.purpose)
        known = []
        for trait in found:
            last = opened[trait.evidence[-1]]
            text = open_memory(keys, last.row).content.text.value
            clause = _clause(text, last.features.speaker, trait)
            known.append(Known(trait, trait.kind or last.row.kind, clause))
        noted.wait()
        return known


def laid_out(
    uow: UnitOfWork, keys: PersonKeys, admission: Admission, opened: OpenedFeatures
) -> tuple[list[MemoryHead], dict[RecordId, Opened]]:
    """All that the call may see but what was rated wrong, opened, and its heads in order."""
    filter_ = MemoryFilter(purposes=admission.visible, alive_at=admission.at)
    reading = Reading(uow, keys.subject, filter_)
    feedback = opened.feedback(keys, admission.person.revision, reading.feedback)
    heads = in_order(reading.heads())
    doubted = feedback.doubted(heads)
    heads = [head for head in heads if head.id not in doubted]
    return heads, {one.row.id: one for one in opened.open(keys, heads, reading.load)}


def held(
    heads: Sequence[MemoryHead], opened: Mapping[RecordId, Opened], at: datetime
) -> list[Trait]:
    """What holds of the person."""
    told = {record for record, one in opened.items() if one.row.kind in TOLD}
    return traits(heads, [opened[head.id].features for head in heads], told, at)


def _clause(text: str, speaker: str, trait: Trait) -> str:
    """The clause that makes the claim, or all of what is a fact by itself."""
    for found in find(text, speaker):
        if found.claim in trait.claims:
            return text[found.start : found.end].strip(" ,")
    return text
