"""Fits the veil's basis: in which directions an encoder's vectors vary, on public text.

    python -m training.embedding.basis --encoder FOLDER TEXTS.jsonl...

Each file holds one `{"text"}` a line; the first 2,500 different texts of each count. They are
treated as memories are: what detection finds is taken out, the rest embedded. Writes
`veil_basis.npz` into the encoder's folder and its line into SHA256SUMS.

The basis is public. It holds no text, and is no secret of anyone's.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from memory.adapters.detection.analyzer import PresidioDetector
from memory.adapters.detection.catalogue import Catalogue
from memory.adapters.detection.shipped import shipped_model
from memory.adapters.onnx_encoder import OnnxEncoder
from memory.adapters.veil_basis import FILE
from memory.core.embedding_text import embedding_text
from memory.core.policy import DIRECT
from memory.core.values import RawText

TEXTS_OF_EACH: Final = 2500
DIRECTIONS: Final = 128
"""More than are kept, so that a tenant may keep more."""

KEEP: Final = 64
WIDTH: Final = 1024
NOISE: Final = 0.25
"""What `benchmarks.leakage` recommends for MiniLM-L6: ADR 10."""

_BATCH: Final = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--encoder", type=Path, required=True, help="folder of the encoder")
    parser.add_argument("texts", type=Path, nargs="+", help="files of public text (*.jsonl)")
    options = parser.parse_args()
    data = as_file(embed([text for file in options.texts for text in read(file)], options.encoder))
    (options.encoder / FILE).write_bytes(data)
    sums = options.encoder / "SHA256SUMS"
    kept = [line for line in sums.read_text("utf-8").splitlines() if not line.endswith(FILE)]
    kept.append(f"{hashlib.sha256(data).hexdigest()}  {FILE}")
    sums.write_text("\n".join(kept) + "\n", "utf-8")


def read(file: Path) -> list[str]:
    """The first different texts of a file."""
    lines = file.read_text("utf-8").splitlines()
    return list(dict.fromkeys(json.loads(line)["text"] for line in lines))[:TEXTS_OF_EACH]


def embed(texts: Sequence[str], folder: Path) -> NDArray[np.float32]:
    """Exact vectors, shape (n, d), of the texts without what detection finds."""
    detector = PresidioDetector(Catalogue(shipped_model())).under(DIRECT)
    encoder = OnnxEncoder(folder)
    ready = [embedding_text(RawText(text), detector.detect(RawText(text))) for text in texts]
    return np.concatenate(
        [encoder.encode(ready[at : at + _BATCH]) for at in range(0, len(ready), _BATCH)]
    )


def as_file(vectors: NDArray[np.float32]) -> bytes:
    """Principal directions and the spread along them."""
    exact = vectors.astype(np.float64)
    mean = exact.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov((exact - mean).T))
    order = np.argsort(-variances)[:DIRECTIONS]
    # Of either sign of an eigenvector, the one whose largest entry is positive.
    chosen = directions[:, order]
    chosen *= np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(len(order))])
    buffer = io.BytesIO()
    np.savez(
        buffer,
        mean=mean.astype(np.float32),
        directions=chosen.astype(np.float16),
        spread=np.sqrt(variances[order]).astype(np.float32),
        keep=np.int64(KEEP),
        width=np.int64(WIDTH),
        noise=np.float64(NOISE),
    )
    return buffer.getvalue()


if __name__ == "__main__":
    main()
