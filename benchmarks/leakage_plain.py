"""What a thief learns without any attack on vectors, and how many words come back with one.

Rules:
- Words: a decoder from vectors to the commonest words is trained on public text; what it says of a
  vector is compared with the words of the text, and with what it says without any vector.
- Lengths: a sealed text shows the length it was padded to, and no more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks.baselines import words
from benchmarks.leakage_known import Theft, _solve
from benchmarks.leakage_texts import Matrix
from memory.core.record_format import padme

VOCABULARY: Final = 1500
SAID: Final = 5
"""Words that the decoder may say of a vector."""

_RIDGE: Final = 0.03
_FRAME_BYTES: Final = 75
"""Of a body beside its text, about."""

_SHORTEST: Final = 4
_LEARNED_FROM: Final = 3000


class Decoder:
    """From vectors, shape (n, d), to the words of the text."""

    def __init__(self, vectors: Matrix, texts: Sequence[str]) -> None:
        bags = [_bag(text) for text in texts]
        counted = Counter(word for bag in bags for word in bag)
        self._words = [word for word, _ in counted.most_common(VOCABULARY)]
        place = {word: n for n, word in enumerate(self._words)}
        present = np.zeros((len(texts), len(self._words)), np.float32)
        for row, bag in enumerate(bags):
            present[row, [place[word] for word in bag if word in place]] = 1
        self._usual = present.mean(axis=0)
        self._mean = vectors.mean(axis=0)
        centered = vectors - self._mean
        self._map = centered.T @ _solve(centered, _RIDGE, present - self._usual)

    def precision(self, vectors: Matrix | None, texts: Sequence[str]) -> float:
        """Of the words said of a text, the share that is in it; None: said without a vector."""
        right = total = 0
        for row, text in enumerate(texts):
            wanted = _bag(text) & set(self._words)
            if not wanted:
                continue
            told = 0.0 if vectors is None else (vectors[row] - self._mean) @ self._map
            said = np.argsort(-(self._usual + told))[:SAID]
            right += sum(self._words[n] in wanted for n in said)
            total += min(SAID, len(wanted))
        return right / max(1, total)


def learn_decoder(vectors: Matrix, texts: Sequence[str]) -> Decoder:
    return Decoder(vectors[:_LEARNED_FROM], texts[:_LEARNED_FROM])


def recovered(theft: Theft, plain: Matrix, known: Sequence[int], rows: Sequence[int]) -> Matrix:
    """Plain vectors of the stored `rows`, by least squares from the `known` ones."""
    stored = theft.stored[list(known)]
    mean = plain.mean(axis=0)
    weights = _solve(stored, 0.3, plain[list(known)] - mean)
    made: Matrix = mean + theft.stored[list(rows)] @ (stored.T @ weights)
    return made


def lengths_tell(texts: Sequence[str], stored: int, *, padded: bool) -> dict[str, float]:
    """Bits that the length shows about the stored texts, and the share of them that a guess among
    all candidates of that length would name.
    """
    sizes = [_FRAME_BYTES + len(text.encode()) for text in texts]
    shown = [padme(4 + size) if padded else size for size in sizes]
    of_all = Counter(shown)
    own = Counter(shown[:stored])
    shares = np.array([n / stored for n in own.values()])
    return {
        "bits": float(-(shares * np.log2(shares)).sum()),
        "named_by_length": sum(1 / of_all[size] for size in shown[:stored]) / stored,
    }


def _bag(text: str) -> set[str]:
    return {word for word in words(text) if len(word) >= _SHORTEST and word.isalpha()}
