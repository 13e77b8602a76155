"""Presidio's AnalyzerEngine with a bounded tail: what happens to results after recognizers ran.

Rules:
- Presidio filters all results once per recognizer for context, and looks for duplicates by
  comparing each with each: seconds on text full of finds. Here context is added in one pass,
  finds under the threshold go at once, and equal ones are merged by key, so that little is left
  for Presidio's own pass.
- A recognizer that brings its own context rule keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from presidio_analyzer import (
    AnalyzerEngine,
    EntityRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)

from memory.adapters.detection.context import NearbyWords
from memory.adapters.detection.nlp_engine import SlimNlpEngine
from memory.adapters.detection.recognizer_base import bounded

THRESHOLD: Final = 0.4

_ID: Final = RecognizerResult.RECOGNIZER_IDENTIFIER_KEY


class BoundedAnalyzer(AnalyzerEngine):
    """An AnalyzerEngine over these recognizers, without model or network."""

    def __init__(self, recognizers: Sequence[EntityRecognizer], *, cut_words: bool) -> None:
        super().__init__(
            registry=RecognizerRegistry(recognizers=list(recognizers)),
            nlp_engine=SlimNlpEngine(),
            context_aware_enhancer=NearbyWords(),
            default_score_threshold=THRESHOLD,
        )
        self._no_words = None if cut_words else self.nlp_engine.process_text("", "en")

    def find(self, text: str) -> list[RecognizerResult]:
        """What the recognizers find in `text`. Words are cut only for those that want them."""
        return self.analyze(text, language="en", nlp_artifacts=self._no_words)

    def _enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: Any,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        results = raw_results
        for recognizer in recognizers:
            if type(recognizer).enhance_using_context is not EntityRecognizer.enhance_using_context:
                own = [r for r in results if _from(r) == recognizer.id]
                others = [r for r in results if _from(r) != recognizer.id]
                enhance = recognizer.enhance_using_context
                results = [*enhance(text, own, others, nlp_artifacts, context), *others]
        results = self.context_aware_enhancer.enhance_using_context(
            text, results, nlp_artifacts, recognizers, context
        )
        best: dict[tuple[str, int, int], RecognizerResult] = {}
        for result in results:
            key = (result.entity_type, result.start, result.end)
            if result.score >= THRESHOLD and (key not in best or best[key].score < result.score):
                best[key] = result
        by_type: dict[str, list[RecognizerResult]] = {}
        for result in best.values():
            by_type.setdefault(result.entity_type, []).append(result)
        return [result for found in by_type.values() for result in bounded(found)]


def _from(result: RecognizerResult) -> str | None:
    found: str | None = (result.recognition_metadata or {}).get(_ID)
    return found
