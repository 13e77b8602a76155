"""From published weights to a model folder: model.onnx, tokenizer.json, SHA256SUMS.

The same source gives the same bytes. A text's embedding is the mean of its token states,
scaled to length 1, both inside the graph.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto

from training.embedding.graph import BertShape, Graph, Precision, Product, encode_tokens, product
from training.embedding.source import Source, fetch
from training.quantize import FloatArray

SHAPE: Final = BertShape(layers=6, heads=12)
BATCH_INDEPENDENT: Final = {"tacit.batch_independent": "true"}
"""Read by the encoder adapter: texts of one length may share a run of this model."""


def sentence_model(
    weights: Mapping[str, FloatArray], precision: Precision, multiply: Product = product
) -> onnx.ModelProto:
    """MiniLM-L6-v2 with output `sentence_embedding` (batch, 384), rows of length 1."""
    graph = Graph()
    hidden = encode_tokens(graph, weights, SHAPE, precision, multiply)
    return pooled(graph, hidden, weights["embeddings.LayerNorm.weight"].shape[0])


def pooled(graph: Graph, hidden: str, width: int) -> onnx.ModelProto:
    """The finished model: from token states (batch, tokens, width) to one unit row a text."""
    # The mean up to its length, which the norm takes out again: mask (b, 1, t) @ hidden (b, t, h).
    middle_axis = graph.constant("middle_axis", np.array([1], np.int64))
    graph.node("Cast", ["attention_mask"], "mask_float", to=TensorProto.FLOAT)
    graph.node("Unsqueeze", ["mask_float", middle_axis], "mask_row")
    graph.node("MatMul", ["mask_row", hidden], "sum_row")
    graph.node("Squeeze", ["sum_row", middle_axis], "sum")
    last_axis = graph.constant("last_axis", np.array([-1], np.int64))
    graph.node("ReduceL2", ["sum", last_axis], "norm", keepdims=1)
    graph.node("Div", ["sum", "norm"], "sentence_embedding")
    return graph.model("sentence_embedding", ["batch", width], BATCH_INDEPENDENT)


def write_folder(source: Source, folder: Path, precision: Precision) -> Path:
    """Build the model and write the folder's three files; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "model.onnx": sentence_model(source.weights, precision).SerializeToString(
            deterministic=True
        ),
        "tokenizer.json": source.tokenizer,
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items())
    (folder / "SHA256SUMS").write_text(sums)
    return folder


def build_fp32(folder: Path) -> Path:
    """The unquantized model in `folder`, for benchmarks; built once, then reused.

    Fetches the weights with pip on the first call and raises as `source.fetch` does.
    """
    if not (folder / "SHA256SUMS").exists():
        write_folder(fetch(), folder, Precision.FP32)
    return folder
