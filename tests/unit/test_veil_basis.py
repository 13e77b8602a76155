"""The veil's basis comes from the encoder's folder, unchanged, or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from memory.adapters.veil_basis import FILE, load_basis
from memory.bootstrap import SHIPPED_ENCODER
from memory.errors import ConfigurationError


def _copy(tmp_path: Path) -> Path:
    for name in (FILE, "SHA256SUMS"):
        shutil.copy(SHIPPED_ENCODER / name, tmp_path / name)
    return tmp_path


def test_the_shipped_basis_is_orthonormal_and_in_order() -> None:
    basis = load_basis(SHIPPED_ENCODER, 384)
    assert basis.directions.shape == (384, len(basis.spread))
    np.testing.assert_allclose(
        basis.directions.T @ basis.directions, np.eye(len(basis.spread)), atol=2e-3
    )
    assert np.all(np.diff(basis.spread) <= 0)
    assert (basis.keep, basis.width, basis.noise) == (64, 1024, 0.25)


def test_an_encoder_without_a_basis_gets_the_plain_one(tmp_path: Path) -> None:
    basis = load_basis(tmp_path, 12)
    assert (basis.keep, basis.width) == (12, 24)


def test_a_changed_basis_is_refused(tmp_path: Path) -> None:
    file = _copy(tmp_path) / FILE
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(ConfigurationError, match="SHA-256"):
        load_basis(tmp_path, 384)


def test_another_encoders_basis_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="dimensions"):
        load_basis(_copy(tmp_path), 512)


def test_a_basis_without_its_sums_is_refused(tmp_path: Path) -> None:
    (_copy(tmp_path) / "SHA256SUMS").unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_basis(tmp_path, 384)
