"""Random unit vectors and ids, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterable

import numpy as np

from memory.core.values import RecordId, Vector, VeiledVector

DIMENSIONS = 384


def unit(count: int, seed: int = 0) -> Vector:
    """Shape (count, 384), float32, unit rows without any structure."""
    rows = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def veiled(rows: Iterable[Vector]) -> list[VeiledVector]:
    return [VeiledVector(row) for row in rows]


def ids(count: int, seed: int = 0) -> list[RecordId]:
    source = random.Random(seed)
    return [RecordId(source.randbytes(16)) for _ in range(count)]
