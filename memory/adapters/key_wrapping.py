"""What every provider's wrapped keys share: what they are bound to, and how damage is told.

A wrapped key of a provider that keeps its keys elsewhere:

    version (1)  check (8)  body (provider's own)

    0x02  PKCS#11    body: CKA_ID of the key (8)  nonce (12)  AES-256-GCM ciphertext and tag
    0x03  AWS KMS    body: the CiphertextBlob
    0x04  Vault      body: version of the transit key (4, big endian)  its ciphertext, not base64

The check is SHA-256 over `bind(version, associated data, body)`, first 8 bytes. It is no secret
and protects nothing: what the provider's own authentication refuses, it refuses. It tells a
damaged or moved key from a provider that says no, without asking the provider.

Version 0x01 is the key file's own; see `key_file.py`.

Rules:
- The associated data is `bind("tacit/v1/kek-wrap", epoch, aad)`: a wrapped key cannot pass for
  one of another epoch, person or tenant.
- Lengths are bounded before anything is parsed or sent.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Final

from memory.core.keys import bind
from memory.core.values import Secret
from memory.errors import SealError

MAX_KEY_BYTES: Final = 1024
"""Longer plaintexts are no keys; bounds what is parsed."""

PKCS11: Final = b"\x02"
AWS_KMS: Final = b"\x03"
VAULT: Final = b"\x04"

_CHECK_BYTES: Final = 8
_BODY_AT: Final = 1 + _CHECK_BYTES
_MAX_BYTES: Final = 8192
"""KMS takes no longer blob than 6,144 bytes; the others stay far below."""

MAX_EPOCH: Final = 2**32 - 1


def bound(epoch: int, aad: bytes) -> bytes:
    """The associated data of a key wrapped under `epoch`."""
    return bind(b"tacit/v1/kek-wrap", epoch.to_bytes(4, "big"), aad)


def key_bytes(key: Secret) -> bytes:
    """What is to be wrapped; `ValueError` for what is no key."""
    value = key.reveal()
    if not 0 < len(value) <= MAX_KEY_BYTES:
        raise ValueError(f"a key has 1 to {MAX_KEY_BYTES} bytes")
    return value


def pack(version: bytes, associated: bytes, body: bytes) -> bytes:
    """The wrapped key around a provider's `body`."""
    return version + _check(version, associated, body) + body


def unpack(version: bytes, associated: bytes, value: bytes) -> bytes:
    """The provider's body again.

    Raises:
        SealError: damaged, moved to another place, or another provider's.
    """
    if not _BODY_AT < len(value) <= _MAX_BYTES or not value.startswith(version):
        raise SealError("a wrapped key is damaged, or of another provider than `kek` names")
    body = value[_BODY_AT:]
    if not hmac.compare_digest(value[1:_BODY_AT], _check(version, associated, body)):
        raise damaged()
    return body


def damaged() -> SealError:
    """What every wrapped key is told that does not open in its place."""
    return SealError("a wrapped key is damaged or was moved to another place")


def _check(version: bytes, associated: bytes, body: bytes) -> bytes:
    return sha256(bind(version, associated, body)).digest()[:_CHECK_BYTES]
