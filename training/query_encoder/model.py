"""The small encoder: some of MiniLM's layers, and what each token says by itself.

A text's vector is the mean of the last layer's token states, plus the mean of a table's rows, one
for each token, scaled to length 1. The table costs a look-up. It begins as what the large encoder
says of a token alone, and gives words that training hardly met a meaning of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from training.ner.model import Dimensions, Layer, layer_weights
from training.quantize import FloatArray


class Student(nn.Module):
    """Token ids in, unit vectors out. A batch's texts have one length: nothing is masked."""

    def __init__(self, size: Dimensions, layers: int) -> None:
        super().__init__()
        self.size = size
        self.words = nn.Embedding(size.vocabulary, size.hidden)
        self.places = nn.Embedding(size.positions, size.hidden)
        self.norm = nn.LayerNorm(size.hidden, eps=1e-12)
        self.layers = nn.ModuleList(Layer(size, 0.0) for _ in range(layers))
        self.alone = nn.Embedding(size.vocabulary, size.hidden)

    def forward(self, ids: Tensor) -> Tensor:
        """Unit rows (batch, hidden) of token ids (batch, length)."""
        x = self.norm(self.words(ids) + self.places.weight[: ids.shape[1]])
        for layer in self.layers:
            x = layer(x, None)
        return nnf.normalize((x + self.alone(ids)).float().mean(dim=1), dim=-1)


def begin(weights: Mapping[str, FloatArray], layers: Sequence[int], alone: FloatArray) -> Student:
    """A student of the large encoder's `layers`, and of a table `alone` (vocabulary, hidden)."""
    size = Dimensions.of(weights)
    model = Student(size, len(layers))
    old = {name: torch.from_numpy(value.copy()) for name, value in weights.items()}
    new = {
        "words.weight": old["embeddings.word_embeddings.weight"],
        "places.weight": old["embeddings.position_embeddings.weight"]
        + old["embeddings.token_type_embeddings.weight"][0],
        "norm.weight": old["embeddings.LayerNorm.weight"],
        "norm.bias": old["embeddings.LayerNorm.bias"],
        "alone.weight": torch.from_numpy(alone.copy()),
    }
    for place, index in enumerate(layers):
        new |= layer_weights(weights, index, place)
    model.load_state_dict(new)
    return model
