"""Numbers spelled out or spaced: "five five five, one two three four", "5 5 5 1 2 3 4".

Rules:
- Seven digits or more make a number that belongs to someone; fewer may be a count.
- The kind follows from how many: 13 to 19 a card, nine behind a cue a social security number,
  otherwise a telephone number. A wrong kind is masked all the same.
"""

from __future__ import annotations

import re
from typing import Any, Final

from presidio_analyzer import LocalRecognizer, RecognizerResult

from memory.adapters.detection.recognizer_base import bounded

_UNIT: Final = "zero|oh|one|two|three|four|five|six|seven|eight|nine"
_TENS: Final = (
    "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|"
    "forty|fifty|sixty|seventy|eighty|ninety"
)
_ITEM: Final = rf"(?:(?:double|triple)[ \-](?:{_UNIT}|[0-9])|{_UNIT}|{_TENS}|hundred|[0-9]{{1,4}})"
_GAP: Final = r"(?:,? {1,2}|-|, ?|\. |\n)"
_RUN: Final = re.compile(
    rf"(?<![\w.,$])(?:plus |area code )?{_ITEM}(?:{_GAP}{_ITEM}){{3,31}}(?!\w)", re.IGNORECASE
)
_WORD: Final = re.compile(rf"double|triple|{_UNIT}|{_TENS}|[0-9]", re.IGNORECASE)
_SPACED: Final = re.compile(r"(?<![\w.,$])[0-9](?:[ \-.]{1,2}[0-9]){6,30}(?!\w)")
_SPELLED: Final = re.compile(rf"\b(?:{_UNIT}|{_TENS})\b", re.IGNORECASE)
_SOCIAL: Final = re.compile(r"(?i)\b(?:ssn|social)\b")

_MIN: Final = 7
_SSN: Final = 9
_CARD: Final = range(13, 20)


class SpelledNumberRecognizer(LocalRecognizer):
    """PHONE_NUMBER, CREDIT_CARD or US_SSN in words or single digits."""

    def __init__(self) -> None:
        super().__init__(
            supported_entities=["PHONE_NUMBER", "CREDIT_CARD", "US_SSN"],
            name="TacitSpelledNumberRecognizer",
        )

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        found = []
        for match in (*_RUN.finditer(text), *_SPACED.finditer(text)):
            surface = match.group()
            digits = _count(surface)
            spelled = _SPELLED.search(surface) or _SPACED.fullmatch(surface)
            if digits < _MIN or not spelled:
                continue
            if digits in _CARD:
                entity_type = "CREDIT_CARD"
            elif digits == _SSN and _SOCIAL.search(text, max(0, match.start() - 60), match.start()):
                entity_type = "US_SSN"
            else:
                entity_type = "PHONE_NUMBER"
            found.append(RecognizerResult(entity_type, match.start(), match.end(), 0.65))
        return bounded(found)


def _count(surface: str) -> int:
    """How many digits are said; a word of tens counts as two, as in "forty two eleven"."""
    total, times = 0, 1
    for word in _WORD.findall(surface.lower()):
        if word in ("double", "triple"):
            times = 2 if word == "double" else 3
            continue
        total += times * (2 if len(word) > 1 and re.fullmatch(_TENS, word) else 1)
        times = 1
    return total
