"""What the ledger's leaves and checkpoints say, byte for byte (docs/ledger.md).

    leaf input   u8(1) ‖ salt (32) ‖ bind(id, time, tenant, assistant, purpose, action, …)
    checkpoint   C2SP tlog-checkpoint in a signed note, with its time in one extension line

Rules:
- A leaf's salt is HMAC-SHA256 of the event's id under the ledger key of the person it is about, or
  of the deployment for what operators do. Only the leaf's hash enters the tree: without the salt it
  says nothing of person, tenant or event, and once the person's key is gone, nobody has the salt.
- Both formats are read as strictly as they are written.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from memory.core.keys import bind, mac
from memory.core.merkle import HASH_BYTES, leaf_hash
from memory.core.micros import from_micros, to_micros
from memory.core.signing import Signer, Verifier
from memory.core.values import RecordId, Secret, TenantId
from memory.errors import InvalidArgumentError, SignatureError

SALT_BYTES: Final = 32

_VERSION: Final = b"\x01"
_FIELDS: Final = 8
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Event:
    """What one leaf says happened. Names are texts: what was valid then may not be now."""

    id: bytes
    at: datetime
    tenant: str
    assistant: str
    purpose: str
    action: str
    count: int
    denied: bool

    def leaf(self, key: Secret) -> Leaf:
        """The event salted under the ledger key of whom it is about."""
        salt = mac(key.reveal(), self.id)
        return Leaf(_VERSION + salt + self._encoded())

    def _encoded(self) -> bytes:
        return bind(
            self.id,
            to_micros(self.at).to_bytes(8, "big"),
            self.tenant.encode(),
            self.assistant.encode(),
            self.purpose.encode(),
            self.action.encode(),
            self.count.to_bytes(4, "big"),
            bytes([self.denied]),
        )


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf's input: what its person may keep and show; the tree holds `hash` alone."""

    input: bytes

    @property
    def hash(self) -> bytes:
        return leaf_hash(self.input)

    def event(self) -> Event:
        """What it says; raises `SignatureError` for what no ledger wrote."""
        fields = _unbind(self.input[1 + SALT_BYTES :])
        try:
            id_, at, tenant, assistant, purpose, action, count, denied = fields
            RecordId(id_)
            TenantId(tenant.decode())
            event = Event(
                id=id_,
                at=from_micros(int.from_bytes(at, "big")),
                tenant=tenant.decode(),
                assistant=assistant.decode(),
                purpose=purpose.decode(),
                action=action.decode(),
                count=int.from_bytes(count, "big"),
                denied=denied == b"\x01",
            )
            good = _VERSION + self.input[1 : 1 + SALT_BYTES] + event._encoded() == self.input
        except (ValueError, OverflowError, InvalidArgumentError):
            raise SignatureError from None
        if not good:
            raise SignatureError
        return event


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How the log stood when it was signed."""

    origin: str
    size: int
    root: bytes
    at: datetime

    def sign(self, signer: Signer) -> str:
        """As a signed note; `at` in whole seconds."""
        root = base64.b64encode(self.root).decode()
        text = f"{self.origin}\n{self.size}\n{root}\ntime {self.at.strftime(_TIME)}\n"
        return signer.note(text)

    @classmethod
    def read(cls, note: str, verifier: Verifier) -> Self:
        """Out of a signed note; raises `SignatureError`."""
        lines = verifier.note(note).split("\n")
        if len(lines) != 5 or lines[0] != verifier.name or not _NUMBER.fullmatch(lines[1]):
            raise SignatureError
        try:
            root = base64.b64decode(lines[2], validate=True)
            at = datetime.strptime(lines[3], f"time {_TIME}").replace(tzinfo=UTC)
        except (ValueError, binascii.Error):
            raise SignatureError from None
        if len(root) != HASH_BYTES:
            raise SignatureError
        return cls(lines[0], int(lines[1]), root, at)


def own_checkpoint(note: str, verifier: Verifier) -> Checkpoint:
    """A checkpoint signed by this key under whatever name: a deployment may have been renamed."""
    return Checkpoint.read(note, Verifier(note.partition("\n")[0], verifier.public))


def _unbind(raw: bytes) -> list[bytes]:
    fields: list[bytes] = []
    while raw and len(fields) < _FIELDS:
        length = int.from_bytes(raw[:4], "big")
        fields.append(raw[4 : 4 + length])
        raw = raw[4 + length :]
    return fields
