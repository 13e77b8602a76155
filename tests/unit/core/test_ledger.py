"""Leaves and checkpoints read back as they were written; proofs verify, and nothing near them."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.ledger import Checkpoint, Event, Leaf
from memory.core.ledger_proof import MAX_BYTES, Consistency, Inclusion
from memory.core.merkle import (
    Node,
    consistency_path,
    fold,
    inclusion_path,
    leaf_hash,
    root,
    subtree,
)
from memory.core.signing import Signer
from memory.core.values import Secret
from memory.errors import SignatureError

KEY = Secret(bytes(range(32)))
SIGNER = Signer("memory.example.org", Secret(bytes(range(1, 33))))
THEN = datetime(2026, 3, 1, 12, 30, 15, 123_457, tzinfo=UTC)
EVENT = Event(bytes(16), THEN, "acme", "helper", "support", "read", 3, False)
SIZE = 21
PLACE = 13


def _hashes(node: Node) -> bytes:
    start, end = node.offset << node.level, (node.offset + 1) << node.level
    return fold(
        [
            EVENT.leaf(KEY).hash if n == PLACE else leaf_hash(str(n).encode())
            for n in range(start, end)
        ]
    )


def _checkpoint(size: int) -> str:
    return Checkpoint(SIGNER.verifier.name, size, root(_hashes, size), THEN).sign(SIGNER)


def _inclusion() -> Inclusion:
    proof = tuple(subtree(_hashes, *part) for part in inclusion_path(PLACE, SIZE))
    return Inclusion(EVENT.leaf(KEY), PLACE, proof, _checkpoint(SIZE))


def _consistency() -> Consistency:
    proof = tuple(subtree(_hashes, *part) for part in consistency_path(7, SIZE))
    return Consistency(_checkpoint(7), _checkpoint(SIZE), proof)


@given(
    st.binary(min_size=16, max_size=16),
    st.datetimes(datetime(1970, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(["", "support"]),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)
def test_a_leaf_says_what_was_written(
    id_: bytes, at: datetime, purpose: str, count: int, denied: bool
) -> None:
    event = Event(id_, at, "acme", "helper", purpose, "read", count, denied)
    assert Leaf(event.leaf(KEY).input).event() == event


@given(st.binary(max_size=200))
def test_what_is_no_leaf_is_refused(raw: bytes) -> None:
    with pytest.raises(SignatureError):
        Leaf(raw).event()


def test_a_leaf_is_read_as_strictly_as_it_is_written() -> None:
    good = EVENT.leaf(KEY).input
    for wrong in (b"\x02" + good[1:], good + b"\0", good[:-1], good[:-1] + b"\x02"):
        with pytest.raises(SignatureError):
            Leaf(wrong).event()


def test_the_same_event_of_two_people_has_leaves_that_do_not_look_alike() -> None:
    mine, theirs = EVENT.leaf(KEY), EVENT.leaf(Secret(bytes(32)))
    assert mine.input[1:33] != theirs.input[1:33]
    assert mine.hash != theirs.hash
    assert replace(EVENT, id=b"\1" * 16).leaf(KEY).input[1:33] != mine.input[1:33]


def test_a_checkpoint_is_read_back_in_whole_seconds() -> None:
    read = Checkpoint.read(_checkpoint(SIZE), SIGNER.verifier)
    assert read == Checkpoint(
        "memory.example.org", SIZE, root(_hashes, SIZE), THEN.replace(microsecond=0)
    )


@pytest.mark.parametrize(
    "text",
    [
        "memory.example.org\n3\nAAAA\ntime 2026-03-01T12:30:15Z\n",
        f"other\n3\n{'A' * 43}=\ntime 2026-03-01T12:30:15Z\n",
        f"memory.example.org\n03\n{'A' * 43}=\ntime 2026-03-01T12:30:15Z\n",
        f"memory.example.org\n3\n{'A' * 43}=\ntime today\n",
        f"memory.example.org\n3\n{'A' * 43}=\n",
        f"memory.example.org\n3\n{'A' * 43}=\ntime 2026-03-01T12:30:15Z\nmore\n",
    ],
)
def test_what_is_signed_but_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(SignatureError):
        Checkpoint.read(SIGNER.note(text), SIGNER.verifier)


def test_proofs_verify_after_a_round_trip() -> None:
    event, checkpoint = Inclusion.read(_inclusion().to_json()).verify(SIGNER.verifier)
    assert (event, checkpoint.size) == (EVENT, SIZE)
    first, second = Consistency.read(_consistency().to_json()).verify(SIGNER.verifier)
    assert (first.size, second.size) == (7, SIZE)


@pytest.mark.parametrize("kind", [Inclusion, Consistency])
def test_no_changed_byte_anywhere_is_accepted(
    kind: type[Inclusion | Consistency], stress: bool
) -> None:
    good = (_inclusion() if kind is Inclusion else _consistency()).to_json()
    randomly = random.Random(7)
    for _ in range(10_000 if stress else 500):
        with pytest.raises(SignatureError):
            kind.read(_tampered(good, randomly)).verify(SIGNER.verifier)


def _tampered(good: bytes, randomly: random.Random) -> bytes:
    """One byte changed, taken out, put in or doubled."""
    place = randomly.randrange(len(good))
    other = bytes([randomly.choice([b for b in range(256) if b != good[place]])])
    match randomly.randrange(4):
        case 0:
            return good[:place] + other + good[place + 1 :]
        case 1:
            return good[:place] + good[place + 1 :]
        case 2:
            return good[:place] + other + good[place:]
        case _:
            return good[: place + 1] + good[place:]


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 60_000,
        b'{"checkpoint":"","format":"","hashes":[1],"index":0,"leaf":""}\n',
        b'{"checkpoint":"","format":"","hashes":[],"index":true,"leaf":""}\n',
        b"{" + b" " * MAX_BYTES + b"}",
    ],
)
def test_what_is_no_proof_is_refused(file: bytes) -> None:
    for kind in (Inclusion, Consistency):
        with pytest.raises(SignatureError):
            kind.read(file)


def test_another_spelling_of_a_good_proof_is_refused() -> None:
    good = _inclusion().to_json()
    with pytest.raises(SignatureError):
        Inclusion.read(json.dumps(json.loads(good)).encode())
