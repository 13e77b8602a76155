"""What stands between an exact vector and the index.

Of a vector only the directions in which the encoder's vectors vary most are kept, each scaled to
the same spread, with some noise. They lie in a secret subspace of a wider space; all the rest of
that space is filled with noise of the same spread, another one for every record.

    record   y = A (u + r g') + sqrt(1 + r²) (g - A A'g)    u = (x - mean) directions / spread
    query    w = A (directions'q * spread)                  so that <w, y> follows <q, x>

A query lies in the subspace and hears nothing of what fills the rest; two records hear little
else. That is the difference to scale-and-perturb (Fuchsbauer et al., 2022), whose noise hinders
the search as much as the thief. It is no encryption: `docs/adr/0010-veil.md` says what it leaks.

Rules:
- A, orthonormal columns, Haar-distributed, comes from the person's veil key; g from that key, the
  record id and the vector: storing a record again averages nothing out, and two versions of one
  record share no noise.
- The same inputs give the same veil on every machine, to the rounding of float32: AES-256-CTR
  keystream ▶ Box-Muller ▶ QR with the signs fixed (Mezzadri, 2007).
- The index is derived: a changed `version` means a rebuild, never a loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from numpy.typing import NDArray

from memory.core.keys import mac
from memory.core.values import RecordId, Secret, Vector, VeiledVector

Matrix = NDArray[np.float32]

_VERSION: Final = b"tacit/veil/v2"


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Where an encoder's vectors vary: `mean` (d,), `directions` (d, k) with orthonormal columns,
    most telling first, and the `spread` (k,) along each. How many to `keep`, in which `width` to
    hide them and which `noise` to put on them is what the leakage benchmark recommends.
    """

    mean: Matrix
    directions: Matrix
    spread: Matrix
    keep: int
    width: int
    noise: float

    @classmethod
    def plain(cls, dimensions: int) -> Basis:
        """For an encoder that nothing is known of: every direction, all alike."""
        return cls(
            mean=np.zeros(dimensions, np.float32),
            directions=np.eye(dimensions, dtype=np.float32),
            spread=np.full(dimensions, dimensions**-0.5, np.float32),
            keep=dimensions,
            width=2 * dimensions,
            noise=1.0,
        )

    def first(self, count: int) -> Basis:
        """With the `count` most telling directions only."""
        return replace(self, directions=self.directions[:, :count], spread=self.spread[:count])


@dataclass(frozen=True)
class Veil:
    """How records and queries are veiled: `width` dimensions in the index, `noise` within the
    subspace as a share of the spread.
    """

    basis: Basis
    width: int
    noise: float

    def __post_init__(self) -> None:
        if self.width < len(self.basis.spread) or self.noise < 0:
            raise ValueError("a veil is at least as wide as its basis, its noise not negative")

    @cached_property
    def version(self) -> str:
        """8 hex digits that change with anything that changes a veiled vector."""
        parts = (self.basis.mean, self.basis.directions, self.basis.spread)
        digest = sha256(_VERSION + repr((self.width, float(self.noise))).encode())
        for part in parts:
            digest.update(repr(part.shape).encode() + part.astype("<f4").tobytes())
        return digest.hexdigest()[:8]

    def subspace(self, key: Secret) -> Matrix:
        """The person's A, shape (width, k)."""
        kept = len(self.basis.spread)
        gaussian = _gaussian(_subkey(key, b"subspace"), self.width * kept)
        q, r = np.linalg.qr(gaussian.reshape(self.width, kept))
        return (q * np.sign(np.diag(r))).astype(np.float32)

    def records(
        self, key: Secret, subspace: Matrix, records: Sequence[RecordId], vectors: Vector
    ) -> list[VeiledVector]:
        """Each row of `vectors`, shape (n, d), veiled for its record; unit vectors (width,)."""
        seeded = _subkey(key, b"noise")
        noise = np.stack(
            [
                _gaussian(_subkey(seeded, record.value + row.astype("<f2").tobytes()), self.width)
                for record, row in zip(records, vectors, strict=True)
            ]
        )
        basis = self.basis
        kept = (vectors.astype(np.float64) - basis.mean) @ basis.directions / basis.spread
        outside = (1 + self.noise**2) ** 0.5
        inside = kept + (self.noise - outside) * (noise @ subspace)
        veiled = outside * noise + inside @ subspace.T
        veiled /= np.linalg.norm(veiled, axis=1, keepdims=True)
        return [VeiledVector(row) for row in veiled.astype(np.float32)]

    def query(self, subspace: Matrix, vector: Vector) -> VeiledVector:
        """What to look for, for an exact query of shape (d,); a unit vector (width,)."""
        basis = self.basis
        turned = subspace @ ((vector.astype(np.float64) @ basis.directions) * basis.spread)
        return VeiledVector((turned / max(float(np.linalg.norm(turned)), 1e-12)).astype(np.float32))


def _subkey(key: Secret, use: bytes) -> Secret:
    return Secret(mac(key.reveal(), _VERSION + use))


def _gaussian(key: Secret, count: int) -> NDArray[np.float64]:
    """Standard normal numbers from the key's keystream, by Box-Muller."""
    pairs = (count + 1) // 2
    encryptor = Cipher(AES(key.reveal()), CTR(bytes(16))).encryptor()
    stream = np.frombuffer(encryptor.update(bytes(pairs * 16)), dtype="<u8")
    uniform = ((stream >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    radius = np.sqrt(-2.0 * np.log(uniform[:pairs]))
    angle = 2.0 * np.pi * uniform[pairs:]
    return np.concatenate((radius * np.cos(angle), radius * np.sin(angle)))[:count]
