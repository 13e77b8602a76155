"""Where a run starts: the backbone, weights of an earlier run, or a shipped int8 file.

The int8 file holds what an earlier run learned, rounded: enough to go on from. What it lacks (a
wider table of features, positions past its window) comes from the backbone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from training.ner.model import Tagger
from training.quantize import FloatArray


def go_on_from(model: Tagger, path: Path) -> None:
    """Load ``weights.pt``, or what can be had of a ``model.onnx``, into ``model``."""
    state = model.state_dict()
    if path.suffix != ".onnx":
        state.update(torch.load(path, map_location="cpu"))
    else:
        for name, value in read_int8(path).items():
            rows = torch.from_numpy(value)
            if name == "shapes.weight":  # a word of any kind starts as one of none
                rows = rows.repeat(len(state[name]) // len(rows), 1)
            state[name][: len(rows)] = rows
    model.load_state_dict(state)


def read_int8(path: Path) -> Mapping[str, FloatArray]:
    """The weights of an exported model by parameter name, float32."""
    held = {i.name: numpy_helper.to_array(i) for i in onnx.load(path).graph.initializer}
    weights: dict[str, FloatArray] = {}
    for name, value in held.items():
        stem, _, kind = name.rpartition(".")
        if kind == "table":
            scales = held.get(f"{stem}.scales", np.float32(1))
            weights[f"{stem}.weight"] = (value * scales).astype(np.float32)
        elif kind == "weight" and value.ndim == 2:
            scales = held.get(f"{stem}.scales", np.float32(1))
            rows = np.ascontiguousarray((value * scales).astype(np.float32).T)
            weights[f"{stem.removesuffix('.product')}.weight"] = rows
        elif kind in ("weight", "bias"):
            weights[name] = value.astype(np.float32)
    return weights
