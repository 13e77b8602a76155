"""Rows: what the store keeps of people, memories, erasures and keys, as values.

Rules:
- Nothing here reads as content: text lies in sealed bytes, people behind keyed hashes. In the
  clear stands only what rules and retention need.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from memory.core.values import (
    AssistantId,
    MemoryKind,
    PersonRef,
    PurposeId,
    RecordId,
    SealedRecord,
    SubjectId,
    TenantId,
)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A key wrapped by the key-encryption key of one epoch."""

    epoch: int
    value: bytes


class PersonState(StrEnum):
    """Where a person stands. ERASING is a fence: nothing goes in or out."""

    ACTIVE = "active"
    ERASING = "erasing"


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as SQL knows them: no name, only keyed hashes and a wrapped key."""

    subject: SubjectId
    tenant: TenantId
    ref: PersonRef
    state: PersonState
    key_version: int
    wrapped_key: WrappedKey
    collection: str
    created_at: datetime
    numbered: int = 0
    """Memories ever stored, so never fewer than there are."""
    revision: int = 0
    """Another one after every change of the person's memories, vault or key."""
    rearranged: int = 0
    """The revision at which anything else than adding memories last happened."""
    restricted_at: datetime | None = None
    """Since when what is kept is not used (GDPR Art. 18)."""
    held_until: datetime | None = None
    """Until when nothing may be erased, and under which reference of the operator's."""
    hold_reference: str = ""

    def held(self, now: datetime) -> bool:
        """Whether a legal hold forbids erasing anything of this person."""
        return self.held_until is not None and now < self.held_until


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """A memory as SQL keeps it. In the clear stands only what rules and retention need."""

    id: RecordId
    subject: SubjectId
    seq: int
    purpose: PurposeId
    assistant: AssistantId
    kind: MemoryKind
    session_tag: bytes
    stored_at: datetime
    updated_at: datetime
    version: int
    key_version: int
    body: SealedRecord
    features: SealedRecord
    originals: SealedRecord
    expires_at: datetime | None = None
    content_tag: bytes | None = None
    """By which the same memory is found when it is told again; None where it is not looked for."""
    sightings: int = 1
    """How often it was told, and when last if more than once."""
    last_seen_at: datetime | None = None

    @property
    def kept_from(self) -> datetime:
        """From when its purpose's retention counts."""
        return self.last_seen_at or self.stored_at

    @property
    def head(self) -> MemoryHead:
        """Without its sealed fields."""
        return MemoryHead(self.id, self.seq, self.version, self.session_tag, self.sightings)


@dataclass(frozen=True, slots=True)
class VersionRow:
    """What a memory said before it was corrected: sealed, and gone with the memory."""

    id: RecordId
    subject: SubjectId
    seq: int
    version: int
    kind: MemoryKind
    updated_at: datetime
    key_version: int
    body: SealedRecord
    originals: SealedRecord


class VersionHead(NamedTuple):
    """An older version without its sealed fields, in the order of paging."""

    seq: int
    version: int


class MemoryHead(NamedTuple):
    """A memory without its sealed fields: enough to choose which of them to open.

    A tuple, because a recall makes a hundred of them.
    """

    id: RecordId
    seq: int
    version: int
    session_tag: bytes
    sightings: int = 1


class AccessAction(StrEnum):
    """What was done; the wire's `AccessEvent.Action`."""

    STORE = "store"
    READ = "read"
    REVEAL = "reveal"
    UPDATE = "update"
    ERASE = "erase"
    EXPORT = "export"
    CONSENT = "consent"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class AccessEvent:
    """Who did what with how many of a person's memories, when and why; one for each call."""

    id: RecordId
    subject: SubjectId
    at: datetime
    assistant: AssistantId
    purpose: PurposeId | None
    action: AccessAction
    memories: int
    denied: bool = False


@dataclass(frozen=True, slots=True)
class AccessFilter:
    """Which events are listed; empty means no narrowing. `start` counts in, `end` does not."""

    start: datetime | None = None
    end: datetime | None = None
    assistant: AssistantId | None = None
    actions: frozenset[AccessAction] = frozenset()


class OperatorAction(StrEnum):
    """What was done to the whole deployment, or to a person who is gone with their own events."""

    ROTATE = "rotate"
    REKEY = "rekey"
    FORGET = "forget"
    ERASED = "erased"
    REINDEX = "reindex"


@dataclass(frozen=True, slots=True)
class OperatorEvent:
    """Who did what to the deployment, and how many keys or memories that was about."""

    id: RecordId
    at: datetime
    tenant: TenantId
    assistant: AssistantId
    action: OperatorAction
    count: int


class IndexOp(StrEnum):
    """What the indexer still owes the index."""

    UPSERT = "upsert"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class IndexTask:
    """One row of the outbox."""

    id: int
    subject: SubjectId
    record: RecordId
    op: IndexOp


@dataclass(frozen=True, slots=True)
class MemoryFilter:
    """What a listing or recall is narrowed to; empty means no narrowing.

    `alive_at` leaves out what has expired by then. It is no part of what is asked for: filters
    that differ in it alone are equal.
    """

    purposes: frozenset[PurposeId] = frozenset()
    assistant: AssistantId | None = None
    kinds: frozenset[MemoryKind] = frozenset()
    session_tags: frozenset[bytes] = frozenset()
    alive_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class KeyEpoch:
    """One key-encryption key, as its provider numbers it."""

    number: int
    created_at: datetime
    destroyed_at: datetime | None = None


class ConsentCount(NamedTuple):
    """How many consents are in force in a tenant that were given alike."""

    tenant: TenantId
    purpose: PurposeId
    notice_version: str
    explicit: bool
    consents: int


class RotationState(StrEnum):
    """How far a rotation has come."""

    BEGUN = "begun"
    MOVING = "moving"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class RotationRow:
    """A rotation: to which epoch (0 until it is made), and once done, how many keys it moved."""

    id: RecordId
    state: RotationState
    epoch: int
    keys: int
    started_at: datetime
    finished_at: datetime | None = None
