"""What the deployment signs, and how anyone checks it offline: Ed25519 (RFC 8032), three envelopes.

    checkpoints    C2SP signed note      text, blank line, "— name base64(key hash ‖ signature)"
    receipts       compact JWS           RFC 7515 with EdDSA (RFC 8037)
    certificates   DSSE v1.0             JSON, over the payload and its type

The public key travels as a C2SP verifier key, `name+hash+base64`: one line to publish and compare.

Rules:
- Strict both ways: what is accepted is byte for byte what signing would have written, but for the
  payload. No second base64 spelling, no other order of keys, no added space.
- What does not verify says only that (`SignatureError`), never what was in it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from memory.core.canonical import canonical
from memory.core.values import Secret
from memory.errors import InvalidArgumentError, SignatureError

_ED25519: Final = b"\x01"
"""The signature type of C2SP signed notes."""

_NAME: Final = re.compile(r"[^\s+]{1,255}")
_VERIFIER_KEY: Final = re.compile(r"([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")
_SIGNATURE_LINE: Final = "\u2014 "


@dataclass(frozen=True)
class Verifier:
    """A public key and the name it signs under. `str()` is the line to publish."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, line: str) -> Self:
        """From a C2SP verifier key; raises `InvalidArgumentError`."""
        match = _VERIFIER_KEY.fullmatch(line.strip())
        raw = _base64(match[3]) if match else None
        if match is None or raw is None or raw[:1] != _ED25519 or len(raw) != 33:
            raise InvalidArgumentError("key", "must be a verifier key like NAME+HASH+BASE64")
        verifier = cls(match[1], raw[1:])
        if verifier.hash.hex() != match[2]:
            raise InvalidArgumentError("key", "the hash in it does not fit: it was cut or changed")
        return verifier

    def __str__(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{_text(_ED25519 + self.public)}"

    @cached_property
    def hash(self) -> bytes:
        """The key hash of C2SP signed notes, 4 bytes."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    @cached_property
    def key_id(self) -> str:
        """RFC 7638 thumbprint of the key's JWK: `kid` of a JWS, `keyid` of DSSE."""
        return thumbprint(self.public)

    def note(self, signed: str) -> str:
        """The text of a signed note, its line feed included; raises `SignatureError`."""
        text, blank, line = signed.rpartition("\n\n")
        text += "\n"
        head = f"{_SIGNATURE_LINE}{self.name} "
        raw = _base64(line.removeprefix(head).removesuffix("\n"))
        if not blank or not line.startswith(head) or not line.endswith("\n") or raw is None:
            raise SignatureError
        if raw[:4] != self.hash:
            raise SignatureError
        self._check(raw[4:], text.encode())
        return text

    def jws(self, token: str, typ: str) -> bytes:
        """The payload of a compact JWS of this type; raises `SignatureError`."""
        parts = token.split(".")
        decoded = [_base64(part, url=True) for part in parts]
        if len(parts) != 3 or decoded[0] != self.jws_header(typ):
            raise SignatureError
        payload, signature = decoded[1], decoded[2]
        if payload is None or signature is None:
            raise SignatureError
        self._check(signature, f"{parts[0]}.{parts[1]}".encode())
        return payload

    def jws_header(self, typ: str) -> bytes:
        """The protected header that a JWS of this type carries."""
        return canonical({"alg": "EdDSA", "kid": self.key_id, "typ": typ})

    def dsse(self, envelope: bytes, payload_type: str) -> bytes:
        """The payload of a DSSE envelope of this type; raises `SignatureError`."""
        try:
            fields = json.loads(envelope)
            payload = _base64(fields["payload"])
            signature = _base64(fields["signatures"][0]["sig"])
        except (ValueError, TypeError, LookupError, RecursionError):
            raise SignatureError from None
        if payload is None or signature is None:
            raise SignatureError
        if envelope != _dsse(payload, payload_type, signature, self.key_id):
            raise SignatureError
        self._check(signature, _pae(payload_type, payload))
        return payload

    def detached(self, signature: bytes, message: bytes) -> None:
        """Checks a bare signature, 64 bytes; raises `SignatureError`."""
        self._check(signature, message)

    def _check(self, signature: bytes, message: bytes) -> None:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            raise SignatureError from None


class Signer:
    """Signs under `name`, which says whose deployment it is, such as `memory.example.org`."""

    def __init__(self, name: str, seed: Secret) -> None:
        """`seed` is the 32-byte private key; raises `InvalidArgumentError` for a bad name."""
        if not _NAME.fullmatch(name):
            raise InvalidArgumentError("name", "must not be empty or contain white space or '+'")
        self._private = Ed25519PrivateKey.from_private_bytes(seed.reveal())
        self.verifier = Verifier(name, self._private.public_key().public_bytes_raw())

    def note(self, text: str) -> str:
        """A signed note; `text` ends with a line feed and holds no control character but that."""
        assert text.endswith("\n")
        signature = self.verifier.hash + self._private.sign(text.encode())
        return f"{text}\n{_SIGNATURE_LINE}{self.verifier.name} {_text(signature)}\n"

    def jws(self, payload: bytes, typ: str) -> str:
        """A compact JWS."""
        signed = f"{_url_text(self.verifier.jws_header(typ))}.{_url_text(payload)}"
        return f"{signed}.{_url_text(self._private.sign(signed.encode()))}"

    def dsse(self, payload: bytes, payload_type: str) -> bytes:
        """A DSSE envelope."""
        signature = self._private.sign(_pae(payload_type, payload))
        return _dsse(payload, payload_type, signature, self.verifier.key_id)

    def detached(self, message: bytes) -> bytes:
        """A bare signature, 64 bytes."""
        return self._private.sign(message)


def thumbprint(public: bytes) -> str:
    """RFC 7638 over the JWK of an Ed25519 key of 32 bytes (RFC 8037, appendix A.3)."""
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": _url_text(public)}
    return _url_text(hashlib.sha256(canonical(jwk)).digest())


def _dsse(payload: bytes, payload_type: str, signature: bytes, key_id: str) -> bytes:
    signatures = [{"keyid": key_id, "sig": _text(signature)}]
    return canonical(
        {"payload": _text(payload), "payloadType": payload_type, "signatures": signatures}
    )


def _pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _url_text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _base64(text: str, *, url: bool = False) -> bytes | None:
    """The bytes, or None unless `text` is the one spelling of them."""
    try:
        padded = text + "=" * (-len(text) % 4) if url else text
        raw = base64.b64decode(padded, altchars=b"-_" if url else None, validate=True)
    except (ValueError, binascii.Error):
        return None
    return raw if text == (_url_text(raw) if url else _text(raw)) else None
