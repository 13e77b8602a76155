"""Sealed record, version 1: authenticated, key-committing, padded.

    offset  bytes  what
    0       1      version, 0x01
    1       4      key version, big endian
    5       32     salt, random
    37      32     key commitment
    69      n+16   AES-256-GCM ciphertext and tag

From the salt, HKDF-SHA512 (RFC 5869) with the associated data in `info` gives 76 bytes:
key (32), nonce (12), commitment (32). The associated data is the version, tenant, subject,
record id, field and key version, each length-prefixed; it enters the key derivation *and* the
GCM tag, so a record that was moved or relabelled fails twice. Because the commitment is checked
first, no ciphertext opens under two keys.

The plaintext is a 4-byte big-endian length, the content, and zeros up to a Padmé length
(Nikitin et al., PETS 2019: at most 12 % more; the length of the result tells only the magnitude).

The whole of it, with the keys above it and what is inside, is in docs/format.md.

Rules:
- Lengths are bounded before anything is parsed or decrypted.
- Every failure is the same `SealError`: it says that, never what, did not fit.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from memory.core.keys import PersonKeys, bind
from memory.core.values import SealedRecord, Secret
from memory.errors import SealError

VERSION: Final = 1
SALT_BYTES: Final = 32
_COMMITMENT_BYTES: Final = 32
_TAG_BYTES: Final = 16
_HEADER: Final = 1 + 4 + SALT_BYTES + _COMMITMENT_BYTES
_LENGTH_BYTES: Final = 4

MAX_CONTENT_BYTES: Final = 4 * 1024 * 1024
"""No field comes near it; bounds what a forged row can make us allocate."""

_MIN_SEALED: Final = _HEADER + _LENGTH_BYTES + _TAG_BYTES


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record belongs: the row and the field that it may be opened in."""

    record: bytes
    field: str


def padme(length: int) -> int:
    """The padded length for `length` bytes: only the leading bits of it survive."""
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (length + mask) & ~mask


def _aad(keys: PersonKeys, place: Place) -> bytes:
    return bind(
        bytes([VERSION]),
        keys.tenant.value.encode(),
        keys.subject.value,
        place.record,
        place.field.encode(),
        keys.version.to_bytes(4, "big"),
    )


def _schedule(key: Secret, salt: bytes, aad: bytes) -> tuple[bytes, bytes, bytes]:
    """Key (32), nonce (12) and commitment (32) of one record."""
    okm = HKDF(algorithm=SHA512(), length=76, salt=salt, info=b"tacit/v1/seal" + aad).derive(
        key.reveal()
    )
    return okm[:32], okm[32:44], okm[44:]


def seal(keys: PersonKeys, key: Secret, place: Place, content: bytes, salt: bytes) -> SealedRecord:
    """Seals `content` for `place` under `key` (one of `keys`).

    Args:
        salt: 32 random bytes, never used twice; the nonce comes from it.

    Raises:
        ValueError: the content is over `MAX_CONTENT_BYTES` or the salt has another length.
    """
    if len(content) > MAX_CONTENT_BYTES or len(salt) != SALT_BYTES:
        raise ValueError("content too long, or a salt of another length than 32 bytes")
    aad = _aad(keys, place)
    record_key, nonce, commitment = _schedule(key, salt, aad)
    framed = len(content).to_bytes(_LENGTH_BYTES, "big") + content
    framed += bytes(padme(len(framed)) - len(framed))
    sealed = AESGCM(record_key).encrypt(nonce, framed, aad)
    header = bytes([VERSION]) + keys.version.to_bytes(4, "big") + salt + commitment
    return SealedRecord(header + sealed)


def unseal(keys: PersonKeys, key: Secret, place: Place, sealed: SealedRecord) -> bytes:
    """The content of a record sealed for exactly this place.

    Raises:
        SealError: changed, moved, truncated, another key, or an unknown version.
    """
    data = sealed.value
    longest = _HEADER + padme(_LENGTH_BYTES + MAX_CONTENT_BYTES) + _TAG_BYTES
    if not _MIN_SEALED <= len(data) <= longest or data[0] != VERSION:
        raise SealError("a sealed record has another size or version than this program writes")
    if int.from_bytes(data[1:5], "big") != keys.version:
        raise SealError("a sealed record names another key version than its person's")
    salt = data[5 : 5 + SALT_BYTES]
    aad = _aad(keys, place)
    record_key, nonce, commitment = _schedule(key, salt, aad)
    if not hmac.compare_digest(commitment, data[_HEADER - _COMMITMENT_BYTES : _HEADER]):
        raise SealError("a sealed record does not belong to this key and place")
    try:
        framed = AESGCM(record_key).decrypt(nonce, data[_HEADER:], aad)
    except InvalidTag:
        raise SealError("a sealed record was changed") from None
    length = int.from_bytes(framed[:_LENGTH_BYTES], "big")
    end = _LENGTH_BYTES + length
    if end > len(framed) or padme(end) != len(framed) or any(framed[end:]):
        raise SealError("a sealed record is padded in another way than this program pads")
    return framed[_LENGTH_BYTES:end]


def commits_to(keys: PersonKeys, key: Secret, place: Place, sealed: SealedRecord) -> bool:
    """Whether a record was sealed for this place under this key, without opening it."""
    data = sealed.value
    if len(data) < _MIN_SEALED or data[0] != VERSION:
        return False
    _, _, commitment = _schedule(key, data[5 : 5 + SALT_BYTES], _aad(keys, place))
    return hmac.compare_digest(commitment, data[_HEADER - _COMMITMENT_BYTES : _HEADER])
