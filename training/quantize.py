"""Symmetric int8 weights, shared by every model that Tacit ships.

Rules:
- Scales are per output channel (matrices) or per row (embedding tables), zero points are 0.
- Matrix weights use 7 bits, -64 to 64. A x86 CPU without VNNI adds two products of an unsigned
  and a signed byte in 16 saturating bits: 2 x 255 x 64 fits, 2 x 255 x 127 does not. With 8 bits
  the same text would get another vector on another machine.
- Pure functions over numpy arrays; the same input gives the same bytes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Int8Array = NDArray[np.int8]

MATRIX_LEVELS: Final = 64
"""Largest absolute weight of a matrix; see the module's rules for why not 127."""

TABLE_LEVELS: Final = 127
"""Largest absolute entry of an embedding table, which is only looked up, never multiplied."""

_SMALLEST: Final = 1e-12
"""Scale of an all-zero channel, so that nothing divides by zero."""


def quantize_columns(weight: FloatArray) -> tuple[Int8Array, FloatArray]:
    """Weight (k, n) of `x @ weight` as int8 (k, n) and scales (n,): weight ≈ int8 * scale."""
    return _quantize(weight, axis=0, levels=MATRIX_LEVELS)


def quantize_rows(table: FloatArray) -> tuple[Int8Array, FloatArray]:
    """Embedding table (rows, d) as int8 (rows, d) and scales (rows, 1)."""
    quantized, scales = _quantize(table, axis=1, levels=TABLE_LEVELS)
    return quantized, scales[:, np.newaxis]


def _quantize(weight: FloatArray, *, axis: int, levels: int) -> tuple[Int8Array, FloatArray]:
    largest = np.maximum(np.abs(weight).max(axis=axis), _SMALLEST)
    scales = (largest / levels).astype(np.float32)
    quantized = np.rint(weight / np.expand_dims(scales, axis))
    return np.clip(quantized, -levels, levels).astype(np.int8), scales
