"""Value objects: what flows between the steps, each with a type of its own.

Rules:
- A leak is a type error: `RawText` never fits where `PseudonymizedText`, `SealedRecord` or
  `VeiledVector` is asked for, neither for mypy nor at run time.
- What must not be printed (`RawText`, `PersonId`, `Secret`) hides itself in `repr` and refuses
  to be pickled.
- Values check themselves when made; past that point they are well formed.
"""

from __future__ import annotations

import hmac
import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType, NoReturn

import numpy as np
from numpy.typing import NDArray

from memory.core.affect import Affect
from memory.errors import InvalidArgumentError

MAX_PERSON_ID_CHARS: Final = 256
"""Longer ids are no ids; bounds what is hashed per request."""

_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9_.\-]{0,62}")
_PRINTABLE: Final = re.compile(r"[^\x00-\x1f\x7f/]+")

Vector = NDArray[np.float32]
"""One unit row of shape (d,), or a matrix (n, d)."""

PersonRef = NewType("PersonRef", bytes)
"""32 bytes: keyed hash of (tenant, person id); what SQL knows a person by."""


class _Unprintable:
    """Hides its content from `repr`, `str`, `format` and pickle, and so from copies too."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} must not be serialized")


class Secret(_Unprintable):
    """Key material. `reveal()` is the one way to the bytes.

    No dataclass: `asdict` and its like must not find a field. Comparing takes the same time
    wherever two secrets differ. Python cannot wipe memory; a secret is dropped when done.
    """

    __slots__ = ("_hidden",)
    _hidden: bytes

    def __init__(self, value: bytes) -> None:
        object.__setattr__(self, "_hidden", bytes(value))

    def reveal(self) -> bytes:
        return self._hidden

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._hidden, other._hidden)

    def __hash__(self) -> int:
        return hash((Secret, self._hidden))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a secret cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a secret cannot be changed")


@dataclass(frozen=True, slots=True, repr=False)
class PersonId(_Unprintable):
    """The person as the tenant names them: personal data, never stored or logged."""

    value: str

    def __post_init__(self) -> None:
        if not 0 < len(self.value) <= MAX_PERSON_ID_CHARS or not _PRINTABLE.fullmatch(self.value):
            raise InvalidArgumentError(
                "person",
                f"must be 1 to {MAX_PERSON_ID_CHARS} printable characters without '/'",
            )


@dataclass(frozen=True, slots=True)
class _Slug:
    """A short name made for machines: lower case, digits, '_', '-', '.'; 1 to 63 characters."""

    value: str

    def __post_init__(self) -> None:
        if not _SLUG.fullmatch(self.value):
            raise InvalidArgumentError(
                type(self).__name__.removesuffix("Id").lower(),
                "must be 1 to 63 of a-z, 0-9, '_', '-', '.', and start with a letter or digit",
            )

    def __str__(self) -> str:
        return self.value


class TenantId(_Slug):
    """Who runs the assistants; comes from the credential."""


class AssistantId(_Slug):
    """Which assistant acts; comes from the credential's `client_id`."""


class PurposeId(_Slug):
    """Why data is used; an entry of the tenant's registry."""


@dataclass(frozen=True, slots=True)
class SubjectId:
    """16 random bytes: one stay of one person. Someone who returns after Forget gets another."""

    value: bytes

    def __post_init__(self) -> None:
        if len(self.value) != 16:
            raise ValueError("a subject id has 16 bytes")

    def __str__(self) -> str:
        return self.value.hex()


@dataclass(frozen=True, slots=True)
class RecordId:
    """16 random bytes (UUID v4), the name of a memory."""

    value: bytes

    def __post_init__(self) -> None:
        if len(self.value) != 16:
            raise ValueError("a record id has 16 bytes")

    @classmethod
    def parse(cls, text: str) -> RecordId:
        """The id out of its wire form (32 hex digits, or a UUID with dashes)."""
        try:
            return cls(uuid.UUID(text).bytes)
        except ValueError:
            raise InvalidArgumentError("name", "the memory id must be a UUID") from None

    def __str__(self) -> str:
        return self.value.hex()


@dataclass(frozen=True, slots=True, repr=False)
class RawText(_Unprintable):
    """What a person said. Seen by the detector and the seal, by nothing else."""

    value: str


@dataclass(frozen=True, slots=True)
class PseudonymizedText:
    """A text in which everything the detector found is replaced. Made by `core.pseudonyms`."""

    value: str


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """Bytes of `core.record_format`: authenticated, padded, worthless without the key."""

    value: bytes


@dataclass(frozen=True, slots=True, eq=False)
class VeiledVector:
    """A vector after `core.veil`: the only kind the index accepts. Shape (d,), float32."""

    value: Vector


@dataclass(frozen=True, slots=True)
class Span:
    """Personal data in a text: characters [start, end), an entity type, a score in 0..1."""

    start: int
    end: int
    entity_type: str
    score: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError("a span needs 0 <= start < end")


class MemoryKind(StrEnum):
    """What a memory is; the wire's `Memory.Kind`."""

    MESSAGE = "message"
    FACT = "fact"
    PREFERENCE = "preference"
    EVENT = "event"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the credential says. `person` is set when the token is a person's."""

    tenant: TenantId
    assistant: AssistantId
    scopes: frozenset[str]
    person: PersonId | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """One use of a person's memories: who asks, about whom, and why."""

    caller: Caller
    person: PersonId
    purpose: PurposeId


@dataclass(frozen=True, slots=True)
class MemoryContent:
    """The part of a memory that is sealed. `text` carries pseudonyms in place of names; `until` and
    `supersedes` are what whoever stored it said of its validity, `importance` (0..1) of its weight.
    """

    text: PseudonymizedText
    speaker: PseudonymizedText | None = None
    session: str = ""
    event_time: datetime | None = None
    labels: dict[str, str] = field(default_factory=dict)
    affect: Affect | None = None
    sources: tuple[RecordId, ...] = ()
    until: datetime | None = None
    supersedes: tuple[RecordId, ...] = ()
    importance: float | None = None
