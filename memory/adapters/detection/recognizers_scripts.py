"""Names in another script: "The present for 丽华 still has to be wrapped".

Rules:
- In a text in Latin letters, one to three words of another script are most often a name, and are
  one here; a longer stretch is a quotation or another language, and is left to the model.
- Weaker than the model: where it says LOCATION or ORGANIZATION, that stands.
"""

from __future__ import annotations

from typing import Any, Final

import regex  # type: ignore[import-untyped]
from presidio_analyzer import LocalRecognizer, RecognizerResult

from memory.adapters.detection.recognizer_base import bounded

_SCORE: Final = 0.42
_LATIN_SHARE: Final = 0.4
_MAX_WORDS: Final = 3
_MAX_UNSPACED: Final = 6
"""Characters of a name in a script without spaces."""
_SHORTEST: Final = 2

_WORD: Final = r"(?:(?![\p{Latin}])\p{L}[\p{M}\u200c\u200d]*)+"
_RUN: Final = regex.compile(rf"{_WORD}(?:[ \u00a0·\-]{_WORD})*+")
_LATIN: Final = regex.compile(r"\p{Latin}")
_LETTER: Final = regex.compile(r"\p{L}")
_UNSPACED: Final = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
)


class ForeignScriptRecognizer(LocalRecognizer):
    """PERSON where a text in Latin letters changes script for a few words."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["PERSON"], name="TacitForeignScriptRecognizer")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        if text.isascii():
            return []
        letters = len(_LETTER.findall(text))
        if len(_LATIN.findall(text)) < _LATIN_SHARE * letters:
            return []
        return bounded(
            [
                RecognizerResult("PERSON", match.start(), match.end(), _SCORE)
                for match in _RUN.finditer(text)
                if _like_a_name(match.group())
            ]
        )


def _like_a_name(run: str) -> bool:
    if len(run) < _SHORTEST:
        return False
    if _UNSPACED.search(run):
        return len(run) <= _MAX_UNSPACED
    return len(run.split()) <= _MAX_WORDS
