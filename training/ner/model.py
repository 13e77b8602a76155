"""The encoder that is fine-tuned: BERT's six MiniLM layers and a token classifier, in plain torch.

Written out here, rather than taken from a library, because three things differ from the usual:

- token type ids carry the *written shape* of a word (lower, Title, CAPS, mixed), which the
  lower-casing tokenizer throws away, and whether the word is *known* as a given name, a family
  name or a place; a lower-cased text simply has shape 0 everywhere, so one model reads both;
- a label may be partly known (see ``labels.py``), so the loss takes the set of allowed labels;
- the parameter names stay those of the checkpoint, so that loading and export are dictionaries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from memory.adapters.ner_words import FEATURES
from training.quantize import FloatArray

HEADS = 12
QKV = ("query", "key", "value")
_QKV = tuple(f"attention.self.{part}" for part in QKV)
PARTS = {
    "out": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "norm2": "output.LayerNorm",
}
"""The other parts of a ``Layer``, and what the checkpoint calls them."""


@dataclass(frozen=True)
class Dimensions:
    """The sizes of the backbone."""

    vocabulary: int
    hidden: int
    layers: int
    inner: int
    positions: int
    heads: int = HEADS

    @classmethod
    def of(cls, weights: Mapping[str, FloatArray]) -> Dimensions:
        """Read the sizes off the weights."""
        vocabulary, hidden = weights["embeddings.word_embeddings.weight"].shape
        return cls(
            vocabulary=vocabulary,
            hidden=hidden,
            layers=1 + max(int(name.split(".")[2]) for name in weights if ".layer." in name),
            inner=weights["encoder.layer.0.intermediate.dense.weight"].shape[0],
            positions=weights["embeddings.position_embeddings.weight"].shape[0],
        )


class Layer(nn.Module):
    """One post-norm transformer layer, as in BERT."""

    def __init__(self, size: Dimensions, dropout: float, epsilon: float = 1e-12) -> None:
        super().__init__()
        self.heads = size.heads
        self.dropout = dropout
        self.qkv = nn.Linear(size.hidden, 3 * size.hidden)
        self.out = nn.Linear(size.hidden, size.hidden)
        self.norm1 = nn.LayerNorm(size.hidden, eps=epsilon)
        self.up = nn.Linear(size.hidden, size.inner)
        self.down = nn.Linear(size.inner, size.hidden)
        self.norm2 = nn.LayerNorm(size.hidden, eps=epsilon)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """``x``: batch, length, hidden. ``mask``: batch, 1, 1, length, true where a token is; or a
        bias of attention, batch or 1, heads, length, length.
        """
        batch, length, hidden = x.shape
        qkv = self.qkv(x).view(batch, length, 3, self.heads, hidden // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        mixed = nnf.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        mixed = self.out(mixed.transpose(1, 2).reshape(batch, length, hidden))
        x = self.norm1(x + nnf.dropout(mixed, self.dropout, self.training))
        inner = self.down(nnf.gelu(self.up(x)))
        return self.norm2(x + nnf.dropout(inner, self.dropout, self.training))


class Tagger(nn.Module):
    """MiniLM with one logit per label and token."""

    def __init__(
        self, size: Dimensions, labels: int, dropout: float = 0.1, epsilon: float = 1e-12
    ) -> None:
        super().__init__()
        self.size = size
        self.dropout = dropout
        self.words = nn.Embedding(size.vocabulary, size.hidden)
        self.places = nn.Embedding(size.positions, size.hidden)
        self.shapes = nn.Embedding(FEATURES, size.hidden)
        self.norm = nn.LayerNorm(size.hidden, eps=epsilon)
        self.layers = nn.ModuleList(Layer(size, dropout, epsilon) for _ in range(size.layers))
        self.head = nn.Linear(size.hidden, labels)

    def forward(self, ids: Tensor, shapes: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits (batch, length, labels) of token ids and shapes; ``mask`` true on tokens."""
        x = self.words(ids) + self.places.weight[: ids.shape[1]] + self.shapes(shapes)
        x = nnf.dropout(self.norm(x), self.dropout, self.training)
        wide = None if mask is None else mask[:, None, None, :]
        for layer in self.layers:
            x = layer(x, wide)
        return self.head(x)  # type: ignore[no-any-return]


def from_backbone(weights: Mapping[str, FloatArray], labels: int, dropout: float = 0.1) -> Tagger:
    """Start a tagger from the sentence encoder's weights; the head and the shapes are new."""
    size = Dimensions.of(weights)
    model = Tagger(size, labels, dropout)
    old = {name: torch.from_numpy(value.copy()) for name, value in weights.items()}
    new = model.state_dict()
    new["words.weight"] = old["embeddings.word_embeddings.weight"]
    new["places.weight"] = old["embeddings.position_embeddings.weight"]
    new["shapes.weight"] = old["embeddings.token_type_embeddings.weight"][:1].repeat(FEATURES, 1)
    new["norm.weight"] = old["embeddings.LayerNorm.weight"]
    new["norm.bias"] = old["embeddings.LayerNorm.bias"]
    for index in range(size.layers):
        new |= layer_weights(weights, index, index)
    model.load_state_dict(new)
    return model


def layer_weights(
    weights: Mapping[str, FloatArray],
    index: int,
    place: int,
    qkv: Sequence[str] = _QKV,
    parts: Mapping[str, str] = PARTS,
) -> dict[str, Tensor]:
    """The backbone's layer ``index`` as parameters of a model's layer ``place``.

    ``qkv`` and ``parts`` are what the checkpoint calls a layer's parts; by default, BERT's names.
    """
    source, new = f"encoder.layer.{index}.", {}
    for kind in ("weight", "bias"):
        joined = np.concatenate([weights[f"{source}{part}.{kind}"] for part in qkv])
        new[f"layers.{place}.qkv.{kind}"] = torch.from_numpy(joined)
        for name, theirs in parts.items():
            value = weights[f"{source}{theirs}.{kind}"].copy()
            new[f"layers.{place}.{name}.{kind}"] = torch.from_numpy(value)
    return new
