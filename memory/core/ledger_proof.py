"""Proofs as files: all that is needed to check one offline but the deployment's key.

    {"checkpoint":NOTE,"format":"tacit-ledger-inclusion/v1","hashes":[…],"index":N,"leaf":BASE64}
    {"first":NOTE,"format":"tacit-ledger-consistency/v1","hashes":[…],"second":NOTE}

One line of ASCII JSON, keys sorted, no spaces, a line feed at the end; hashes and leaf in base64.

Rules:
- There is one way to write a proof, and no other is accepted: a file that verifies is, byte for
  byte, what `to_json` writes.
- Bounded before it is parsed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar

from memory.core.canonical import canonical
from memory.core.ledger import Checkpoint, Event, Leaf
from memory.core.merkle import verify_consistency, verify_inclusion
from memory.core.signing import Verifier
from memory.errors import SignatureError

MAX_BYTES: Final = 64 * 1024
"""A proof in a log of 2⁶³ leaves is far smaller."""

INCLUSION: Final = "tacit-ledger-inclusion/v1"
CONSISTENCY: Final = "tacit-ledger-consistency/v1"


Proof = TypeVar("Proof", bound="Inclusion | Consistency")


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That a leaf is in the log that a checkpoint signs."""

    leaf: Leaf
    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str

    def to_json(self) -> bytes:
        return _json(self.fields())

    def fields(self) -> dict[str, object]:
        """What the file says, as it also stands in an erasure certificate."""
        return {
            "checkpoint": self.checkpoint,
            "format": INCLUSION,
            "hashes": [_text(hash_) for hash_ in self.hashes],
            "index": self.index,
            "leaf": _text(self.leaf.input),
        }

    @classmethod
    def read(cls, file: bytes) -> Self:
        """Raises `SignatureError` for what is no such file."""
        fields = _fields(file, {"checkpoint": str, "hashes": list, "index": int, "leaf": str})
        try:
            hashes = tuple(base64.b64decode(hash_) for hash_ in fields["hashes"])
            leaf = Leaf(base64.b64decode(fields["leaf"]))
        except (ValueError, TypeError):
            raise SignatureError from None
        proof = cls(leaf, fields["index"], hashes, fields["checkpoint"])
        return _written_so(proof, file)

    def verify(self, verifier: Verifier) -> tuple[Event, Checkpoint]:
        """What happened, and in which log that stands; raises `SignatureError`, `ProofError`."""
        checkpoint = Checkpoint.read(self.checkpoint, verifier)
        verify_inclusion(self.leaf.hash, self.index, checkpoint.size, self.hashes, checkpoint.root)
        return self.leaf.event(), checkpoint


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the log of one checkpoint is the beginning of another's."""

    first: str
    second: str
    hashes: tuple[bytes, ...]

    def to_json(self) -> bytes:
        return _json(
            {
                "first": self.first,
                "format": CONSISTENCY,
                "hashes": [_text(hash_) for hash_ in self.hashes],
                "second": self.second,
            }
        )

    @classmethod
    def read(cls, file: bytes) -> Self:
        """Raises `SignatureError` for what is no such file."""
        fields = _fields(file, {"first": str, "second": str, "hashes": list})
        try:
            hashes = tuple(base64.b64decode(hash_) for hash_ in fields["hashes"])
        except (ValueError, TypeError):
            raise SignatureError from None
        return _written_so(cls(fields["first"], fields["second"], hashes), file)

    def verify(self, verifier: Verifier) -> tuple[Checkpoint, Checkpoint]:
        """The two; raises `SignatureError`, `ProofError`."""
        first = Checkpoint.read(self.first, verifier)
        second = Checkpoint.read(self.second, verifier)
        verify_consistency(first.size, second.size, self.hashes, first.root, second.root)
        return first, second


def _fields(file: bytes, types: Mapping[str, type]) -> dict[str, Any]:
    if len(file) > MAX_BYTES:
        raise SignatureError
    try:
        fields = json.loads(file)
    except (ValueError, RecursionError):
        raise SignatureError from None
    if not isinstance(fields, dict) or any(type(fields.get(k)) is not t for k, t in types.items()):
        raise SignatureError
    return fields


def _written_so(proof: Proof, file: bytes) -> Proof:
    if proof.to_json() != file:
        raise SignatureError
    return proof


def _json(value: Mapping[str, object]) -> bytes:
    return canonical(value) + b"\n"


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
