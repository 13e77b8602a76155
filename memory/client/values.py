"""What goes in and comes out: small frozen dataclasses, field for field as in the proto.

Rules:
- Names are those of `proto/memory/v1`, which says what each field means. Instants are aware
  datetimes in UTC, absent ones None; enum values are the words of the proto without their prefix,
  in lower case ("KIND_FACT" is "fact"). A newer server may say a word that is not listed here.
- What a person said is in no `repr`: a result that reaches a log says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Required, TypedDict

Kind = Literal["message", "fact", "preference", "event", "summary"]
Rating = Literal["useful", "not_useful", "wrong"]
ConsentState = Literal["given", "refused", "withdrawn", "expired", "invalidated", "renewed"]
ErasureState = Literal["fenced", "key_destroyed", "swept", "done"]
Action = Literal["store", "read", "reveal", "update", "erase", "export", "consent", "rate"]


class MemoryFields(TypedDict, total=False):
    """What may be told beside a memory's text."""

    kind: Kind
    speaker: str
    session: str
    event_time: datetime
    labels: Mapping[str, str]
    expire_time: datetime
    sources: Sequence[str]
    supersedes: Sequence[str]
    valid_until_time: datetime
    importance: float


class NewMemory(MemoryFields, total=False):
    """One of several memories to store."""

    text: Required[str]


class Changes(TypedDict, total=False):
    """What may be corrected. `expire_time=None`: as long as the purpose says."""

    text: str
    kind: Kind
    speaker: str
    session: str
    event_time: datetime
    labels: Mapping[str, str]
    expire_time: datetime | None
    importance: float


class Filter(TypedDict, total=False):
    """Which memories are meant: what is given narrows."""

    kinds: Sequence[Kind]
    sessions: Sequence[str]
    event_start_time: datetime
    event_end_time: datetime


class Indication(TypedDict, total=False):
    """How a decision was made (GDPR Art. 7(1))."""

    method: Literal["statement", "click", "signature", "voice", "setting"]
    explicit: bool
    language_code: str
    relation: Literal["parent", "guardian", "delegate"]
    delegate: str
    age: int
    region_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Affect:
    """A guess at how the person felt; not a diagnosis."""

    valence: float
    frustration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Something remembered, with pseudonyms unless the call revealed."""

    name: str = field(repr=False)
    text: str = field(repr=False)
    kind: Kind
    speaker: str = field(repr=False)
    session: str = field(repr=False)
    event_time: datetime | None
    labels: Mapping[str, str] = field(repr=False)
    purpose: str
    assistant: str
    create_time: datetime | None
    update_time: datetime | None
    expire_time: datetime | None
    version: int
    etag: str
    sources: tuple[str, ...] = field(repr=False)
    affect: Affect | None = field(repr=False)
    supersedes: tuple[str, ...] = field(repr=False)
    valid_until_time: datetime | None
    superseded_by: str = field(repr=False)
    importance: float | None
    sighting_count: int
    last_sighting_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A memory as it was stored."""

    memory: Memory
    repeated_request: bool
    derived: tuple[Memory, ...]
    merged: bool
    hidden_counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorePart:
    """One part of a score."""

    name: str
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallHit:
    """One memory found, and why."""

    memory: Memory
    score: float
    parts: tuple[ScorePart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What was found, best first; iterates its hits."""

    hits: tuple[RecallHit, ...]
    recall_token: str = field(repr=False)

    def __iter__(self) -> Iterator[RecallHit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextCitation:
    """Which memory a mark in a text stands for."""

    mark: str
    memory: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A text for a prompt."""

    text: str = field(repr=False)
    token_count: int
    citations: tuple[ContextCitation, ...]
    recall_token: str = field(repr=False)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """A brief for the human who takes over."""

    text: str = field(repr=False)
    token_count: int
    citations: tuple[ContextCitation, ...]

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileEntry:
    """One thing that is known of a person."""

    kind: Kind
    subject: str = field(repr=False)
    slot: str = field(repr=False)
    text: str = field(repr=False)
    denied: bool
    confidence: float
    first_time: datetime | None
    last_time: datetime | None
    evidence: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """Why data may be used: what a person can be asked."""

    name: str
    title: str
    description: str
    notice: str
    notice_version: str
    retention: timedelta | None
    assistants: tuple[str, ...]
    special_category: bool
    legal_basis: str
    data_categories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A person's decision about one purpose and one assistant, or all of them."""

    name: str = field(repr=False)
    purpose: str
    assistant: str
    state: ConsentState
    create_time: datetime | None
    update_time: datetime | None
    expire_time: datetime | None
    notice_version: str
    notice_outdated: bool
    objection: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What a withdrawal ended."""

    consents: tuple[Consent, ...]
    erased_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What an import stored, and left out."""

    memory_count: int
    duplicate_count: int
    expired_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureCounts:
    """How much was erased."""

    memory_count: int
    pseudonym_count: int
    consent_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A forgetting, done or under way; does not say whom."""

    name: str
    state: ErasureState
    counts: ErasureCounts | None
    create_time: datetime | None
    complete_time: datetime | None
    key_destroy_time: datetime | None
    epoch_destroy_time: datetime | None
    epoch_due_time: datetime | None
    waits_for: str
    remaining_memory_count: int

    @property
    def done(self) -> bool:
        """Whether every copy is swept and the certificate signed."""
        return self.state == "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureCertificate:
    """What was erased and checked; `dsse_envelope` is what to keep, empty until it is done."""

    name: str
    erasure: Erasure
    dsse_envelope: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEvent:
    """Someone read or wrote a person's data."""

    name: str = field(repr=False)
    event_time: datetime | None
    assistant: str
    purpose: str
    action: Action
    memory_count: int
    denied: bool
    leaf_input: bytes = field(repr=False)
    leaf_hash: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """Whether a person's data is kept and not used."""

    name: str = field(repr=False)
    restricted: bool
    update_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLink:
    """A link to a person's page, which works once. Whoever opens it acts as the person."""

    uri: str = field(repr=False)
    expire_time: datetime | None


VALUES: Mapping[str, type] = {
    kind.__name__: kind
    for kind in (
        Affect,
        Memory,
        ScorePart,
        RecallHit,
        ContextCitation,
        ProfileEntry,
        Consent,
        Erasure,
        ErasureCounts,
    )
}
"""What stands for a message inside another, by the message's name."""
