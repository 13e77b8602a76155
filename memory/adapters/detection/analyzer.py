"""The `Detector` port on Presidio's AnalyzerEngine: offline, bounded, quiet.

Rules:
- No download, no network: own slim NLP engine, own recognizers where Presidio's would ask a
  host or be slow, Presidio's for the rest.
- Patterns see a text in pieces of at most `PIECE` characters, cut at white space, overlapping by
  `OVERLAP`: no recognizer sees enough text to become slow. Spans found twice become one.
  Recognizers that need a digit run only on pieces that have one.
- Patterns run in a thread of their own while the model computes, which needs no lock of Python's.
- A find counts from a threshold on (`engine`); context words lift weak ones over it.
- The policy says what is hidden; sorted spans without overlap come out, by the one rule of
  `core.spans`. What is kept by policy never swallows what is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from presidio_analyzer import EntityRecognizer

from memory.adapters.detection.catalogue import Catalogue
from memory.adapters.detection.engine import BoundedAnalyzer
from memory.adapters.detection.known_names import find_known_names
from memory.adapters.detection.recognizers_secrets import find_pem
from memory.core.policy import DIRECT, Policy
from memory.core.spans import propagate, resolve
from memory.core.values import RawText, Span

PIECE: Final = 1000
OVERLAP: Final = 200

_DIGIT: Final = re.compile(r"\d")
_THREADS: Final = 2


class PresidioDetector:
    """Finds personal data. Safe to call from several threads."""

    def __init__(self, catalogue: Catalogue | None = None, policy: Policy = DIRECT) -> None:
        chosen = catalogue or Catalogue()
        self._policy = policy
        self._whole = _engine(chosen.whole_text, cut_words=chosen.foreign)
        self._words = _engine(chosen.any_piece)
        self._digits = _engine(chosen.pieces_with_digits)
        self._beside = ThreadPoolExecutor(_THREADS, thread_name_prefix="patterns")

    def under(self, policy: Policy) -> PresidioDetector:
        """The same detector for a tenant of another policy; shares all that was loaded."""
        other = object.__new__(PresidioDetector)
        other.__dict__.update(self.__dict__, _policy=policy)
        return other

    def detect(self, text: RawText, known_names: Sequence[RawText] = ()) -> list[Span]:
        """Sorted spans without overlap, in characters of `text`."""
        value = text.value
        patterns = self._beside.submit(self._patterns, value)
        found = [*find_known_names(text, known_names), *find_pem(text)]
        found += _analyze(self._whole, value, 0)
        found += patterns.result()
        hidden = [span for span in found if self._policy.hides(value, span)]
        hidden += self._policy.denied(value)
        return propagate(value, resolve(value, hidden))

    def _patterns(self, value: str) -> list[Span]:
        found: list[Span] = []
        for start, piece in pieces(value):
            found += _analyze(self._words, piece, start)
            if _DIGIT.search(piece):
                found += _analyze(self._digits, piece, start)
        return found


def _engine(
    recognizers: Sequence[EntityRecognizer], *, cut_words: bool = False
) -> BoundedAnalyzer | None:
    if not recognizers:
        return None  # given none, Presidio would load its own
    return BoundedAnalyzer(recognizers, cut_words=cut_words)


def _analyze(engine: BoundedAnalyzer | None, text: str, offset: int) -> Iterator[Span]:
    if engine is None or not text:
        return
    for r in engine.find(text):
        yield Span(offset + r.start, offset + r.end, r.entity_type, min(1.0, float(r.score)))


def pieces(text: str) -> Iterator[tuple[int, str]]:
    """`text` in overlapping pieces with the offset of each, cut at white space where there is."""
    start = 0
    while len(text) - start > PIECE:
        end = start + PIECE
        half = start + PIECE // 2
        cut = max(text.rfind(" ", half, end), text.rfind("\n", half, end))
        end = cut if cut > 0 else end
        yield start, text[start:end]
        back = text.rfind(" ", end - OVERLAP, end - OVERLAP // 2)
        start = back + 1 if back > 0 else end - OVERLAP
    yield start, text[start:]
