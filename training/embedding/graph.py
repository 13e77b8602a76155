"""A BERT encoder as an ONNX graph, written node by node from its weights.

Rules:
- A row of the output depends on its own row of the input and on the padded length, bit for bit.
  `Precision.INT8` keeps this: activations get one scale per token (not per tensor, as plain
  dynamic quantization does), and the integer product is exact in whatever order it is summed.
- Inputs: `input_ids`, `attention_mask`, int64 (batch, tokens). The token type is always 0 and
  is folded into the positions.
- com.microsoft nodes are ONNX Runtime's own; they run on its CPU provider everywhere.

Notation: b batch, t tokens, h hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from training.quantize import FloatArray, quantize_columns, quantize_rows

OPSET: Final = 18
IR_VERSION: Final = 9
MICROSOFT: Final = "com.microsoft"
_ACTIVATION_LEVELS: Final = 127


class Precision(Enum):
    """How weights are stored and multiplied."""

    FP32 = "fp32"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class BertShape:
    """What the weights do not say by themselves."""

    layers: int
    heads: int
    epsilon: float = 1e-12


@dataclass(slots=True)
class Graph:
    """Nodes and constants in the making. Every node is named like its one output."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def node(
        self,
        kind: str,
        inputs: Sequence[str],
        name: str,
        *,
        domain: str = "",
        **attributes: Any,
    ) -> str:
        self.nodes.append(
            helper.make_node(kind, inputs, [name], name=name, domain=domain, **attributes)
        )
        return name

    def model(
        self, output: str, shape: Sequence[str | int], metadata: Mapping[str, str]
    ) -> onnx.ModelProto:
        """The finished, checked model: the two inputs, one float32 output of this shape."""
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
            for name in ("input_ids", "attention_mask")
        ]
        result = helper.make_tensor_value_info(output, TensorProto.FLOAT, list(shape))
        graph = helper.make_graph(
            self.nodes, "encoder", inputs, [result], list(self.constants.values())
        )
        model = helper.make_model(
            graph,
            producer_name="tacit",
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)],
        )
        helper.set_model_props(model, dict(metadata))
        onnx.checker.check_model(model)
        return model


def linear(
    graph: Graph, precision: Precision, x: str, weight: FloatArray, bias: FloatArray, name: str
) -> str:
    """Name of (…, n): x (…, k) times weight (n, k) transposed, plus bias (n,)."""
    matrix = np.ascontiguousarray(weight.T)
    if precision is Precision.FP32:
        product = graph.node(
            "MatMul", [x, graph.constant(f"{name}.weight", matrix)], f"{name}.product"
        )
    else:
        product = _int8_product(graph, x, matrix, name)
    return graph.node("Add", [product, graph.constant(f"{name}.bias", bias)], name)


def _int8_product(graph: Graph, x: str, matrix: FloatArray, name: str) -> str:
    """Name of (…, n): x (…, k) @ matrix (k, n) in int8, one scale per token and per column."""
    quantized, scales = quantize_columns(matrix)
    step = graph.constant("step", np.array(1 / _ACTIVATION_LEVELS, np.float32))
    middle = graph.constant("middle", np.array(128, np.uint8))
    row_scale, row = _quantized_rows(graph, x, step, middle)
    product = graph.node(
        "MatMulIntegerToFloat",
        [
            row,
            graph.constant(f"{name}.weight", quantized),
            step,
            graph.constant(f"{name}.scales", scales),
            middle,
        ],
        f"{name}.int8",
        domain=MICROSOFT,
    )
    return graph.node("Mul", [product, row_scale], f"{name}.product")


def _quantized_rows(graph: Graph, x: str, step: str, middle: str) -> tuple[str, str]:
    """Names of the largest magnitude (…, 1) of each token of x, and of x as uint8 of it."""
    scale, row = f"{x}.largest", f"{x}.uint8"
    if all(node.name != row for node in graph.nodes):
        last = graph.constant("last_axis", np.array([-1], np.int64))
        graph.node("Abs", [x], f"{x}.abs")
        graph.node("ReduceMax", [f"{x}.abs", last], f"{x}.max", keepdims=1)
        smallest = graph.constant("smallest", np.array(1e-12, np.float32))
        graph.node("Max", [f"{x}.max", smallest], scale)
        graph.node("Div", [x, scale], f"{x}.unit")
        graph.node("QuantizeLinear", [f"{x}.unit", step, middle], row)
    return scale, row


