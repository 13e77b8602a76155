"""Certify: the signed intent when an erasure is accepted, the signed certificate when it is swept.

Rules:
- Signed with the deployment's key, under the name that everything it signs is signed under.
- What was swept stands in the ledger, and the certificate carries the proof of it. An erasure that
  found nobody and nothing has no entry.
- A certificate is issued again when the key epoch is destroyed after it: the later one says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from memory.app.keyring import Keyring
from memory.app.leaves import operator_leaf
from memory.app.ledger import ENGINE
from memory.app.proofs import Proofs
from memory.core.certificate import (
    CERTIFICATE_TYPE,
    INTENT_TYPE,
    Custody,
    intent,
    pseudonym,
    statement,
)
from memory.core.erasure import ErasureRow, ErasureState
from memory.core.ledger_proof import Inclusion
from memory.core.signing import Signer
from memory.core.values import PersonRef
from memory.errors import NotFoundError
from memory.ports import Clock, OperatorAction, OperatorEvent


def entry(erasure: ErasureRow) -> OperatorEvent:
    """What the ledger says of an erasure that is swept: the same whenever it is asked for."""
    assert erasure.swept_at is not None
    return OperatorEvent(
        id=erasure.id,
        at=erasure.swept_at,
        tenant=erasure.tenant,
        assistant=ENGINE,
        action=OperatorAction.ERASED,
        count=erasure.memories,
    )


@dataclass(frozen=True, slots=True)
class Certify:
    """Signs what is said of an erasure."""

    keyring: Keyring
    signer: Signer
    custody: Custody
    proofs: Proofs
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
        return self._certified(replace(done, state=ErasureState.DONE, finished_at=now), None)

    def __call__(self, erasure: ErasureRow) -> ErasureRow:
        """The erasure with its certificate as of now. Not for within a transaction: it may have to
        take the entry into the tree.

        Raises:
            SealError: the ledger is damaged.
        """
        leaf = operator_leaf(self.keyring, entry(erasure))
        try:
            proof = self.proofs.of(leaf)
        except NotFoundError:  # swept by a version that made no entry
            proof = None
        return self._certified(erasure, proof)

    def _certified(self, erasure: ErasureRow, proof: Inclusion | None) -> ErasureRow:
        said = statement(erasure, self.custody, self.clock(), proof)
        return replace(erasure, certificate=self.signer.dsse(said, CERTIFICATE_TYPE))
