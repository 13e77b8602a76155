"""What the small encoder learns from: texts alone, for the large one says what each means.

    said        every text of the span files, as it is and without what was found in it
    pieces      a few words of one, cut out anywhere
    wordnet     definitions, examples, and words by themselves
    asked       questions and remarks made of templates (`questions`)

Rules:
- `english_web` (share-alike) and whatever models are chosen with is left out: `LEFT_OUT`.
- The same folder, WordNet and seed give the same texts in the same order.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from memory.core.embedding_text import embedding_text
from memory.core.values import RawText, Span
from training.query_encoder.questions import Asker
from training.query_encoder.wordnet import read_wordnet

LEFT_OUT: Final = frozenset({"english_web", "chat_synth_dev"})
PIECES_EACH: Final = 2
PIECE_WORDS: Final = (2, 14)
ASKED: Final = 200_000


def make_texts(span_files: Path, wordnet: Path, seed: int, *, asked: int = ASKED) -> list[str]:
    """All texts, each once, shuffled; `asked` questions are made.

    Raises:
        OSError: a file is missing.
    """
    chance = random.Random(seed)
    said = list(dict.fromkeys(_said(span_files)))
    known = read_wordnet(wordnet)
    cut = [piece for text in said for piece in _pieces(text, chance)]
    cut += [piece for text in known.sentences for piece in _pieces(text, chance, times=1)]
    alone = [word for counts in known.words.values() for word, count in counts.items() if count]
    asker = Asker(known.words, cut, seed)
    questions = [asker.ask() for _ in range(asked)]
    texts = list(dict.fromkeys([*said, *cut, *known.sentences, *alone, *questions]))
    chance.shuffle(texts)
    return texts


def _said(folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob("*.jsonl")):
        if file.stem in LEFT_OUT:
            continue
        for line in file.read_text("utf-8").splitlines():
            row = json.loads(line)
            text = row["text"].strip()
            if not text:
                continue
            yield text
            spans = [Span(s["start"], s["end"], s["type"]) for s in row["spans"]]
            if spans:
                yield embedding_text(RawText(row["text"]), _apart(spans)).value


def _apart(spans: list[Span]) -> list[Span]:
    """Sorted, without those that begin inside another."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def _pieces(text: str, chance: random.Random, times: int = PIECES_EACH) -> Iterator[str]:
    words = text.split()
    least, most = PIECE_WORDS
    if len(words) <= least:
        return
    for _ in range(times):
        length = chance.randint(least, min(most, len(words) - 1))
        start = chance.randrange(len(words) - length + 1)
        yield " ".join(words[start : start + length])
