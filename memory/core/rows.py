"""Rows: what the store keeps of people, memories, erasures and keys, as values.

Rules:
- Nothing here reads as content: text lies in sealed bytes, people behind keyed hashes. In the
  clear stands only what rules and retention need.
"""

from __future__ import annotations

from dataclasses import dataclass
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


class MemoryHead(NamedTuple):
    """A memory without its sealed fields: enough to choose which of them to open.

    A tuple, because a recall makes a hundred of them.
    """

    id: RecordId
    seq: int
    version: int


class AccessAction(StrEnum):
    """What was done; the wire's `AccessEvent.Action`."""

    REVEAL = "reveal"


@dataclass(frozen=True, slots=True)
class AccessEvent:
    """Who did what with how many of a person's memories, when and why."""

    id: RecordId
    subject: SubjectId
    at: datetime
    assistant: AssistantId
    purpose: PurposeId
    action: AccessAction
    memories: int


class ErasureState(StrEnum):
    """How far a Forget has come."""

    FENCED = "fenced"
    KEY_DESTROYED = "key_destroyed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ErasureRow:
    """A Forget as a resource of its own; `subject` and `collection` are empty once done."""

    id: RecordId
    tenant: TenantId
    state: ErasureState
    subject: SubjectId | None
    collection: str
    memories: int
    consents: int
    vault_entries: int
    started_at: datetime
    finished_at: datetime | None


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
class Purge:
    """Vectors to be taken out of the index's files: whose, and when the latest one was deleted."""

    subject: SubjectId
    latest: datetime


@dataclass(frozen=True, slots=True)
class MemoryFilter:
    """What a listing or recall is narrowed to; empty means no narrowing."""

    purposes: frozenset[PurposeId] = frozenset()
    assistant: AssistantId | None = None
    kinds: frozenset[MemoryKind] = frozenset()
    session_tags: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class KeyEpoch:
    """One key-encryption key, as its provider numbers it."""

    number: int
    created_at: datetime
    destroyed_at: datetime | None = None


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
