"""The key hierarchy below the key-encryption key: who derives what, and what each is bound to.

    KEK epoch (provider) ─wraps─▶ deployment root ─HKDF─▶ person-ref, page-token, certificate and
                                                         signing key
    KEK epoch (provider) ─wraps─▶ person root K_u  ─HKDF─▶ record, vault, blind-index, veil key

A person whose key was rotated has a second key beside the root, wrapped with it: the one under
which request ids were remembered and events salted from the start. Those ids are nowhere kept and
the ledger is never rewritten, so neither can be made anew.

Rules:
- HKDF-SHA512 (RFC 5869) with one fixed `info` label per use: no key serves two ends.
- A wrapped key authenticates tenant, person, subject and key version: moved to another row, it
  does not unwrap.
- Fields of associated data are length-prefixed, so that no two lists of fields read alike.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Final, Self

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from memory.core.values import PersonId, PersonRef, Secret, SubjectId, TenantId
from memory.errors import SealError

KEY_BYTES: Final = 32

_LABEL: Final = b"tacit/v1/"


def bind(*fields: bytes) -> bytes:
    """Associated data: each field behind its length as 4 bytes, big endian."""
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def derive(root: Secret, use: str) -> Secret:
    """The 32-byte key for one use."""
    hkdf = HKDF(algorithm=SHA512(), length=KEY_BYTES, salt=None, info=_LABEL + use.encode())
    return Secret(hkdf.derive(root.reveal()))


def expand(key: Secret, info: bytes, length: int) -> bytes:
    """RFC 5869's Expand step over SHA-512; `key` must be uniformly random already."""
    return HKDFExpand(algorithm=SHA512(), length=length, info=info).derive(key.reveal())


def mac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104). Not by `hmac.digest`: it lets go of Python's lock for a microsecond
    of work, and under load waits much longer to get it back.
    """
    return hmac.new(key, message, sha256).digest()


@dataclass(frozen=True)
class DeploymentKeys:
    """What the deployment's root opens: no content, only how people are looked up."""

    root: Secret

    @cached_property
    def _person_ref(self) -> bytes:
        return derive(self.root, "person-ref").reveal()

    @cached_property
    def page_tokens(self) -> Secret:
        return derive(self.root, "page-token")

    @cached_property
    def certificates(self) -> Secret:
        """What people are called in erasure certificates."""
        return derive(self.root, "certificate")

    @cached_property
    def signing(self) -> Secret:
        """The seed of the Ed25519 key for receipts, exports, checkpoints and certificates."""
        return derive(self.root, "signing")

    @cached_property
    def ledger(self) -> Secret:
        """The key of the salts of operator events."""
        return derive(self.root, "ledger")

    def person_ref(self, tenant: TenantId, person: PersonId) -> PersonRef:
        """HMAC-SHA256 of tenant and person id: unguessable without the root."""
        message = bind(tenant.value.encode(), person.value.encode())
        return PersonRef(mac(self._person_ref, message))


@dataclass(frozen=True)
class PersonKeys:
    """What one person's root opens. Destroy the root, and all of it is noise."""

    tenant: TenantId
    subject: SubjectId
    version: int
    root: Secret
    carried: Secret | None = None
    """The key of request tags and salts, from before the first rotation of this person's key."""

    @classmethod
    def opened(cls, tenant: TenantId, subject: SubjectId, version: int, secret: Secret) -> Self:
        """From what was wrapped. Raises `SealError` if that is no root."""
        value = secret.reveal()
        if len(value) not in {KEY_BYTES, 2 * KEY_BYTES}:
            raise SealError("a wrapped key holds something else than a person's root")
        root, carried = Secret(value[:KEY_BYTES]), Secret(value[KEY_BYTES:])
        return cls(tenant, subject, version, root, carried if carried.reveal() else None)

    def to_wrap(self) -> Secret:
        """What is wrapped: the root, and behind it what is carried."""
        return Secret(self.root.reveal() + (self.carried.reveal() if self.carried else b""))

    def successor(self, root: Secret) -> Self:
        """The keys of the next version, under another root."""
        requests = self.carried or self.blind_index
        return type(self)(self.tenant, self.subject, self.version + 1, root, requests)

    @cached_property
    def record(self) -> Secret:
        return derive(self.root, "record")

    @cached_property
    def vault(self) -> Secret:
        return derive(self.root, "vault")

    @cached_property
    def blind_index(self) -> Secret:
        return derive(self.root, "blind-index")

    @cached_property
    def veil(self) -> Secret:
        return derive(self.root, "veil")

    @cached_property
    def ledger(self) -> Secret:
        """The key of the salts of this person's events; it outlives every rotation."""
        return derive(self.carried or self.blind_index, "ledger")

    def tag(self, use: str, value: str) -> bytes:
        """16 bytes by which SQL can find an equal value of this person without knowing it."""
        return _tag(self.blind_index, use, value)

    def request_tag(self, value: str) -> bytes:
        """The same of a request id; it outlives every rotation."""
        return self.lasting_tag("request", value)

    def lasting_tag(self, use: str, value: str) -> bytes:
        """16 bytes as `tag`, which stay the same when the person's key is rotated."""
        return _tag(self.carried or self.blind_index, use, value)


def _tag(key: Secret, use: str, value: str) -> bytes:
    return mac(key.reveal(), bind(use.encode(), value.encode()))[:16]


def root_aad(tenant: TenantId, ref: PersonRef, subject: SubjectId, version: int) -> bytes:
    """What a person's wrapped root is bound to."""
    return bind(
        b"tacit/v1/person-root",
        tenant.value.encode(),
        ref,
        subject.value,
        version.to_bytes(4, "big"),
    )


DEPLOYMENT_AAD: Final = bind(b"tacit/v1/deployment-root")
"""What the deployment's wrapped root is bound to."""
