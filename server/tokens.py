"""Token keys: the server's own signing key, other issuers' key sets, and tokens made from them.

    signing key   PKCS#8 PEM of an Ed25519 key, mode 0600, made on first start
    key set       JWKS (RFC 7517) with OKP/Ed25519 keys, each with a `kid`
    kid           for the server's own key: its RFC 7638 thumbprint

Rules:
- A key file that exists is read or refused, never replaced.
- The key is written whole or not at all, and is never readable by others.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from memory.core import signing
from memory.core.values import AssistantId, PersonId, TenantId
from memory.errors import ConfigurationError
from server.auth import ALGORITHM


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """Makes tokens; `public` is what a verifier needs."""

    private: Ed25519PrivateKey

    @property
    def kid(self) -> str:
        """Its RFC 7638 thumbprint."""
        return thumbprint(self.public)

    @property
    def public(self) -> Ed25519PublicKey:
        return self.private.public_key()

    def mint(
        self,
        *,
        issuer: str,
        audience: str,
        tenant: TenantId,
        assistant: AssistantId,
        scopes: Iterable[str],
        lifetime: timedelta,
        person: PersonId | None = None,
    ) -> str:
        """A signed token; with `person`, it is that person's own."""
        now = int(time.time())
        claims = {
            "iss": issuer,
            "aud": audience,
            "iat": now,
            "exp": now + int(lifetime.total_seconds()),
            "jti": secrets.token_hex(8),
            "tenant": tenant.value,
            "client_id": assistant.value,
            "scope": " ".join(sorted(scopes)),
        }
        if person is not None:
            claims["sub"] = person.value
        return jwt.encode(claims, self.private, algorithm=ALGORITHM, headers={"kid": self.kid})


def thumbprint(key: Ed25519PublicKey) -> str:
    """RFC 7638 over the key's JWK (RFC 8037, appendix A.3)."""
    return signing.thumbprint(key.public_bytes_raw())


def load_signing_key(path: Path) -> SigningKey:
    """The key in the file.

    Raises:
        ConfigurationError: missing, unreadable, or not an Ed25519 key.
    """
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigurationError(f"token key {path}: {error.strerror}") from None
    except (ValueError, TypeError):
        raise ConfigurationError(f"token key {path}: not a PEM private key") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigurationError(f"token key {path}: must be an Ed25519 key")
    return SigningKey(private)


def load_or_make_signing_key(path: Path) -> SigningKey:
    """The key in the file, which is made when there is none. Errors as `load_signing_key`."""
    if not path.exists():
        _write_new(path, Ed25519PrivateKey.generate())
    return load_signing_key(path)


def load_key_set(path: Path) -> dict[str, Ed25519PublicKey]:
    """Another issuer's keys, by `kid`.

    Raises:
        ConfigurationError: missing, not a JWKS, or without an Ed25519 key.
    """
    try:
        key_set = jwt.PyJWKSet.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"key set {path}: {error.strerror}") from None
    except (ValueError, AttributeError, TypeError, jwt.PyJWTError):
        raise ConfigurationError(f"key set {path}: not a JWKS file") from None
    keys = {
        jwk.key_id: jwk.key
        for jwk in key_set.keys
        if jwk.key_id and isinstance(jwk.key, Ed25519PublicKey)
    }
    if not keys:
        raise ConfigurationError(f"key set {path}: holds no Ed25519 public key with a kid")
    return keys


def _write_new(path: Path, private: Ed25519PrivateKey) -> None:
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # unlike a rename, fails if another process was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    except OSError as error:
        raise ConfigurationError(f"token key {path}: {error.strerror}") from None