Linear = Callable[[Graph, Precision, str, FloatArray, FloatArray, str], str]
"""How a layer multiplies, see `linear`."""


def encode_tokens(
    graph: Graph,
    weights: Mapping[str, FloatArray],
    shape: BertShape,
    precision: Precision,
    multiply: Linear = linear,
) -> str:
    """Add the embeddings and all layers; returns the name of the hidden states (b, t, h).

    `weights` are named as Hugging Face's BertModel names them, without a prefix.
    """
    bert = _Bert(graph, weights, shape, precision, multiply)
    hidden = bert.embeddings()
    graph.node("Cast", ["attention_mask"], "mask_int32", to=TensorProto.INT32)
    for layer in range(shape.layers):
        hidden = bert.layer(layer, hidden)
    return hidden


@dataclass(frozen=True, slots=True)
class _Bert:
    graph: Graph
    weights: Mapping[str, FloatArray]
    shape: BertShape
    precision: Precision
    multiply: Linear

    def embeddings(self) -> str:
        """Words + positions + token type 0, normalised: (b, t, h)."""
        graph, zero = self.graph, self.graph.constant("zero", np.array([0], np.int64))
        positions = (
            self.weights["embeddings.position_embeddings.weight"]
            + self.weights["embeddings.token_type_embeddings.weight"][0]
        )
        length = graph.node("Shape", ["input_ids"], "length", start=1, end=2)
        table = graph.constant("positions", positions)
        graph.node("Slice", [table, zero, length, zero], "positions.used")
        summed = graph.node("Add", [self._words(), "positions.used"], "embeddings.sum")
        scale, shift = self._norm("embeddings.LayerNorm")
        return graph.node(
            "LayerNormalization",
            [summed, scale, shift],
            "embeddings",
            axis=-1,
            epsilon=self.shape.epsilon,
        )

    def _words(self) -> str:
        graph, table = self.graph, self.weights["embeddings.word_embeddings.weight"]
        if self.precision is Precision.FP32:
            return graph.node(
                "Gather", [graph.constant("words.table", table), "input_ids"], "words"
            )
        quantized, scales = quantize_rows(table)
        graph.node("Gather", [graph.constant("words.table", quantized), "input_ids"], "words.int8")
        graph.node("Gather", [graph.constant("words.scales", scales), "input_ids"], "words.scale")
        graph.node("Cast", ["words.int8"], "words.float", to=TensorProto.FLOAT)
        return graph.node("Mul", ["words.float", "words.scale"], "words")

    def layer(self, index: int, hidden: str) -> str:
        """One transformer layer: (b, t, h) in, (b, t, h) out."""
        prefix = f"encoder.layer.{index}"
        attention = f"{prefix}.attention"
        parts = [
            self._linear(hidden, f"{attention}.self.{part}") for part in ("query", "key", "value")
        ]
        context = self.graph.node(
            "MultiHeadAttention",
            [*parts, "", "mask_int32"],
            f"{attention}.context",
            domain=MICROSOFT,
            num_heads=self.shape.heads,
        )
        attended = self._linear(context, f"{attention}.output.dense")
        hidden = self._add_norm(attended, hidden, f"{attention}.output.LayerNorm")
        wide = self._linear(hidden, f"{prefix}.intermediate.dense")
        active = self.graph.node("Gelu", [wide], f"{prefix}.gelu", domain=MICROSOFT)
        narrow = self._linear(active, f"{prefix}.output.dense")
        return self._add_norm(narrow, hidden, f"{prefix}.output.LayerNorm")

    def _linear(self, x: str, name: str) -> str:
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return self.multiply(self.graph, self.precision, x, weight, bias, name)

    def _add_norm(self, x: str, residual: str, name: str) -> str:
        return self.graph.node(
            "SkipLayerNormalization",
            [x, residual, *self._norm(name)],
            name,
            domain=MICROSOFT,
            epsilon=self.shape.epsilon,
        )

    def _norm(self, name: str) -> tuple[str, str]:
        scale, shift = f"{name}.weight", f"{name}.bias"
        return (
            self.graph.constant(scale, self.weights[scale]),
            self.graph.constant(shift, self.weights[shift]),
        )
