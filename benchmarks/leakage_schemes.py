"""Ways to store vectors, each as a thief of the database sees it.

    tacit       the default veil
    chroma      plain Chroma: the vectors themselves
    sap         scale-and-perturb as published (Fuchsbauer, Ghosal, Hauke, O'Neill: Approximate
                Distance-Comparison-Preserving Symmetric Encryption, SCN 2022), with the secret
                order of coordinates that IronCore's Alloy puts before it
    rotation    a secret rotation with noise of a given length
    code        signs of secret hyperplanes, after centering
    veil        the veil with other numbers
    sealed      AES-GCM: bytes of a record

Rules:
- Schemes are public, keys are not (Kerckhoffs): `views` are the forms in which an attacker who
  knows the scheme would compare plain vectors with stored ones.
- `store` takes a key and the number of the first record id; equal inputs are stored equally.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.leakage_texts import Matrix
from memory.core.keys import PersonKeys
from memory.core.record_format import SALT_BYTES, Place, seal
from memory.core.values import RecordId, Secret, SubjectId, TenantId
from memory.core.veil import Basis, Veil

SAP_BETA: Final = 2.5
"""The most noise of scale-and-perturb that the design considered; its noise is up to beta / 4 of a
vector's length."""

_ORDER, _NOISE, _PLANES = 1, 2, 3
"""What is drawn from a key. Never 0 at the end of a seed: numpy takes (7, 0) for 7."""

_QUERIES: Final = 2**31
"""Where the noise of queries is drawn from: no record id."""

_SEALED_BYTES: Final = 768


@dataclass(frozen=True, slots=True)
class Scheme:
    """`store(key, first, vectors)` gives what lies in the database, shape (n, w);
    `ask(key, queries)` what it is searched with, by inner product.
    """

    name: str
    store: Callable[[int, int, Matrix], Matrix]
    ask: Callable[[int, Matrix], Matrix] | None
    views: Callable[[Matrix], Sequence[Matrix]]


def unit(rows: Matrix) -> Matrix:
    """Each row of length one."""
    made: Matrix = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return made.astype(np.float32)


def itself(vectors: Matrix) -> Sequence[Matrix]:
    return (vectors,)


def chroma() -> Scheme:
    return Scheme("chroma", lambda _key, _first, x: x, lambda _key, q: q, itself)


def veil(name: str, basis: Basis, keep: int, width: int, noise: float) -> Scheme:
    """The real thing, `memory.core.veil`."""
    made = Veil(basis.first(keep), width, noise)

    def secret(key: int) -> Secret:
        return Secret(key.to_bytes(32, "big"))

    def store(key: int, first: int, vectors: Matrix) -> Matrix:
        ids = [RecordId(n.to_bytes(16, "big")) for n in range(first, first + len(vectors))]
        subspace = made.subspace(secret(key))
        return np.stack([v.value for v in made.records(secret(key), subspace, ids, vectors)])

    def ask(key: int, queries: Matrix) -> Matrix:
        subspace = made.subspace(secret(key))
        return np.stack([made.query(subspace, query).value for query in queries])

    def views(vectors: Matrix) -> Sequence[Matrix]:
        kept = (vectors - made.basis.mean) @ made.basis.directions / made.basis.spread
        return (kept.astype(np.float32), vectors)

    return Scheme(name, store, ask, views)


def rotation(noise: float) -> Scheme:
    """Noise of length `noise` beside a unit vector, drawn for each record."""

    def turned(key: int, vectors: Matrix) -> Matrix:
        dimensions = vectors.shape[1]
        q, r = np.linalg.qr(
            np.random.default_rng((key, _PLANES)).standard_normal((dimensions, dimensions))
        )
        made: Matrix = (vectors @ (q * np.sign(np.diag(r)))).astype(np.float32)
        return made

    def store(key: int, first: int, vectors: Matrix) -> Matrix:
        random = np.random.default_rng((key, _NOISE, first + 1))
        drawn = random.standard_normal(vectors.shape).astype(np.float32)
        return unit(turned(key, vectors) + noise * drawn / vectors.shape[1] ** 0.5)

    return Scheme(f"rotation, noise {noise:g}", store, turned, itself)


def code(bits: int, mean: Matrix) -> Scheme:
    """One bit a hyperplane; asked with the exact query's distances to them."""

    def planes(key: int, dimensions: int) -> Matrix:
        drawn = np.random.default_rng((key, _PLANES)).standard_normal((dimensions, bits))
        return drawn.astype(np.float32)

    def store(key: int, _first: int, vectors: Matrix) -> Matrix:
        return np.sign((vectors - mean) @ planes(key, vectors.shape[1])).astype(np.float32)

    def ask(key: int, queries: Matrix) -> Matrix:
        made: Matrix = ((queries - mean) @ planes(key, queries.shape[1])).astype(np.float32)
        return made

    return Scheme(f"code, {bits} bits", store, ask, lambda x: (x - mean,))


def sap(beta: float = SAP_BETA) -> Scheme:
    """C = s · shuffled(m) + λ, λ uniform in the ball of radius s · beta / 4; s does not matter to
    a search by cosine and is left at 1.
    """

    def order(key: int, dimensions: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.random.default_rng((key, _ORDER)).permutation(dimensions)

    def noisy(key: int, first: int, vectors: Matrix) -> Matrix:
        random = np.random.default_rng((key, _NOISE, first + 1))
        count, dimensions = vectors.shape
        drawn = random.standard_normal(vectors.shape)
        drawn = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        radius = beta / 4 * random.random((count, 1)) ** (1 / dimensions)
        made: Matrix = (vectors[:, order(key, dimensions)] + radius * drawn).astype(np.float32)
        return made

    return Scheme("sap", noisy, lambda key, q: noisy(key, _QUERIES, q), itself)


def sealed() -> Scheme:
    """The bytes of a sealed vector, as numbers: all that sealed mode lets out of the process."""

    def store(key: int, first: int, vectors: Matrix) -> Matrix:
        keys = PersonKeys(TenantId("t"), SubjectId(bytes(16)), 1, Secret(key.to_bytes(32, "big")))
        salts = np.random.default_rng((key, _NOISE, first + 1))
        rows = []
        for number, row in enumerate(vectors, start=first):
            place = Place(number.to_bytes(16, "big"), "features")
            content = row.astype("<f2").tobytes()
            record = seal(keys, keys.record, place, content, salts.bytes(SALT_BYTES)).value
            rows.append(np.frombuffer(record[-_SEALED_BYTES:], np.uint8))
        made: Matrix = np.stack(rows).astype(np.float32) - 127.5
        return made

    return Scheme("sealed", store, None, itself)
