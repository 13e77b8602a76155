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


def product(graph: Graph, precision: Precision, x: str, weight: FloatArray, name: str) -> str:
    """Name of (…, n): x (…, k) times weight (n, k) transposed."""
    matrix = np.ascontiguousarray(weight.T)
    if precision is Precision.FP32:
        return graph.node("MatMul", [x, graph.constant(f"{name}.weight", matrix)], name)
    return _int8_product(graph, x, matrix, name)


def linear(
    graph: Graph, precision: Precision, x: str, weight: FloatArray, bias: FloatArray, name: str
) -> str:
    """Name of (…, n): the `product` of x and weight, plus bias (n,)."""
    plain = product(graph, precision, x, weight, f"{name}.product")
    return graph.node("Add", [plain, graph.constant(f"{name}.bias", bias)], name)


def lookup(graph: Graph, precision: Precision, table: FloatArray, name: str) -> str:
    """Name of (b, t, d): the row of table (vocabulary, d) of each token."""
    if precision is Precision.FP32:
        return graph.node("Gather", [graph.constant(f"{name}.table", table), "input_ids"], name)
    quantized, scales = quantize_rows(table)
    rows, steps = (
        graph.constant(f"{name}.table", quantized),
        graph.constant(f"{name}.scales", scales),
    )
    graph.node("Gather", [rows, "input_ids"], f"{name}.int8")
    graph.node("Gather", [steps, "input_ids"], f"{name}.scale")
    graph.node("Cast", [f"{name}.int8"], f"{name}.float", to=TensorProto.FLOAT)
    return graph.node("Mul", [f"{name}.float", f"{name}.scale"], name)


def _int8_product(graph: Graph, x: str, matrix: FloatArray, name: str) -> str:
    """Name of (…, n): x (…, k) @ matrix (k, n) in int8, one scale per token and per column."""
    quantized, scales = quantize_columns(matrix)
    step = graph.constant("step", np.array(1 / _ACTIVATION_LEVELS, np.float32))
    middle = graph.constant("middle", np.array(128, np.uint8))
    row_scale, row = _quantized_rows(graph, x, step, middle)
    scaled = graph.node(
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
    return graph.node("Mul", [scaled, row_scale], name)


def _quantized_rows(graph: Graph, x: str, step: str, middle: str) -> tuple[str, str]:
    """Names of the largest magnitude (…, 1) of each token of x, and of x as uint8 of it."""
    scale, row = f"{x}.largest", f"{x}.uint8"
    last = graph.constant("last_axis", np.array([-1], np.int64))
    graph.node("Abs", [x], f"{x}.abs")
    graph.node("ReduceMax", [f"{x}.abs", last], f"{x}.max", keepdims=1)
    smallest = graph.constant("smallest", np.array(1e-12, np.float32))
    graph.node("Max", [f"{x}.max", smallest], scale)
    graph.node("Div", [x, scale], f"{x}.unit")
    graph.node("QuantizeLinear", [f"{x}.unit", step, middle], row)
    return scale, row


Product = Callable[[Graph, Precision, str, FloatArray, str], str]
"""How a layer multiplies, see `product`."""


def encode_tokens(
    graph: Graph,
    weights: Mapping[str, FloatArray],
    shape: BertShape,
    precision: Precision,
    multiply: Product = product,
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
    multiply: Product

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
        word_table = self.weights["embeddings.word_embeddings.weight"]
        words = lookup(graph, self.precision, word_table, "words")
        summed = graph.node("Add", [words, "positions.used"], "embeddings.sum")
        scale, shift = self._norm("embeddings.LayerNorm")
        return graph.node(
            "LayerNormalization",
            [summed, scale, shift],
            "embeddings",
            axis=-1,
            epsilon=self.shape.epsilon,
        )

    def layer(self, index: int, hidden: str) -> str:
        """One transformer layer: (b, t, h) in, (b, t, h) out."""
        prefix = f"encoder.layer.{index}"
        attention, own = f"{prefix}.attention", f"{prefix}.attention.self"
        parts = [f"{own}.{part}" for part in ("query", "key", "value")]
        weight, bias = (
            np.concatenate([self.weights[f"{part}.{kind}"] for part in parts])
            for kind in ("weight", "bias")
        )
        together = self.multiply(self.graph, self.precision, hidden, weight, f"{own}.product")
        self.graph.nodes.append(
            helper.make_node("Split", [together], parts, axis=2, num_outputs=3, name=own)
        )
        context = self.graph.node(
            "MultiHeadAttention",
            [*parts, self.graph.constant(f"{own}.bias", bias), "mask_int32"],
            f"{attention}.context",
            domain=MICROSOFT,
            num_heads=self.shape.heads,
        )
        hidden = self._add_norm(context, hidden, f"{attention}.output")
        wide = f"{prefix}.intermediate.dense"
        active = self.graph.node(
            "BiasGelu",
            [self._product(hidden, wide), self._bias(wide)],
            f"{prefix}.gelu",
            domain=MICROSOFT,
        )
        return self._add_norm(active, hidden, f"{prefix}.output")

    def _product(self, x: str, name: str) -> str:
        weight = self.weights[f"{name}.weight"]
        return self.multiply(self.graph, self.precision, x, weight, f"{name}.product")

    def _bias(self, name: str) -> str:
        return self.graph.constant(f"{name}.bias", self.weights[f"{name}.bias"])

    def _add_norm(self, x: str, residual: str, name: str) -> str:
        """The dense layer of x, added to the residual and normalised.

        Not SkipLayerNormalization: on a CPU it takes twice as long as these three.
        """
        dense = f"{name}.dense"
        shifted = self.graph.node("Add", [self._product(x, dense), self._bias(dense)], dense)
        summed = self.graph.node("Add", [shifted, residual], f"{name}.sum")
        return self.graph.node(
            "LayerNormalization",
            [summed, *self._norm(f"{name}.LayerNorm")],
            f"{name}.LayerNorm",
            axis=-1,
            epsilon=self.shape.epsilon,
        )

    def _norm(self, name: str) -> tuple[str, str]:
        scale, shift = f"{name}.weight", f"{name}.bias"
        return (
            self.graph.constant(scale, self.weights[scale]),
            self.graph.constant(shift, self.weights[shift]),
        )
