"""The basis of the veil, from the folder of the encoder it was fitted to.

    veil_basis.npz   mean (d,), directions (d, k), spread (k,), keep, width, noise

Rules:
- Its SHA-256 stands in the folder's SHA256SUMS: a changed basis would quietly change the veil.
- An encoder without one gets the plain basis, which hides less; the log says so.
"""

from __future__ import annotations

import hashlib
import io
import logging
from pathlib import Path
from typing import Final

import numpy as np

from memory.core.veil import Basis
from memory.errors import ConfigurationError

log = logging.getLogger(__name__)

FILE: Final = "veil_basis.npz"
_SUMS: Final = "SHA256SUMS"


def load_basis(folder: Path, dimensions: int) -> Basis:
    """The basis in the encoder's folder, for vectors of `dimensions`.

    Raises:
        ConfigurationError: it is damaged, or made for another encoder.
    """
    file = folder / FILE
    if not file.exists():
        log.warning("this encoder comes without %s: vectors are veiled less well", FILE)
        return Basis.plain(dimensions)
    try:
        data = file.read_bytes()
        sums = (folder / _SUMS).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read ({type(error).__name__})") from None
    if f"{hashlib.sha256(data).hexdigest()}  {FILE}" not in sums:
        raise ConfigurationError(f"{file} does not have the SHA-256 that {_SUMS} states")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        basis = Basis(
            mean=arrays["mean"].astype(np.float32),
            directions=arrays["directions"].astype(np.float32),
            spread=arrays["spread"].astype(np.float32),
            keep=int(arrays["keep"]),
            width=int(arrays["width"]),
            noise=float(arrays["noise"]),
        )
    if basis.directions.shape != (dimensions, len(basis.spread)):
        raise ConfigurationError(f"{file} was not made for vectors of {dimensions} dimensions")
    return basis
