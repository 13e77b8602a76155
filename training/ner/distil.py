"""What the teacher knows, for the student: the probability of every label at every token.

The teacher reads a text as it was written, with the whole lexicon. The student reads the same
tokens, a part of the texts in small letters, and with a part of the lexicon hidden: it learns to
find by what is around what the teacher knew by sight. Plain sentences, which nobody has annotated,
are learned from the teacher alone.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn

from memory.adapters.ner_lexicon import Lexicon
from training.ner.data import Example
from training.ner.encode import Encoded, encode, in_turn, pad
from training.ner.labels import ANYTHING
from training.ner.train import Cycle, Recipe

RECIPE = Recipe(cycles=(Cycle(1, 1.2e-4), Cycle(2, 1e-4)), averaged=1, seed=41)
"""The student's recipe. It goes on from a model that learned without a teacher."""

PLAIN = 10_000
"""So many of WordNet's definitions and examples an epoch."""

SMALL = 0.3
"""The share of texts that the student reads in small letters."""

_TOKENS = 2048


def unlabelled(sentences: Sequence[str]) -> list[Example]:
    """Sentences of which nothing is known."""
    return [Example("unlabelled", sentence, (), ANYTHING) for sentence in sentences]


def lessons(
    teacher: nn.Module,
    tokenizer: Tokenizer,
    lexicon: Lexicon,
    shown: Lexicon,
    examples: Sequence[Example],
    rng: random.Random,
) -> list[Encoded]:
    """The student's pieces, with what the teacher says of each token in ``taught``.

    ``shown`` is the part of ``lexicon`` that the student sees.
    """
    small = [_small(one) if rng.random() < SMALL else one for one in examples]
    seen = encode(tokenizer, lexicon, examples)
    return [
        replace(piece, taught=said)
        for piece, said in zip(
            encode(tokenizer, shown, small), _probabilities(teacher, seen), strict=True
        )
    ]


def _small(example: Example) -> Example:
    """In small letters, where that surely leaves the tokens as they are."""
    return replace(example, text=example.text.lower()) if example.text.isascii() else example


def _probabilities(teacher: nn.Module, pieces: Sequence[Encoded]) -> list[NDArray[np.float16]]:
    """Probabilities (tokens, labels) of each piece; 0 at its special tokens."""
    said = [np.empty(0, np.float16)] * len(pieces)
    order = sorted(range(len(pieces)), key=lambda i: len(pieces[i].ids))
    device = next(teacher.parameters()).device
    teacher.eval()
    for group in in_turn(pieces, order, _TOKENS):
        batch = pad([pieces[index] for index in group])
        with torch.inference_mode():
            logits = teacher(*(x.to(device) for x in (batch.ids, batch.shapes, batch.mask)))
        rows = torch.softmax(logits.float(), dim=-1).cpu().numpy().astype(np.float16)
        for row, index in zip(rows, group, strict=True):
            size = len(pieces[index].ids)
            said[index] = row[:size]
            said[index][[0, size - 1]] = 0
    return said
