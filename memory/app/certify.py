"""Certify: the signed intent when an erasure is accepted, the signed certificate when it is swept.

Rules:
- Signed with the deployment's key, under the name that everything it signs is signed under.
- A certificate is issued again when the key epoch is destroyed after it: the later one says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from memory.app.keyring import Keyring
from memory.core.certificate import (
    CERTIFICATE_TYPE,
    INTENT_TYPE,
    Custody,
    intent,
    pseudonym,
    statement,
)
from memory.core.erasure import ErasureRow, ErasureState
from memory.core.signing import Signer
from memory.core.values import PersonRef
from memory.ports import Clock


@dataclass(frozen=True, slots=True)
class Certify:
    """Signs what is said of an erasure."""

    keyring: Keyring
    signer: Signer
    custody: Custody
    clock: Clock

    def named(self, erasure: ErasureRow, ref: PersonRef, *, by_person: bool) -> ErasureRow:
        """The erasure with the person's pseudonym and the signed intent."""
        key = self.keyring.deployment.certificates
        named = replace(erasure, pseudonym=pseudonym(key, erasure.tenant, ref, erasure.id))
        return replace(named, intent=self.signer.dsse(intent(named, by_person), INTENT_TYPE))

    def nothing_there(self, erasure: ErasureRow) -> ErasureRow:
        """Done at once: there was nobody, or nothing, to erase."""
        now = self.clock()
        done = replace(erasure, swept_at=now, key_destroyed_at=now)
        return self(replace(done, state=ErasureState.DONE, finished_at=now))

    def __call__(self, erasure: ErasureRow) -> ErasureRow:
        """The erasure with its certificate as of now."""
        said = statement(erasure, self.custody, self.clock())
        return replace(erasure, certificate=self.signer.dsse(said, CERTIFICATE_TYPE))
