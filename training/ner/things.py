"""Ordinary words, from WordNet: what is no name, as far as a dictionary knows.

In thin context ("lunch with Amara", "lunch with cumin") a model that knows a word little takes it
for a name; so the lexicon has these words, too.
"""

from __future__ import annotations

import re
from pathlib import Path

from tokenizers import Tokenizer

from training.query_encoder.wordnet import nouns

FILES = {"03", "04", "05", "06", "08", "09", "10", "13", "14", "17", "19", "20", "22", "26", "27"}
"""Tops, acts, animals, artifacts, body, thoughts, talk, food, groups, objects, phenomena, plants,
processes, states and substances: no people (18), no places (15)."""

_WORD = re.compile(r"[a-z]{3,14}")


def things(folder: Path, tokenizer: Tokenizer) -> tuple[str, ...]:
    """Single words in small letters, of one or two tokens: longer ones are rare."""
    words = [word for word in nouns(folder, FILES) if _WORD.fullmatch(word)]
    pieces = tokenizer.encode_batch(words, add_special_tokens=False)
    return tuple(word for word, one in zip(words, pieces, strict=True) if len(one.ids) <= 2)
