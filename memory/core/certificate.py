"""Erasure certificates: what was erased, checked and found, and what cannot be vouched for.

    {"type": "tacit-erasure-certificate", "version": 1, "erasure": "erasures/…", "person": "…",
     "request": {…}, "request_digest": "…", "counts": {…}, "key": {…},
     "scan": {…}, "ledger": {…}, "times": {…}, "residuals": [{…}]}

A DSSE envelope over canonical JSON; `docs/certificate.md` describes every field.

Rules:
- Content-free: figures, names of stores, times, random ids and keyed digests.
- **Nothing is claimed that was not checked.** What was not done stands there as not done; what can
  still exist stands under `residuals`, with the time at which it ends.
- The request is signed when it is accepted (`intent`), before anything is destroyed.
"""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from memory.core.canonical import canonical
from memory.core.erasure import ErasureRow
from memory.core.keys import bind, mac
from memory.core.ledger_proof import Inclusion
from memory.core.rows import OperatorAction
from memory.core.signing import Verifier
from memory.core.values import PersonRef, RecordId, Secret, TenantId
from memory.errors import ProofError, SignatureError

CERTIFICATE_TYPE: Final = "application/vnd.tacit.erasure-certificate.v1+json"
INTENT_TYPE: Final = "application/vnd.tacit.erasure-intent.v1+json"

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Custody:
    """Where the key-encryption keys lie, and what is known of copies out of reach."""

    provider: str
    destroy_days: int
    """How long the provider itself could still bring a destroyed epoch back."""
    remote_index: bool
    """Whether the index's files belong to somebody else: a Chroma server's operator."""
    epoch_bound: timedelta
    """After an erasure was accepted, its key epoch is destroyed within this time."""


def pseudonym(key: Secret, tenant: TenantId, ref: PersonRef, erasure: RecordId) -> bytes:
    """What a certificate calls the person: HMAC-SHA256, first 16 bytes.

    The deployment can tell, when shown a person id, whether a certificate is about that person.
    Nobody can tell whether two certificates are about the same one.
    """
    message = bind(b"tacit/v1/certificate", tenant.value.encode(), ref, erasure.value)
    return mac(key.reveal(), message)[:16]


def intent(erasure: ErasureRow, by_person: bool) -> bytes:
    """The request as it is signed on acceptance."""
    return canonical(
        {
            "type": "tacit-erasure-intent",
            "version": VERSION,
            "erasure": f"erasures/{erasure.id}",
            "person": erasure.pseudonym.hex(),
            "call": erasure.call.value,
            "requested_by": "data subject" if by_person else "controller",
            "scope": erasure.scope.to_json(),
            "key_epoch_at_once": erasure.at_once,
            "time": erasure.started_at.isoformat(),
        }
    )


def statement(
    erasure: ErasureRow, custody: Custody, now: datetime, proof: Inclusion | None = None
) -> bytes:
    """What a certificate says of an erasure that is swept; `proof`, that the ledger says so too."""
    request = json.loads(_payload(erasure.intent)) if erasure.intent else None
    return canonical(
        {
            "type": "tacit-erasure-certificate",
            "version": VERSION,
            "erasure": f"erasures/{erasure.id}",
            "person": erasure.pseudonym.hex(),
            "request": request,
            "request_digest": f"sha256:{sha256(erasure.intent).hexdigest()}",
            "counts": {
                "erased": {
                    "memories": erasure.memories,
                    "pseudonyms": erasure.vault_entries,
                    "consents": erasure.consents,
                },
                "before": dict(erasure.before),
                "after": dict(erasure.after),
            },
            "key": _key(erasure, custody),
            "scan": dict(erasure.scan) or {"performed": False},
            "ledger": None if proof is None else proof.fields(),
            "times": {
                "accepted": _time(erasure.started_at),
                "key_destroyed": _time(erasure.key_destroyed_at),
                "swept": _time(erasure.swept_at),
                "epoch_destroyed": _time(erasure.epoch_destroyed_at),
                "certified": _time(now),
            },
            "residuals": _residuals(erasure, custody),
        }
    )


def check(envelope: bytes, verifier: Verifier) -> dict[str, Any]:
    """The statement of a certificate whose signature is good, and whose ledger entry leads to the
    signed checkpoint and is of this very erasure; raises `SignatureError`, `ProofError`.
    """
    said = json.loads(verifier.dsse(envelope, CERTIFICATE_TYPE))
    if not isinstance(said, dict) or said.get("type") != "tacit-erasure-certificate":
        raise SignatureError
    if said.get("version") != VERSION:
        raise SignatureError
    if said["ledger"] is not None:
        proof = Inclusion.read(canonical(said["ledger"]) + b"\n")
        event, _ = proof.verify(verifier)
        erased = said["counts"]["erased"]["memories"]
        entry = (f"erasures/{RecordId(event.id)}", event.at.isoformat(), event.count)
        if entry != (said["erasure"], said["times"]["swept"], erased):
            raise ProofError
        if event.action != OperatorAction.ERASED or event.denied:
            raise ProofError
    return said


def _key(erasure: ErasureRow, custody: Custody) -> dict[str, object]:
    if not erasure.epoch:
        return {"provider": custody.provider, "epoch": None, "wrapped_key": "none"}
    destroyed = erasure.epoch_destroyed_at is not None
    due = erasure.epoch_due(custody.epoch_bound)
    return {
        "provider": custody.provider,
        "epoch": erasure.epoch,
        "key_version": erasure.key_version,
        "wrapped_key": "overwritten" if erasure.scope.whole else "replaced by a new key",
        "epoch_state": "destroyed" if destroyed else "to be destroyed",
        "epoch_due": None if destroyed else _time(due),
    }


def _residuals(erasure: ErasureRow, custody: Custody) -> list[dict[str, object]]:
    """What may still exist somewhere, what it is good for, and until when."""
    found: list[dict[str, object]] = []
    if erasure.epoch:
        gone = erasure.epoch_destroyed_at
        due = erasure.epoch_due(custody.epoch_bound)
        found.append(
            {
                "what": "backups and old disk blocks from before the erasure",
                "holds": "ciphertext, and the wrapped key under the named epoch",
                "openable_until": _time(gone or due),
                "unless": "the epoch's key was copied out of its provider",
            }
        )
        if custody.destroy_days:
            until = (gone or due or erasure.started_at) + timedelta(days=custody.destroy_days)
            found.append(
                {
                    "what": "the destroyed epoch at the provider",
                    "holds": "a key that opens nothing unless its deletion is cancelled there",
                    "ends": _time(until),
                }
            )
    if erasure.scan.get("database") == "overwritten in place":
        found.append(
            {
                "what": "unused space in the database's files",
                "holds": "ciphertext under the destroyed key",
                "ends": "when the database writes over it",
            }
        )
    if custody.remote_index:
        found.append(
            {
                "what": "files of the vector index server",
                "holds": "veiled vectors in deleted files or free pages, no text",
                "ends": "when its operator vacuums it and removes the collection's folder",
            }
        )
    return found


def _payload(envelope: bytes) -> bytes:
    return b64decode(json.loads(envelope)["payload"])


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
