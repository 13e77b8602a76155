"""Words in common: the terms of a text, and BM25 over the memories that are searched.

Rules:
- Terms are made of the text *without* names (`core.embedding_text`): identity has its own part.
- Lower case, without the commonest English words, light suffix stripping. Other languages pass
  as they are written.
- The statistics come from the memories at hand; none are stored.

Source: Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain
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


_ASKING: Final = frozenset("?？؟")
_END: Final = 60


def asks(text: str) -> bool:
    """Whether the text ends with a question; a few words may follow it."""
    return not _ASKING.isdisjoint(text[-_END:])


def terms(text: str) -> tuple[str, ...]:
    """The terms of a text, in order, repeated as often as they stand in it."""
    words = _WORD.findall(text.lower())
    return tuple(_stem(word) for word in words if word not in _STOP)[:MAX_TERMS]


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """Which documents have a term, and how often: a query touches the rows of its own terms only.

    Term `numbers[t]` stands in the documents `rows[starts[t]:starts[t + 1]]`, ascending, each
    `counts` times; `lengths`, shape (n,), is how many terms each document has. The last of the n
    documents may stand in a `tail`, made later.
    """

    numbers: Mapping[str, int]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    counts: NDArray[np.float64]
    lengths: NDArray[np.float64]
    tail: Postings | None = None

    def bm25(self, query: Iterable[str]) -> NDArray[np.float64]:
        """The BM25 score of each document, shape (n,), zero or more."""
        scores = np.zeros(len(self.lengths))
        mean = max(float(self.lengths.mean()), 1.0) if len(scores) else 1.0
        for term in sorted(set(query)):
            rows, counts = self._where(term)
            if not len(rows):
                continue
            idf = math.log(1 + (len(scores) - len(rows) + 0.5) / (len(rows) + 0.5))
            saturation = counts + _K1 * (1 - _B + _B * self.lengths[rows] / mean)
            scores[rows] += idf * counts * (_K1 + 1) / saturation
        return scores

    def told(self, names: Set[str]) -> NDArray[np.float64]:
        """How much of the names each document has, shape (n,), 0..1.

        Each name counts for how telling it is: 0 when all documents have it, towards 1 when few do.
        """
        shares = np.zeros(len(self.lengths))
        documents = len(shares)
        for name in sorted(names):
            rows, _ = self._where(name)
            if len(rows):
                telling = math.log((documents + 1) / (len(rows) + 1)) / math.log(documents + 1)
                shares[rows] += telling / len(names)
        return shares

    def followed_by(self, documents: Sequence[Collection[str]]) -> Postings:
        """The same with these behind, in place of the tail that there was."""
        count = len(self.lengths) - (0 if self.tail is None else len(self.tail.lengths))
        tail = postings(documents)
        return replace(
            self,
            lengths=np.concatenate([self.lengths[:count], tail.lengths]),
            tail=replace(tail, rows=tail.rows + count),
        )

    def _where(self, term: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The documents that have it, and how often."""
        number = self.numbers.get(term)
        there = slice(0) if number is None else slice(*self.starts[number : number + 2].tolist())
        rows, counts = self.rows[there], self.counts[there]
        if self.tail is None:
            return rows, counts
        last, often = self.tail._where(term)
        return np.concatenate([rows, last]), np.concatenate([counts, often])


def postings(documents: Sequence[Collection[str]]) -> Postings:
    """Of documents as their terms."""
    flat = list(chain.from_iterable(documents))
    numbers = {term: number for number, term in enumerate(dict.fromkeys(flat))}
    lengths = np.fromiter(map(len, documents), np.int64, len(documents))
    terms_ = np.fromiter(map(numbers.__getitem__, flat), np.int64, len(flat))
    documents_of = np.repeat(np.arange(len(documents)), lengths)
    pairs, counts = np.unique(terms_ * len(documents) + documents_of, return_counts=True)
    term, row = np.divmod(pairs, max(len(documents), 1))
    return Postings(
        numbers=numbers,
        starts=np.searchsorted(term, np.arange(len(numbers) + 1)),
        rows=row,
        counts=counts.astype(np.float64),
        lengths=lengths.astype(np.float64),
    )


def _stem(word: str) -> str:
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _MIN_STEM:
            word = word[: -len(suffix)] + ("y" if suffix == "ies" else "")
            break
    if len(word) > _MIN_STEM and word[-1] == word[-2] and word[-1] not in "aeiousl":
        word = word[:-1]
    return word[:-1] if len(word) > _MIN_STEM and word[-1] == "e" else word
