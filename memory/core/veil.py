"""What stands between an exact vector and the index.

Today: a secret orthogonal transform per person, Haar-distributed, derived from the person's
veil key. Inner products within one person survive exactly, so the index still finds neighbours;
between two people nothing lines up. It is no encryption: someone who knows enough (text, stored
vector) pairs of one person can solve for it. What it leaks is for the leakage benchmark to say;
noise comes on top with that measurement.

Rules:
- The same key gives the same transform on every machine: AES-256-CTR keystream ▶ Box-Muller ▶
  QR with the signs fixed (Mezzadri, 2007).
- The index is derived: a changed veil means a rebuild, never a loss.
"""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from numpy.typing import NDArray

from memory.core.values import Secret, Vector, VeiledVector


def transform(key: Secret, dimensions: int) -> NDArray[np.float32]:
    """The person's orthogonal matrix, shape (dimensions, dimensions), float32."""
    gaussian = _gaussian(key, dimensions * dimensions).reshape(dimensions, dimensions)
    q, r = np.linalg.qr(gaussian)
    return (q * np.sign(np.diag(r))).astype(np.float32)


def veil(matrix: NDArray[np.float32], vectors: Vector) -> list[VeiledVector]:
    """Each row of `vectors`, shape (n, d), turned by `matrix`."""
    return [VeiledVector(row) for row in vectors @ matrix]


def _gaussian(key: Secret, count: int) -> NDArray[np.float64]:
    """Standard normal numbers from the key's keystream, by Box-Muller."""
    pairs = (count + 1) // 2
    encryptor = Cipher(AES(key.reveal()), CTR(bytes(16))).encryptor()
    stream = np.frombuffer(encryptor.update(bytes(pairs * 16)), dtype="<u8")
    uniform = ((stream >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    radius = np.sqrt(-2.0 * np.log(uniform[:pairs]))
    angle = 2.0 * np.pi * uniform[pairs:]
    return np.concatenate((radius * np.cos(angle), radius * np.sin(angle)))[:count]
