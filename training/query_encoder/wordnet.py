"""WordNet's words and sentences, read from its data files.

Format: https://wordnet.princeton.edu/documentation/wndb5wn. A line of `data.noun` holds a set of
synonyms, ` | ` and a gloss: definitions and, in quotation marks, examples, separated by semicolons.
`cntlist.rev` tells how often a sense was met in tagged text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PARTS: Final = {"noun": "1", "verb": "2", "adj": "3", "adv": "4"}
"""Ending of the files, and the digit in a sense key."""

_MARKER: Final = re.compile(r"\([a-z]+\)$")


@dataclass(frozen=True, slots=True)
class WordNet:
    """Glosses as sentences, and words by part of speech with how often each was met (from 0)."""

    sentences: list[str]
    words: dict[str, Counter[str]]


def read_wordnet(folder: Path) -> WordNet:
    """All of `folder` (the Debian package `wordnet-base` puts it in /usr/share/wordnet).

    Raises:
        OSError: a file is missing.
    """
    sentences: dict[str, None] = {}
    words = {part: Counter[str]() for part in PARTS}
    for part in PARTS:
        for line in (folder / f"data.{part}").read_text("utf-8").splitlines():
            if line.startswith("  "):
                continue  # the licence
            synonyms, _, gloss = line.partition(" | ")
            sentences |= dict.fromkeys(_sentences(gloss))
            words[part].update(dict.fromkeys(_words(synonyms), 0))
    parts = {digit: part for part, digit in PARTS.items()} | {"5": "adj"}
    for line in (folder / "cntlist.rev").read_text("utf-8").splitlines():
        sense, _, count = line.split(" ")
        word, _, rest = sense.partition("%")
        words[parts[rest[0]]][word.replace("_", " ")] += int(count)
    return WordNet(list(sentences), words)


def nouns(folder: Path, files: Collection[str]) -> list[str]:
    """The nouns of these lexicographer files ("13" is food: lexnames(5WN)), in their order."""
    lines = (folder / "data.noun").read_text("utf-8").splitlines()
    found = [
        word
        for line in lines
        if not line.startswith("  ") and line.split(" ", 2)[1] in files
        for word in _words(line.partition(" | ")[0])
    ]
    return list(dict.fromkeys(found))


def _sentences(gloss: str) -> Iterator[str]:
    for piece in gloss.split(";"):
        sentence = piece.strip().strip('"').strip()
        if " " in sentence:
            yield sentence


def _words(synonyms: str) -> Iterator[str]:
    fields = synonyms.split(" ")
    for place in range(int(fields[3], 16)):
        yield _MARKER.sub("", fields[4 + 2 * place]).replace("_", " ")
