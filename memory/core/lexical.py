"""Words in common: the terms of a text, and BM25 over the candidates of one search.

Rules:
- Terms are made of the text *without* names (`core.embedding_text`): identity has its own part.
- Lower case, without the commonest English words, light suffix stripping. Other languages pass
  as they are written.
- The statistics come from the candidates at hand; none are stored.

Source: Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_TERMS: Final = 512
"""Terms of one memory that are kept; bounds what a long text adds to its features."""

_K1: Final = 1.2
_B: Final = 0.75

_WORD: Final = re.compile(r"\w+")
_STOP: Final = frozenset(
    "a an the is are was were be been being am do does did doing have has had having i you he "
    "she it we they me him her us them my your his its our their this that these those what "
    "which who whom whose when where why how and or but if then so of to in on at for with by "
    "from about as into than too very can could will would should may might not no yes just "
    "also there here s t re ve ll d m don didn doesn isn wasn".split()
)
_SUFFIXES: Final = ("ings", "ing", "edly", "ed", "ies", "es", "s", "ly")
_MIN_STEM: Final = 3


def terms(text: str) -> tuple[str, ...]:
    """The terms of a text, in order, repeated as often as they stand in it."""
    words = _WORD.findall(text.lower())
    return tuple(_stem(word) for word in words if word not in _STOP)[:MAX_TERMS]


def bm25(query: Sequence[str], documents: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """The BM25 score of each document, shape (n,), zero or more."""
    scores = np.zeros(len(documents))
    lengths = np.array([len(d) for d in documents], dtype=np.float64)
    mean = max(float(lengths.mean()), 1.0) if len(documents) else 1.0
    for term in set(query):
        counts = np.array([d.count(term) for d in documents], dtype=np.float64)
        having = np.count_nonzero(counts)
        if having:
            idf = math.log(1 + (len(documents) - having + 0.5) / (having + 0.5))
            saturation = counts + _K1 * (1 - _B + _B * lengths / mean)
            scores += idf * counts * (_K1 + 1) / saturation
    return scores


def rarity(names: frozenset[str], documents: Sequence[frozenset[str]]) -> dict[str, float]:
    """How telling each name is among the documents: 0 when all have it, towards 1 when few do."""
    having = Counter(name for d in documents for name in d & names)
    return {
        name: math.log((len(documents) + 1) / (count + 1)) / math.log(len(documents) + 1)
        for name, count in having.items()
    }


def _stem(word: str) -> str:
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _MIN_STEM:
            word = word[: -len(suffix)] + ("y" if suffix == "ies" else "")
            break
    if len(word) > _MIN_STEM and word[-1] == word[-2] and word[-1] not in "aeiousl":
        word = word[:-1]
    return word[:-1] if len(word) > _MIN_STEM and word[-1] == "e" else word
