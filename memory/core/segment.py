"""A piece of one person's exact vectors, as sealed mode keeps them to be opened at once.

    1 byte version, 2 bytes dimensions, 4 bytes count n (big endian), n record ids of 16 bytes,
    n vectors as little-endian float16

One seal for thousands of vectors opens a hundred times faster than thousands of seals.

Rules:
- Derived from the memories' own sealed features: it can be lost and is written again.
- At most `rows_at_most(d)` vectors, so that it fits a sealed record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memory.core.record_format import MAX_CONTENT_BYTES
from memory.core.values import RecordId
from memory.errors import SealError

_VERSION: Final = 1
_HEADER: Final = 7
_ID_BYTES: Final = 16

Vectors = NDArray[np.float32]


class SegmentHead(NamedTuple):
    """A segment without what is sealed in it: its id and how many vectors it holds."""

    id: RecordId
    vectors: int


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Records and their unit vectors, shape (n, d), row by row."""

    records: tuple[RecordId, ...]
    vectors: Vectors


def rows_at_most(dimensions: int) -> int:
    """How many vectors one segment holds."""
    return (MAX_CONTENT_BYTES - _HEADER) // (_ID_BYTES + 2 * dimensions)


def encode(records: Sequence[RecordId], vectors: Vectors) -> bytes:
    """The bytes to seal; vectors are rounded to float16."""
    count, dimensions = vectors.shape
    header = bytes([_VERSION]) + dimensions.to_bytes(2, "big") + count.to_bytes(4, "big")
    return b"".join([header, *(r.value for r in records), vectors.astype("<f2").tobytes()])


def decode(data: bytes) -> Segment:
    """The opposite of `encode`; raises `SealError` for another version or size."""
    dimensions = int.from_bytes(data[1:3], "big")
    count = int.from_bytes(data[3:7], "big")
    ids = _HEADER + _ID_BYTES * count
    if data[:1] != bytes([_VERSION]) or len(data) != ids + 2 * dimensions * count:
        raise SealError("a segment of vectors has another version or size than this program writes")
    records = tuple(RecordId(data[at : at + _ID_BYTES]) for at in range(_HEADER, ids, _ID_BYTES))
    flat = np.frombuffer(data, dtype="<f2", offset=ids).astype(np.float32)
    return Segment(records, flat.reshape(count, dimensions))
