"""From texts with marks to arrays of token ids, shapes and allowed labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from memory.adapters.ner_lexicon import Lexicon
from memory.adapters.ner_words import features, fold, group_words
from training.ner.data import Example
from training.ner.labels import ANYTHING, LABELS

MAX_TOKENS = 192
"""Longer texts are cut into pieces of this many tokens; the runtime's window is no longer."""


@dataclass(frozen=True)
class Encoded:
    """One piece of text, special tokens included."""

    ids: NDArray[np.int32]
    shapes: NDArray[np.int8]
    allowed: NDArray[np.int8]
    taught: NDArray[np.float16] | None = None
    """What a teacher says of each token: its labels' probabilities, or zeros for nothing."""


@dataclass(frozen=True)
class Batch:
    """Pieces of similar length, padded."""

    ids: Tensor
    shapes: Tensor
    allowed: Tensor
    mask: Tensor
    taught: Tensor
    """Zeros where there was no teacher."""


def load_tokenizer(path: Path) -> Tokenizer:
    """Load the backbone's tokenizer without its truncation and padding."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def encode(tokenizer: Tokenizer, lexicon: Lexicon, examples: Sequence[Example]) -> list[Encoded]:
    """Encode examples; a text longer than ``MAX_TOKENS`` gives several pieces."""
    start, stop = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    texts = [fold(example.text) for example in examples]
    pieces = []
    encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
    for example, text, encoding in zip(examples, texts, encodings, strict=True):
        offsets = encoding.offsets
        known = np.full(len(text) + 1, example.outside, np.int8)
        for mark in reversed(example.marks):
            known[mark.start : mark.end] = mark.allowed
        owner, words = group_words(text, offsets)
        shapes = features([text[s:e] for s, e in words], lexicon)
        for at in range(0, len(offsets), MAX_TOKENS):
            part = slice(at, at + MAX_TOKENS)
            pieces.append(
                Encoded(
                    ids=np.array([start, *encoding.ids[part], stop], np.int32),
                    shapes=np.array([0, *(shapes[w] for w in owner[part]), 0], np.int8),
                    allowed=np.array(
                        [ANYTHING, *(known[s] for s, _ in offsets[part]), ANYTHING], np.int8
                    ),
                )
            )
    return pieces


def batches(
    pieces: Sequence[Encoded], tokens: int, generator: np.random.Generator
) -> Iterator[Batch]:
    """Yield batches of about ``tokens`` tokens, alike in length, in random order."""
    noise = generator.uniform(0, 4, len(pieces))
    order = np.argsort(np.array([len(p.ids) for p in pieces]) + noise, kind="stable")
    groups = in_turn(pieces, order.tolist(), tokens)
    for group in generator.permutation(len(groups)):
        yield pad([pieces[index] for index in groups[group]])


def in_turn(pieces: Sequence[Encoded], order: Sequence[int], tokens: int) -> list[list[int]]:
    """Places of pieces, taken in this order, which is about that of their lengths, in groups of
    at most ``tokens`` tokens.
    """
    groups: list[list[int]] = [[]]
    for index in order:
        longest = len(pieces[index].ids)
        if groups[-1] and (len(groups[-1]) + 1) * longest > tokens:
            groups.append([])
        groups[-1].append(index)
    return groups


def pad(pieces: Sequence[Encoded]) -> Batch:
    """One batch of some pieces."""
    shape = (len(pieces), max(len(piece.ids) for piece in pieces))
    ids, shapes = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    allowed, mask = np.full(shape, ANYTHING, np.int64), np.zeros(shape, np.bool_)
    taught = np.zeros((*shape, len(LABELS)), np.float32)
    for row, piece in enumerate(pieces):
        size = len(piece.ids)
        ids[row, :size], shapes[row, :size] = piece.ids, piece.shapes
        allowed[row, :size], mask[row, :size] = piece.allowed, True
        if piece.taught is not None:
            taught[row, :size] = piece.taught
    return Batch(*(torch.from_numpy(array) for array in (ids, shapes, allowed, mask, taught)))
