"""Sealed records open in their own place, under their own key, unchanged; nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.keys import PersonKeys
from memory.core.record_format import MAX_CONTENT_BYTES, Place, padme, seal, unseal
from memory.core.values import SealedRecord, Secret, SubjectId, TenantId
from memory.errors import SealError

KEYS = PersonKeys(TenantId("acme"), SubjectId(bytes(range(16))), 1, Secret(b"\x07" * 32))
PLACE = Place(b"r" * 16, "body")
SALT = b"\x05" * 32


def _seal(content: bytes = b"content") -> SealedRecord:
    return seal(KEYS, KEYS.record, PLACE, content, SALT)


@given(content=st.binary(max_size=5000), salt=st.binary(min_size=32, max_size=32))
def test_what_is_sealed_opens_to_the_same_bytes(content: bytes, salt: bytes) -> None:
    sealed = seal(KEYS, KEYS.record, PLACE, content, salt)
    assert unseal(KEYS, KEYS.record, PLACE, sealed) == content


def test_every_flipped_byte_is_rejected() -> None:
    data = _seal().value
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 0x01
        with pytest.raises(SealError):
            unseal(KEYS, KEYS.record, PLACE, SealedRecord(bytes(changed)))


def test_every_truncation_is_rejected() -> None:
    data = _seal().value
    for length in range(len(data)):
        with pytest.raises(SealError):
            unseal(KEYS, KEYS.record, PLACE, SealedRecord(data[:length]))


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        (replace(KEYS, tenant=TenantId("other")), PLACE),
        (replace(KEYS, subject=SubjectId(b"x" * 16)), PLACE),
        (replace(KEYS, version=2), PLACE),
        (KEYS, replace(PLACE, record=b"s" * 16)),
        (KEYS, replace(PLACE, field="features")),
    ],
    ids=["tenant", "person", "key version", "record", "field"],
)
def test_a_record_moved_to_another_place_is_rejected(keys: PersonKeys, place: Place) -> None:
    with pytest.raises(SealError):
        unseal(keys, KEYS.record, place, _seal())


def test_another_key_of_the_same_person_does_not_open_it() -> None:
    with pytest.raises(SealError):
        unseal(KEYS, KEYS.vault, PLACE, _seal())


@given(data=st.binary(max_size=300))
def test_random_bytes_are_rejected_and_nothing_else_happens(data: bytes) -> None:
    with pytest.raises(SealError):
        unseal(KEYS, KEYS.record, PLACE, SealedRecord(data))
    with pytest.raises(SealError):
        unseal(KEYS, KEYS.record, PLACE, SealedRecord(b"\x01\x00\x00\x00\x01" + data))


def test_the_same_input_seals_to_the_same_bytes_for_ever() -> None:
    """Records of version 1 must always open: this one was written by the first release."""
    sealed = _seal(b"frozen")
    assert sealed.value.hex() == FROZEN
    assert unseal(KEYS, KEYS.record, PLACE, SealedRecord(bytes.fromhex(FROZEN))) == b"frozen"


def test_content_over_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        seal(KEYS, KEYS.record, PLACE, bytes(MAX_CONTENT_BYTES + 1), SALT)


@given(length=st.integers(min_value=1, max_value=1 << 40))
def test_padding_adds_at_most_an_eighth_and_is_stable(length: int) -> None:
    padded = padme(length)
    assert length <= padded <= length * 1.125 + 1
    assert padme(padded) == padded


def test_lengths_in_between_look_alike() -> None:
    sizes = {len(_seal(bytes(n)).value) for n in range(1000, 2000)}
    assert len(sizes) < 40


FROZEN = (
    "010000000105050505050505050505050505050505050505050505050505050505050505058c495e"
    "1da82e61dc7f8c7c9918b65932d7b89009e2e7b9f53076c6519c4e1a0d0baa735addbdb6d9906c72"
    "b1d7b9b04f1f59cd9ab1e715552b7f"
)
