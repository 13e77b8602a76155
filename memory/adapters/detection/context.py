"""Words near a find that make it more likely: "ssn 078-05-1121" is no order number.

Rules:
- A recognizer's context words count when they stand, as the beginning of a word and in any case,
  in the characters before the find or closely behind it.
- Presidio's own enhancer deep-copies every result, scans all tokens for each, and puts text into
  an error message; this one does none of that and costs microseconds.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer

BOOST: Final = 0.4
BEFORE: Final = 60
AFTER: Final = 16

_ID: Final = RecognizerResult.RECOGNIZER_IDENTIFIER_KEY


class NearbyWords(ContextAwareEnhancer):
    """Raises the score of a result by `BOOST` when a context word of its recognizer is near."""

    def __init__(self) -> None:
        super().__init__(
            context_similarity_factor=BOOST,
            min_score_with_context_similarity=0.4,
            context_prefix_count=0,
            context_suffix_count=0,
        )

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: Any,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        by_id = {recognizer.id: recognizer for recognizer in recognizers}
        for result in raw_results:
            recognizer = by_id.get((result.recognition_metadata or {}).get(_ID))
            if recognizer is None or not recognizer.context or result.score >= 1.0:
                continue
            window = f"{text[max(0, result.start - BEFORE) : result.start]} \0 "
            window += text[result.end : result.end + AFTER]
            if _any_word(tuple(recognizer.context)).search(window):
                result.score = min(1.0, max(result.score + BOOST, 0.4))
        return raw_results


@lru_cache(maxsize=256)
def _any_word(context: tuple[str, ...]) -> re.Pattern[str]:
    branches = "|".join(re.escape(word.strip()) for word in sorted(context, key=len, reverse=True))
    return re.compile(rf"(?<![^\W_])(?:{branches})", re.IGNORECASE)
