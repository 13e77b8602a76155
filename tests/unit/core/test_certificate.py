"""What a certificate says, that it says nothing else, and that it is what was signed."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from memory.core.canonical import canonical
from memory.core.certificate import (
    CERTIFICATE_TYPE,
    INTENT_TYPE,
    Custody,
    check,
    intent,
    pseudonym,
    statement,
)
from memory.core.erasure import ErasureCall, ErasureRow, ErasureState, Scope
from memory.core.ledger import Checkpoint, Event
from memory.core.ledger_proof import Inclusion
from memory.core.merkle import leaf_hash, node_hash
from memory.core.signing import Signer
from memory.core.values import PersonRef, RecordId, Secret, SubjectId, TenantId
from memory.errors import ProofError, SignatureError

SIGNER = Signer("memory.example.org", Secret(bytes(range(32))))
FILE = Custody("file", 0, remote_index=False, epoch_bound=timedelta(hours=1))
THEN = datetime(2026, 11, 25, 12, tzinfo=UTC)
ACME = TenantId("acme")
REF = PersonRef(b"r" * 32)


def _erasure(**changes: Any) -> ErasureRow:
    erasure = ErasureRow(
        id=RecordId(b"e" * 16),
        tenant=ACME,
        state=ErasureState.SWEPT,
        subject=SubjectId(b"s" * 16),
        collection="p1234",
        memories=2,
        consents=1,
        vault_entries=3,
        started_at=THEN,
        finished_at=None,
        pseudonym=b"p" * 16,
        key_version=1,
        epoch=4,
        key_destroyed_at=THEN,
        swept_at=THEN,
        before={"memories": 2},
        after={"memories": 0},
    )
    erasure = replace(erasure, **changes)
    return replace(erasure, intent=SIGNER.dsse(intent(erasure, by_person=True), INTENT_TYPE))


def _proof(**changes: Any) -> Inclusion:
    """Of the erasure's entry, beside another one in a tree of two."""
    event = Event(bytes(b"e" * 16), THEN, "acme", "tacit.erasure", "", "erased", 2, False)
    leaf = replace(event, **changes).leaf(Secret(bytes(32)))
    other = leaf_hash(b"other")
    note = Checkpoint(SIGNER.verifier.name, 2, node_hash(other, leaf.hash), THEN).sign(SIGNER)
    return Inclusion(leaf, 1, (other,), note)


def _proven(ledger: Mapping[str, object]) -> dict[str, Any]:
    """A certificate, signed as every other, with this as its ledger."""
    said = json.loads(statement(_erasure(), FILE, THEN)) | {"ledger": ledger}
    return check(SIGNER.dsse(canonical(said), CERTIFICATE_TYPE), SIGNER.verifier)


def _said(erasure: ErasureRow, custody: Custody = FILE) -> dict[str, Any]:
    envelope = SIGNER.dsse(statement(erasure, custody, THEN), CERTIFICATE_TYPE)
    return check(envelope, SIGNER.verifier)


def test_it_says_what_was_erased_and_what_became_of_the_key() -> None:
    said = _said(_erasure())
    assert said["counts"]["erased"] == {"memories": 2, "pseudonyms": 3, "consents": 1}
    assert said["counts"]["after"] == {"memories": 0}
    assert said["key"] == {
        "provider": "file",
        "epoch": 4,
        "key_version": 1,
        "wrapped_key": "overwritten",
        "epoch_state": "to be destroyed",
        "epoch_due": "2026-11-25T13:00:00+00:00",
    }
    assert said["request"]["requested_by"] == "data subject"
    assert said["scan"] == {"performed": False}


def test_a_backup_is_named_with_the_time_until_which_it_can_be_opened() -> None:
    (pending,) = _said(_erasure())["residuals"]
    assert pending["openable_until"] == "2026-11-25T13:00:00+00:00"
    destroyed = _said(_erasure(epoch_destroyed_at=THEN + timedelta(minutes=5)))
    assert destroyed["key"]["epoch_state"] == "destroyed"
    assert destroyed["residuals"][0]["openable_until"] == "2026-11-25T12:05:00+00:00"


def test_a_providers_delay_and_a_remote_index_are_named() -> None:
    custody = Custody("aws-kms", 7, remote_index=True, epoch_bound=timedelta(hours=1))
    found = _said(_erasure(epoch_destroyed_at=THEN), custody)["residuals"]
    assert [residual["what"] for residual in found] == [
        "backups and old disk blocks from before the erasure",
        "the destroyed epoch at the provider",
        "files of the vector index server",
    ]
    assert found[1]["ends"] == "2026-12-02T12:00:00+00:00"


