"""What Tacit is compared with: systems that keep the raw text, names and all.

chroma        plain Chroma, `documents=` and its embedding function (HNSW, fp32 MiniLM)
dense         exact cosine over the same vectors: Chroma without the index's error
bm25          words of the text
bm25_speaker  words of "speaker: text"
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import chromadb
import numpy as np
from chromadb.config import Settings

from benchmarks.conversations import Turn
from benchmarks.fp32 import ChromaFp32, Matrix
from benchmarks.quality import DEPTH

CHROMA_BATCH: Final = 100
K1: Final = 1.2
B: Final = 0.75

_WORD: Final = re.compile(r"\w+")


@contextmanager
def plain_chroma(folder: Path | None = None) -> Iterator[chromadb.api.ClientAPI]:
    """A client in this process over a folder of its own, which goes at the end."""
    settings = Settings(anonymized_telemetry=False)
    with TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as path:
        yield chromadb.PersistentClient(path, settings=settings)


class Chroma:
    """The usual path: documents in, documents found."""

    def __init__(self, client: chromadb.api.ClientAPI, name: str, turns: Sequence[Turn]) -> None:
        self._collection = client.create_collection(name, embedding_function=ChromaFp32())
        for start in range(0, len(turns), CHROMA_BATCH):
            batch = turns[start : start + CHROMA_BATCH]
            self._collection.add(ids=[t.id for t in batch], documents=[t.text for t in batch])

    def vectors(self, ids: Sequence[str]) -> Matrix:
        """What the embedding function made of these turns."""
        got = self._collection.get(ids=list(ids), include=["embeddings"])
        by_id = dict(zip(got["ids"], np.asarray(got["embeddings"], np.float32), strict=True))
        return np.stack([by_id[id_] for id_ in ids])

    def ask(self, question: str) -> list[str]:
        found = self._collection.query(query_texts=[question], n_results=DEPTH, include=[])
        return found["ids"][0]


class Dense:
    """Exact cosine search."""

    def __init__(
        self, ids: Sequence[str], vectors: Matrix, encode: Callable[[Sequence[str]], Matrix]
    ) -> None:
        self._ids = list(ids)
        self._vectors = vectors
        self._encode = encode

    def ask(self, question: str) -> list[str]:
        scores = self._vectors @ self._encode([question])[0]
        return [self._ids[i] for i in np.argsort(-scores, kind="stable")[:DEPTH]]


class BM25:
    """Okapi BM25 over lower-cased words, none left out."""

    def __init__(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        self._ids = list(ids)
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        counted = [Counter(words(text)) for text in texts]
        average = sum(c.total() for c in counted) / max(1, len(counted)) or 1.0
        for place, counts in enumerate(counted):
            norm = K1 * (1 - B + B * counts.total() / average)
            for word, times in counts.items():
                self._postings[word].append((place, times * (K1 + 1) / (times + norm)))

    def ask(self, question: str) -> list[str]:
        scores = np.zeros(len(self._ids))
        for word in set(words(question)):
            postings = self._postings.get(word, [])
            rarity = math.log(1 + (len(self._ids) - len(postings) + 0.5) / (len(postings) + 0.5))
            for place, weight in postings:
                scores[place] += rarity * weight
        order = np.argsort(-scores, kind="stable")[:DEPTH]
        return [self._ids[i] for i in order if scores[i] > 0]


def words(text: str) -> list[str]:
    """Lower-cased words and numbers."""
    return _WORD.findall(text.lower())
