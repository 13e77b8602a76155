"""Which words are known as names: a second opinion for the NER model, beside the spelling.

    Lexicon.read(folder / "lexicon.txt").kind("Ximena")   ->  GIVEN

The file has one word a line and a digit, the sum of what it is known as; 0 for an ordinary word,
which is no name, 8 for an organisation that hardly anybody is called after. It was made by
``training.ner.lexicon``, which names the sources.

Rules:

- a word is looked up in small letters without accents, so case and keyboards make no difference;
- the lexicon decides nothing alone: it is one input of the model, which was trained with a good
  part of it hidden, and it moves the thresholds of `ner_model`; a name that stands in no list is
  still a name, if the model is surer of it;
- a look-up costs the same for any word.
"""

from __future__ import annotations

import unicodedata
from collections.abc import ItemsView, Mapping
from pathlib import Path
from typing import Final

GIVEN: Final = 1
FAMILY: Final = 2
PLACE: Final = 4
KINDS: Final = 8
"""How many sums there are."""

ORGANIZATION: Final = 8
"""In the file only: the model is not told."""

_LONGEST: Final = 24
"""No entry is longer: what is need not be looked up."""


def plain(word: str) -> str:
    """Small letters without accents or signs that do not show."""
    if word.isascii():
        return word.lower()
    marked = unicodedata.normalize("NFD", word.lower())
    return "".join([c for c in marked if unicodedata.category(c) not in ("Mn", "Cf")])


class Lexicon:
    """Words and what they are known as; unchanging, so safe to share between threads."""

    def __init__(self, kinds: Mapping[str, int]) -> None:
        self._kinds = dict(kinds)

    @classmethod
    def read(cls, path: Path) -> Lexicon:
        """Read a file of lines ``word digit``."""
        lines = path.read_text(encoding="utf-8").splitlines()
        return cls({line[:-2]: int(line[-1]) for line in lines})

    def entries(self) -> ItemsView[str, int]:
        """Every word and its sum."""
        return self._kinds.items()

    def kind(self, word: str) -> int:
        """The sum of what a word is known as, but for organisations; 0 for none."""
        return (self.entry(word) or 0) % KINDS

    def entry(self, word: str) -> int | None:
        """A word's digit in the file; None for one that is not there."""
        return self._kinds.get(plain(word)) if len(word) <= _LONGEST else None