def test_a_database_that_was_not_rewritten_is_named() -> None:
    scan = {"performed": False, "database": "overwritten in place"}
    found = _said(_erasure(epoch_destroyed_at=THEN, scan=scan))["residuals"]
    assert found[-1]["what"] == "unused space in the database's files"


def test_it_names_neither_the_person_nor_what_they_were_known_by() -> None:
    text = statement(_erasure(), FILE, THEN).decode()
    for hidden in (b"s" * 16, REF, b"p1234"):
        assert hidden.hex() not in text
        assert hidden.decode() not in text


def test_two_erasures_of_one_person_look_like_two_peoples() -> None:
    key = Secret(bytes(32))
    one, two = (pseudonym(key, ACME, REF, RecordId(bytes([n] * 16))) for n in (1, 2))
    assert one != two
    assert pseudonym(key, ACME, REF, RecordId(bytes([1] * 16))) == one
    assert pseudonym(Secret(b"k" * 32), ACME, REF, RecordId(bytes([1] * 16))) != one


@pytest.mark.parametrize("place", range(0, 700, 23))
def test_a_changed_certificate_is_none(place: int) -> None:
    envelope = bytearray(SIGNER.dsse(statement(_erasure(), FILE, THEN), CERTIFICATE_TYPE))
    envelope[place] ^= 1
    with pytest.raises(SignatureError):
        check(bytes(envelope), SIGNER.verifier)


def test_a_proof_of_the_ledger_is_checked_though_all_of_it_is_signed() -> None:
    proof = _proof()
    assert _proven(proof.fields())["ledger"]["index"] == 1
    written = statement(_erasure(), FILE, THEN, proof)
    assert json.loads(written)["ledger"] == proof.fields()
    for changed in (
        replace(proof, index=0),
        replace(proof, hashes=(leaf_hash(b"another"),)),
        replace(proof, checkpoint=proof.checkpoint.replace("\n2\n", "\n3\n")),
        replace(proof, leaf=_proof(count=3).leaf),
    ):
        with pytest.raises(SignatureError):
            _proven(changed.fields())
    with pytest.raises(SignatureError):
        _proven(proof.fields() | {"more": 1})


@pytest.mark.parametrize(
    "other",
    [
        {"id": b"f" * 16},
        {"at": THEN + timedelta(seconds=1)},
        {"count": 3},
        {"action": "forget"},
        {"denied": True},
    ],
)
def test_a_good_proof_of_another_event_proves_nothing(other: dict[str, Any]) -> None:
    with pytest.raises(ProofError):
        _proven(_proof(**other).fields())


@pytest.mark.parametrize("share", [n / 60 for n in range(60)])
def test_no_byte_of_the_proof_can_be_changed(share: float) -> None:
    """Neither in the envelope, nor in what a thief of nothing but the file would write."""
    proof = canonical(_proof().fields())
    said = statement(_erasure(), FILE, THEN, _proof())
    place = said.index(proof) + int(share * len(proof))
    changed = said[:place] + bytes([said[place] ^ 1]) + said[place + 1 :]
    good = json.loads(SIGNER.dsse(said, CERTIFICATE_TYPE))
    forged = good | {"payload": b64encode(changed).decode()}
    with pytest.raises(SignatureError):
        check(canonical(forged), SIGNER.verifier)


def test_something_else_that_was_signed_is_no_certificate() -> None:
    with pytest.raises(SignatureError):
        check(_erasure().intent, SIGNER.verifier)
    other = SIGNER.dsse(b'{"type":"other"}', CERTIFICATE_TYPE)
    with pytest.raises(SignatureError):
        check(other, SIGNER.verifier)
    with pytest.raises(SignatureError):
        check(SIGNER.dsse(b"[]", CERTIFICATE_TYPE), SIGNER.verifier)


def test_a_scope_reads_as_it_was_written() -> None:
    for scope in (Scope(), Scope(False, ("care",), ("fact",), ("session", "time"))):
        assert Scope.from_json(json.loads(json.dumps(scope.to_json()))) == scope
    assert ErasureCall("ForgetUser") is ErasureCall.FORGET_USER


def test_a_certificate_of_version_1_is_written_as_ever() -> None:
    """Frozen: a certificate that was given out must read the same for ever."""
    written = statement(_erasure(), FILE, THEN)
    assert sha256(written).hexdigest() == (
        "1aed8f60cce79af816faa9c01d6f380bedc8b05df99f0e9f6da1b0d3fd0dfac7"
    )
    assert list(json.loads(written)) == [
        "counts", "erasure", "key", "ledger", "person", "request", "request_digest", "residuals",
        "scan", "times", "type", "version",
    ]  # fmt: skip
