"""A segment comes back as it went in, to float16, and no other bytes are taken for one."""

from __future__ import annotations

import numpy as np
import pytest

from memory.core.record_format import MAX_CONTENT_BYTES
from memory.core.segment import decode, encode, rows_at_most
from memory.core.values import RecordId
from memory.errors import SealError

IDS = [RecordId(bytes([n]) * 16) for n in range(3)]
VECTORS = np.random.default_rng(7).standard_normal((3, 5)).astype(np.float32)


def test_a_segment_survives_the_round_trip_to_float16() -> None:
    back = decode(encode(IDS, VECTORS))
    assert list(back.records) == IDS
    np.testing.assert_array_equal(back.vectors, VECTORS.astype(np.float16).astype(np.float32))
    assert back.vectors.dtype == np.float32


@pytest.mark.parametrize("data", [b"", b"\x01", encode(IDS, VECTORS)[:-1], b"\x02" + bytes(6)])
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(SealError):
        decode(data)


def test_the_frozen_bytes_of_version_one() -> None:
    data = encode(IDS[:1], np.array([[1.0, -0.5]], np.float32))
    assert data.hex() == "01000200000001" + "00" * 16 + "003c00b8"


def test_a_full_segment_fits_a_sealed_record() -> None:
    rows = rows_at_most(384)
    assert rows > 5000
    assert 7 + rows * (16 + 768) <= MAX_CONTENT_BYTES
