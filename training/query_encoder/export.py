"""From a trained student to `query.onnx`: parts, int8 and promise are the large encoder's."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx

from memory.adapters.onnx_encoder import QUERY_MODEL, SUMS
from training.embedding.export import pooled
from training.embedding.graph import BertShape, Graph, Precision, encode_tokens, lookup
from training.ner.model import PARTS, QKV
from training.quantize import FloatArray
from training.query_encoder.model import Student


def save(model: Student, folder: Path) -> Path:
    """Write the model into the large encoder's folder, and its line into SHA256SUMS."""
    path = folder / QUERY_MODEL
    path.write_bytes(build(model).SerializeToString(deterministic=True))
    lines = [line for line in (folder / SUMS).read_text().splitlines() if QUERY_MODEL not in line]
    lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {QUERY_MODEL}")
    (folder / SUMS).write_text("".join(f"{line}\n" for line in lines))
    return path


def build(model: Student, precision: Precision = Precision.INT8) -> onnx.ModelProto:
    """The graph of the model."""
    size, graph = model.size, Graph()
    shape = BertShape(layers=len(model.layers), heads=size.heads)
    hidden = encode_tokens(graph, _named(model), shape, precision)
    alone = lookup(graph, precision, model.alone.weight.detach().numpy(), "alone")
    return pooled(graph, graph.node("Add", [hidden, alone], "token_states"), size.hidden)


def _named(model: Student) -> dict[str, FloatArray]:
    """The weights as Hugging Face's BertModel names them."""
    ours = {name: value.detach().numpy() for name, value in model.state_dict().items()}
    named = {
        "embeddings.word_embeddings.weight": ours["words.weight"],
        "embeddings.position_embeddings.weight": ours["places.weight"],
        "embeddings.token_type_embeddings.weight": np.zeros((1, model.size.hidden), np.float32),
        "embeddings.LayerNorm.weight": ours["norm.weight"],
        "embeddings.LayerNorm.bias": ours["norm.bias"],
    }
    for place in range(len(model.layers)):
        prefix = f"encoder.layer.{place}."
        for kind in ("weight", "bias"):
            parts = np.split(ours[f"layers.{place}.qkv.{kind}"], len(QKV))
            for name, part in zip(QKV, parts, strict=True):
                named[f"{prefix}attention.self.{name}.{kind}"] = part
            for name, theirs in PARTS.items():
                named[f"{prefix}{theirs}.{kind}"] = ours[f"layers.{place}.{name}.{kind}"]
    return named
