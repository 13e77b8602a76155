"""How much of a text a model of names is given to read, so that no text takes long.

Rules:
- A model's time grows with tokens, and 10,000 characters may be 10,000 of them ("1-1-1-…") where
  prose has 2,500. A text of `MAX_TOKENS` characters or fewer is read as it is.
- In a longer one, runs that cannot be a name (without letters, or of single letters) give way to
  white space of the same length, so that offsets stay.
- What is still estimated at more tokens is read up to the limit. Patterns and cues read all of it,
  and a name found in the part that is read is found everywhere (`core.spans.propagate`).
"""

from __future__ import annotations

import re
from typing import Final

MAX_TOKENS: Final = 3_000
"""12,000 characters of prose; some 150 ms on two threads."""

_PIECE: Final = re.compile(r"[A-Za-z]+|[^\s]")
_ASCII_LETTERS_A_TOKEN: Final = 4
_NO_NAME: Final = re.compile(r"(?:[\W\d_]|(?<![^\W\d_])[^\W\d_](?![^\W\d_.])){8,}")


def readable(text: str) -> str:
    """The text, or what of it the model is to read; offsets are those of `text`."""
    if len(text) <= MAX_TOKENS:
        return text
    sparse = _NO_NAME.sub(lambda match: " " * len(match.group()), text)
    return sparse[: _cut(sparse)]


def _cut(text: str) -> int | None:
    """Where the budget is spent; None when it is not."""
    tokens = 0
    for match in _PIECE.finditer(text):
        tokens += 1 + (match.end() - match.start() - 1) // _ASCII_LETTERS_A_TOKEN
        if tokens > MAX_TOKENS:
            return match.start()
    return None
