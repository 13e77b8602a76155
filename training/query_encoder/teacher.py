"""What the large encoder, as shipped, says of each text: the vectors to come near to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
from numpy.typing import NDArray
from tokenizers import Tokenizer

from memory.adapters.onnx_encoder import MODEL, TOKENIZER, OnnxEncoder
from memory.core.values import PseudonymizedText

MAX_TOKENS: Final = 128
"""Longer texts are learnt by their beginning; hardly a question is as long."""

_TOGETHER: Final = 2048


def label(texts: Sequence[str], encoder_folder: Path) -> NDArray[np.float16]:
    """Unit rows (n, d), in the order of the texts."""
    encoder = OnnxEncoder(encoder_folder, max_tokens=MAX_TOKENS)
    vectors = np.empty((len(texts), encoder.dimensions), np.float16)
    # Texts of one length share runs, so that neighbours by length are embedded together.
    order = np.argsort([len(text) for text in texts], kind="stable")
    for start in range(0, len(texts), _TOGETHER):
        some = order[start : start + _TOGETHER]
        vectors[some] = encoder.encode([PseudonymizedText(texts[i]) for i in some])
    encoder.close()
    return vectors


def label_tokens(encoder_folder: Path) -> NDArray[np.float32]:
    """What it says of each token by itself: unit rows (vocabulary, d)."""
    session = ort.InferenceSession(encoder_folder / MODEL)
    tokenizer = Tokenizer.from_file(str(encoder_folder / TOKENIZER))
    ids = np.arange(tokenizer.get_vocab_size())
    start, stop = (np.full_like(ids, tokenizer.token_to_id(t)) for t in ("[CLS]", "[SEP]"))
    rows = np.stack([start, ids, stop], axis=1)
    made = []
    for at in range(0, len(rows), _TOGETHER):
        some = rows[at : at + _TOGETHER]
        feed = {"input_ids": some, "attention_mask": np.ones_like(some)}
        made.append(session.run(None, feed)[0])
    return np.concatenate(made)
