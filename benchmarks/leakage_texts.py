"""Whose texts are attacked, and what the attacker has to compare them with.

Rules:
- A person is a conversation; the one who is attacked has all of them, which helps the attacker.
- Candidates are the texts among which the attacker must name the right one: everything the person
  said, filled up with public text. Public text beyond that is the attacker's to learn from.
- Vectors are what Tacit seals: of the text without what detection finds, by the shipped encoder,
  rounded to float16. The attacker has the same encoder and makes the same vectors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.conversations import read_folder
from benchmarks.frame import progress
from benchmarks.made_texts import TextSource
from memory.adapters.detection.analyzer import PresidioDetector
from memory.adapters.detection.catalogue import Catalogue
from memory.adapters.detection.shipped import shipped_model
from memory.adapters.onnx_encoder import OnnxEncoder
from memory.bootstrap import SHIPPED_ENCODER
from memory.core.embedding_text import embedding_text
from memory.core.policy import DIRECT
from memory.core.values import RawText

Matrix = NDArray[np.float32]

CANDIDATES: Final = 10_000
TO_LEARN: Final = 2_000
"""Public texts that are no candidates."""

MADE_PEOPLE: Final = 4
MADE_MEMORIES: Final = 500
MADE_QUESTIONS: Final = 60
_BATCH: Final = 64
_LONGEST: Final = 300
"""Characters of a public text that are read: as long as what people say."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation: vectors of what was said, shape (n, d), and of what is asked, (m, d)."""

    said: Matrix
    asked: Matrix


@dataclass(frozen=True, slots=True)
class Corpus:
    """`candidates[:stored]` are the attacked person's; `texts` are those of the candidates and
    then those of `public`.
    """

    talks: Sequence[Talk]
    stored: int
    candidates: Matrix
    public: Matrix
    texts: Sequence[str]


def read_corpus(data: Path | None, public: Path | None, seed: int) -> Corpus:
    """Conversations from `data` or made ones; public text from `public` (*.jsonl) or made ones."""
    source = TextSource(seed)
    embed = Embedder()
    if data is None:
        spoken = [
            (source.said(MADE_MEMORIES), source.asked(MADE_QUESTIONS)) for _ in range(MADE_PEOPLE)
        ]
    else:
        spoken = [
            ([turn.text for turn in c.turns], [q.text for q in c.questions])
            for c in read_folder(data)
        ]
    talks = []
    for said, asked in spoken:
        talks.append(Talk(embed(said), embed(asked)))
        progress(f"embedded {len(said)} memories, {len(asked)} questions")
    stored = np.concatenate([talk.said for talk in talks])[:CANDIDATES]
    needed = CANDIDATES - len(stored) + TO_LEARN
    others = _public(public, needed, seed) if public else source.said(needed)
    vectors = embed(others)
    progress(f"embedded {len(others)} public texts")
    fill = CANDIDATES - len(stored)
    return Corpus(
        talks=talks,
        stored=len(stored),
        candidates=np.concatenate([stored, vectors[:fill]]),
        public=vectors[fill:],
        texts=[*[t for said, _ in spoken for t in said][: len(stored)], *others],
    )


def _public(folder: Path, count: int, seed: int) -> list[str]:
    """As many of each file as it has, up to `count` in all, mixed."""
    files = sorted(folder.glob("*.jsonl"))
    random = np.random.default_rng(seed)
    queues: list[list[str]] = []
    for file in files:
        lines = file.read_text("utf-8").splitlines()
        queues.append(list(dict.fromkeys(json.loads(line)["text"][:_LONGEST] for line in lines)))
        random.shuffle(queues[-1])
    turns = [text for turn in zip_longest(*queues) for text in turn if text]
    mixed = list(dict.fromkeys(turns))[:count]
    if len(mixed) < count:
        raise SystemExit(f"{folder}: {len(mixed)} public texts (*.jsonl), {count} are needed")
    random.shuffle(mixed)
    return mixed


class Embedder:
    """Texts to exact vectors, shape (n, d), as a server stores them."""

    def __init__(self) -> None:
        self._detector = PresidioDetector(Catalogue(shipped_model())).under(DIRECT)
        self._encoder = OnnxEncoder(SHIPPED_ENCODER)

    def __call__(self, texts: Sequence[str]) -> Matrix:
        raw = [RawText(text) for text in texts]
        ready = [embedding_text(text, self._detector.detect(text)) for text in raw]
        parts = [self._encoder.encode(ready[at : at + _BATCH]) for at in range(0, len(raw), _BATCH)]
        return np.concatenate(parts).astype(np.float16).astype(np.float32)
