"""The veil keeps what a query needs, and little of what lies between two records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memory.core.values import RecordId, Secret
from memory.core.veil import Basis, Veil

D, KEPT, WIDTH = 48, 16, 192
RANDOM = np.random.default_rng(7)
BASIS = Basis(
    mean=np.full(D, 0.05, np.float32),
    directions=np.eye(D, KEPT, dtype=np.float32),
    spread=np.linspace(0.3, 0.1, KEPT, dtype=np.float32),
    keep=KEPT,
    width=WIDTH,
    noise=0.25,
)
VEIL = Veil(BASIS, WIDTH, 0.25)
KEY, OTHER_KEY = (Secret(bytes([n]) * 32) for n in (1, 2))


def _unit(count: int) -> np.ndarray:
    spread = np.concatenate((BASIS.spread, np.full(D - KEPT, 0.03)))
    rows = (RANDOM.standard_normal((count, D)) * spread + BASIS.mean).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _ids(count: int, first: int = 0) -> list[RecordId]:
    return [RecordId(n.to_bytes(16, "big")) for n in range(first, first + count)]


def _veiled(rows: np.ndarray, key: Secret = KEY, first: int = 0, veil: Veil = VEIL) -> np.ndarray:
    made = veil.records(key, veil.subspace(key), _ids(len(rows), first), rows)
    return np.stack([v.value for v in made])


def test_the_secret_subspace_has_orthonormal_columns() -> None:
    subspace = VEIL.subspace(KEY)
    assert subspace.shape == (WIDTH, KEPT)
    np.testing.assert_allclose(subspace.T @ subspace, np.eye(KEPT), atol=1e-5)


def test_veiled_vectors_are_unit_vectors_of_the_width() -> None:
    veiled = _veiled(_unit(5))
    assert veiled.shape == (5, WIDTH)
    assert veiled.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(veiled, axis=1), 1, atol=1e-5)


def test_the_same_record_gets_the_same_veil_alone_or_among_others() -> None:
    rows = _unit(4)
    np.testing.assert_array_equal(_veiled(rows)[2], _veiled(rows[2:3], first=2)[0])


def test_a_query_finds_what_is_near_exactly() -> None:
    rows = _unit(400)
    veiled = _veiled(rows)
    found = []
    for row in rows[:50]:
        query = row + 0.02 * RANDOM.standard_normal(D).astype(np.float32)
        hidden = VEIL.query(VEIL.subspace(KEY), query).value
        exact = set(np.argsort(-(rows @ query))[:10])
        found.append(len(exact & set(np.argsort(-(veiled @ hidden))[:100])) / 10)
    assert np.mean(found) > 0.95


def test_without_noise_a_plain_veil_ranks_as_the_exact_vectors_do() -> None:
    rows = _unit(30)
    plain = Veil(Basis.plain(D), D, 0.0)
    veiled = _veiled(rows, veil=plain)
    hidden = plain.query(plain.subspace(KEY), rows[0]).value
    np.testing.assert_allclose(veiled @ hidden, rows @ rows[0], atol=1e-5)


def test_two_records_of_the_same_text_hardly_resemble_each_other() -> None:
    rows = np.repeat(_unit(1), 200, axis=0)
    veiled = _veiled(rows)
    between = (veiled @ veiled.T)[np.triu_indices(200, 1)]
    assert np.mean(between) < 0.3


def test_storing_a_record_again_gives_a_thief_nothing_new() -> None:
    row = _unit(1)
    np.testing.assert_array_equal(_veiled(row), _veiled(row))


def test_two_versions_of_a_record_share_no_noise() -> None:
    first, second = _unit(2)
    one, other = _veiled(first[np.newaxis])[0], _veiled(second[np.newaxis])[0]
    outside = np.eye(WIDTH) - VEIL.subspace(KEY) @ VEIL.subspace(KEY).T
    assert abs(float(one @ outside @ other)) < 0.3


def test_equal_vectors_of_two_people_look_unrelated() -> None:
    rows = _unit(200)
    cosines = np.sum(_veiled(rows) * _veiled(rows, OTHER_KEY), axis=1)
    assert abs(float(np.mean(cosines))) < 0.05


def test_the_version_tells_every_change_of_the_veil() -> None:
    basis = replace(BASIS, mean=BASIS.mean + 1)
    others = [
        Veil(BASIS, WIDTH, 0.3),
        Veil(BASIS, WIDTH + 1, 0.25),
        Veil(BASIS.first(8), 192, 0.25),
    ]
    versions = {veil.version for veil in [VEIL, *others, Veil(basis, WIDTH, 0.25)]}
    assert len(versions) == 5
    assert Veil(BASIS, WIDTH, 0.25).version == VEIL.version


def test_a_veil_narrower_than_what_it_keeps_is_refused() -> None:
    with pytest.raises(ValueError, match="wide"):
        Veil(BASIS, KEPT - 1, 0.0)


def test_the_frozen_veil_of_version_two() -> None:
    basis = Basis.plain(3)
    veil = Veil(basis, 5, 0.5)
    assert veil.version == "c7c5813f"
    row = np.array([[0.6, 0.0, 0.8]], np.float32)
    (hidden,) = veil.records(KEY, veil.subspace(KEY), [RecordId(bytes(range(16)))], row)
    np.testing.assert_allclose(
        hidden.value, [-0.241585, -0.8227655, -0.0153536, -0.46292, 0.2239708], atol=1e-6
    )
    query = veil.query(veil.subspace(KEY), row[0]).value
    np.testing.assert_allclose(
        query, [-0.11095, -0.2709965, 0.0642748, -0.8767999, 0.3759544], atol=1e-6
    )
