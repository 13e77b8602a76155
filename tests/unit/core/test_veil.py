"""The veil keeps what the index needs (angles within a person) and nothing between people."""

from __future__ import annotations

import numpy as np

from memory.core.values import Secret
from memory.core.veil import transform, veil

DIMENSIONS = 64
ONE, OTHER = (transform(Secret(bytes([n]) * 32), DIMENSIONS) for n in (1, 2))


def _unit(count: int) -> np.ndarray:
    rows = np.random.default_rng(7).standard_normal((count, DIMENSIONS)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_transform_is_orthogonal() -> None:
    np.testing.assert_allclose(ONE @ ONE.T, np.eye(DIMENSIONS), atol=1e-5)


def test_the_same_key_gives_the_same_transform() -> None:
    np.testing.assert_array_equal(ONE, transform(Secret(b"\x01" * 32), DIMENSIONS))


def test_angles_within_a_person_survive() -> None:
    rows = _unit(50)
    veiled = np.stack([v.value for v in veil(ONE, rows)])
    np.testing.assert_allclose(veiled @ veiled.T, rows @ rows.T, atol=1e-5)


def test_equal_vectors_of_two_people_look_unrelated() -> None:
    rows = _unit(200)
    one = np.stack([v.value for v in veil(ONE, rows)])
    other = np.stack([v.value for v in veil(OTHER, rows)])
    cosines = np.sum(one * other, axis=1)
    assert abs(float(np.mean(cosines))) < 0.1
    assert np.max(np.abs(one - rows)) > 0.1
