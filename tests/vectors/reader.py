"""A reader of Tacit's formats, written from docs/format.md alone.

It imports nothing of Tacit. Of a library it takes only AES-256-GCM; HKDF is written out below.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Unreadable(Exception):
    """Not what the page says."""


def bind(*fields: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(field)) + field for field in fields)


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def hkdf(ikm: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 over SHA-512."""
    prk = hmac.new(salt or bytes(64), ikm, hashlib.sha512).digest()
    okm, block = b"", b""
    for counter in range(1, 256):
        if len(okm) >= length:
            break
        block = hmac.new(prk, block + info + bytes([counter]), hashlib.sha512).digest()
        okm += block
    return okm[:length]


def key(root: bytes, use: str) -> bytes:
    return hkdf(root, b"", b"tacit/v1/" + use.encode(), 32)


def key_file(data: bytes) -> dict[int, bytes | None]:
    """The KEK of each epoch; None for a destroyed one."""
    magic, version, slots = struct.unpack(">8sHH", data[:12])
    if (magic, version) != (b"TACITKEK", 1) or data[12:32] != bytes(20):
        raise Unreadable("header")
    if hashlib.sha256(data[:32]).digest() != data[32:64] or len(data) != 64 * (1 + slots):
        raise Unreadable("header digest or length")
    keys: dict[int, bytes | None] = {}
    for start in range(64, len(data), 64):
        slot = data[start : start + 64]
        epoch, state = struct.unpack(">IB", slot[:5])
        if hashlib.sha256(slot[:40]).digest()[:24] != slot[40:] or state not in (1, 2):
            raise Unreadable("slot")
        keys[epoch] = slot[8:40] if state == 1 else None
    return keys


def associated(epoch: int, aad: bytes) -> bytes:
    return bind(b"tacit/v1/kek-wrap", struct.pack(">I", epoch), aad)


def unwrap(kek: bytes, epoch: int, wrapped: bytes, aad: bytes) -> bytes:
    """A key wrapped by a key file."""
    if wrapped[0] != 1 or wrapped[1:9] != hmac_sha256(kek, b"tacit/v1/kek-id")[:8]:
        raise Unreadable("version or key id")
    return AESGCM(kek).decrypt(wrapped[9:21], wrapped[21:], associated(epoch, aad))


def behind_the_check(wrapped: bytes, epoch: int, aad: bytes) -> bytes:
    """What a provider elsewhere made of a key."""
    body = wrapped[9:]
    check = hashlib.sha256(bind(wrapped[:1], associated(epoch, aad), body)).digest()[:8]
    if wrapped[0] not in (2, 3, 4) or check != wrapped[1:9]:
        raise Unreadable("check")
    return body


def deployment_aad() -> bytes:
    return bind(b"tacit/v1/deployment-root")


def person_aad(tenant: str, ref: bytes, subject: bytes, version: int) -> bytes:
    fields = (b"tacit/v1/person-root", tenant.encode(), ref, subject, struct.pack(">I", version))
    return bind(*fields)


@dataclass(frozen=True)
class Person:
    """A person's keys, from what was wrapped."""

    tenant: str
    subject: bytes
    version: int
    secret: bytes

    @property
    def root(self) -> bytes:
        return self.secret[:32]

    @property
    def request_key(self) -> bytes:
        return self.secret[32:] or key(self.root, "blind-index")

    def session_tag(self, session: str) -> bytes:
        message = bind(b"session", session.encode())
        return hmac_sha256(key(self.root, "blind-index"), message)[:16]

    def request_tag(self, assistant: str, request_id: str) -> bytes:
        message = bind(b"request", f"{assistant}/{request_id}".encode())
        return hmac_sha256(self.request_key, message)[:16]

    def alias(self, kind: str, form: str) -> bytes:
        return hashlib.blake2b(
            f"{kind}|{form}".encode(),
            digest_size=16,
            key=key(self.root, "blind-index"),
            person=b"tacit/v1/alias",
        ).digest()

    def unseal(self, record: bytes, field: str, sealed: bytes) -> bytes:
        use = "record" if field in ("body", "features") else "vault"
        version = struct.pack(">I", self.version)
        if sealed[0] != 1 or sealed[1:5] != version:
            raise Unreadable("version")
        aad = bind(b"\x01", self.tenant.encode(), self.subject, record, field.encode(), version)
        okm = hkdf(key(self.root, use), sealed[5:37], b"tacit/v1/seal" + aad, 76)
        if okm[44:] != sealed[37:69]:
            raise Unreadable("commitment")
        padded = AESGCM(okm[:32]).decrypt(okm[32:44], sealed[69:], aad)
        end = 4 + int(struct.unpack(">I", padded[:4])[0])
        if padded_length(end) != len(padded) or any(padded[end:]):
            raise Unreadable("padding")
        return padded[4:end]


def padded_length(length: int) -> int:
    if length < 2:
        return length
    e = length.bit_length() - 1
    s = e.bit_length()
    step: int = 2 ** (e - s)
    return -(-length // step) * step


def person_ref(deployment_root: bytes, tenant: str, person: str) -> bytes:
    message = bind(tenant.encode(), person.encode())
    return hmac_sha256(key(deployment_root, "person-ref"), message)


def features(data: bytes) -> tuple[list[float], dict[str, Any]]:
    """The vector, and the rest."""
    version, dimensions = struct.unpack(">BH", data[:3])
    if version != 1:
        raise Unreadable("features version")
    end = 3 + 2 * dimensions
    return list(struct.unpack(f"<{dimensions}e", data[3:end])), json.loads(data[end:])
