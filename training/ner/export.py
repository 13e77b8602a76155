"""From trained weights to the shipped int8 ONNX file.

The parts are those of the embedding model (``training.embedding.graph``): int8 weights with a
scale per column, int8 activations with a scale per *token*. So what is found in a text never
depends on which other text shared its batch, as it would with plain dynamic quantization.

Inputs: ``ids`` and ``shapes`` (the words' features), int64 (batch, tokens). Output:
``probabilities``, float (batch, tokens, labels). There is no padding mask: the windows of one call
are equally long.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from training.embedding.graph import (
    IR_VERSION,
    MICROSOFT,
    OPSET,
    Graph,
    Precision,
    linear,
    product,
)
from training.ner.encode import MAX_TOKENS
from training.ner.model import Tagger
from training.quantize import FloatArray, quantize_rows

_POSITIONS = MAX_TOKENS + 2
"""Rows of the position table that are shipped: a window and its two special tokens."""


def save(model: Tagger, path: Path, precision: Precision = Precision.INT8) -> None:
    """Write ``model`` to ``path``."""
    made = build(model, precision)
    onnx.checker.check_model(made)
    path.write_bytes(made.SerializeToString())


def build(model: Tagger, precision: Precision) -> onnx.ModelProto:
    """Write the graph of ``model``."""
    weights = {
        name: value.detach().float().cpu().numpy() for name, value in model.state_dict().items()
    }
    graph = Graph()
    hidden = _embeddings(graph, weights, precision)
    for index in range(model.size.layers):
        hidden = _layer(graph, weights, precision, hidden, f"layers.{index}", model.size.heads)
    logits = linear(
        graph, Precision.FP32, hidden, weights["head.weight"], weights["head.bias"], "head"
    )
    graph.node("Softmax", [logits], "probabilities", axis=-1)
    value = helper.make_tensor_value_info
    inputs = [value(name, TensorProto.INT64, ["batch", "tokens"]) for name in ("ids", "shapes")]
    labels = weights["head.bias"].shape[0]
    output = value("probabilities", TensorProto.FLOAT, ["batch", "tokens", labels])
    made = helper.make_graph(
        graph.nodes, "tagger", inputs, [output], list(graph.constants.values())
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(
        made, producer_name="tacit", ir_version=IR_VERSION, opset_imports=opsets
    )


def _embeddings(graph: Graph, weights: Mapping[str, FloatArray], precision: Precision) -> str:
    table = weights["words.weight"]
    if precision is Precision.FP32:
        words = graph.node("Gather", [graph.constant("words.table", table), "ids"], "words")
    else:
        small, scales = quantize_rows(table)
        graph.node("Gather", [graph.constant("words.table", small), "ids"], "words.int8")
        graph.node("Gather", [graph.constant("words.scales", scales), "ids"], "words.scale")
        graph.node("Cast", ["words.int8"], "words.float", to=TensorProto.FLOAT)
        words = graph.node("Mul", ["words.float", "words.scale"], "words")
    shapes = graph.constant("shapes.table", weights["shapes.weight"])
    graph.node("Gather", [shapes, "shapes"], "shapes.rows")
    places = graph.constant("places.table", weights["places.weight"][:_POSITIONS])
    zero = graph.constant("zero", np.array([0], np.int64))
    graph.node("Shape", ["ids"], "length", start=1, end=2)
    graph.node("Slice", [places, zero, "length", zero], "places.rows")
    graph.node("Add", [words, "shapes.rows"], "words.shaped")
    graph.node("Add", ["words.shaped", "places.rows"], "words.placed")
    norm = _norm(graph, weights, "norm")
    return graph.node("LayerNormalization", ["words.placed", *norm], "embedded", epsilon=1e-12)


def _layer(
    graph: Graph,
    weights: Mapping[str, FloatArray],
    precision: Precision,
    hidden: str,
    name: str,
    heads: int,
) -> str:
    def multiply(x: str, part: str) -> str:
        weight = weights[f"{name}.{part}.weight"]
        return product(graph, precision, x, weight, f"{name}.{part}.product")

    def bias(part: str) -> str:
        return graph.constant(f"{name}.{part}.bias", weights[f"{name}.{part}.bias"])

    def add_norm(x: str, part: str, residual: str, norm: str) -> str:
        shifted = graph.node("Add", [multiply(x, part), bias(part)], f"{name}.{part}")
        summed = graph.node("Add", [shifted, residual], f"{name}.{part}.sum")
        scale = _norm(graph, weights, f"{name}.{norm}")
        return graph.node(
            "LayerNormalization", [summed, *scale], f"{name}.{norm}", axis=-1, epsilon=1e-12
        )

    parts = [f"{name}.{part}" for part in ("query", "key", "value")]
    graph.nodes.append(
        helper.make_node("Split", [multiply(hidden, "qkv")], parts, axis=2, num_outputs=3)
    )
    mixed = graph.node(
        "MultiHeadAttention",
        [*parts, bias("qkv")],
        f"{name}.mixed",
        domain=MICROSOFT,
        num_heads=heads,
    )
    hidden = add_norm(mixed, "out", hidden, "norm1")
    active = graph.node(
        "BiasGelu", [multiply(hidden, "up"), bias("up")], f"{name}.gelu", domain=MICROSOFT
    )
    return add_norm(active, "down", hidden, "norm2")


def _norm(graph: Graph, weights: Mapping[str, FloatArray], name: str) -> list[str]:
    return [
        graph.constant(f"{name}.{kind}", weights[f"{name}.{kind}"]) for kind in ("weight", "bias")
    ]
