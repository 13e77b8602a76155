"""A pattern recognizer in Presidio's interface, without what Presidio adds to each match.

Rules:
- Same inputs (patterns, context words, `validate_result`, `invalidate_result`) and same results
  as `presidio_analyzer.PatternRecognizer`, but no explanation objects, no clock, no log line, and
  no quadratic search for duplicates: a third of the time on text full of finds.
- A pattern is compiled once.
- More than `MAX_FINDS` finds in one piece of text are no message but an attack, or a table: from
  there on everything up to the last find is one find. Presidio's merging is quadratic in them.
"""

from __future__ import annotations

from typing import Any

import regex  # type: ignore[import-untyped]
from presidio_analyzer import Pattern, PatternRecognizer, RecognizerResult

_NAME = RecognizerResult.RECOGNIZER_NAME_KEY
_ID = RecognizerResult.RECOGNIZER_IDENTIFIER_KEY


MAX_FINDS = 40


def bounded(found: list[RecognizerResult]) -> list[RecognizerResult]:
    """At most `MAX_FINDS` results; the last one reaches over all that would be too many."""
    if len(found) <= MAX_FINDS:
        return found
    found.sort(key=lambda r: r.start)
    rest = found[MAX_FINDS - 1 :]
    rest[0].end = max(r.end for r in rest)
    rest[0].score = max(r.score for r in rest)
    return found[:MAX_FINDS]


class Patterns(PatternRecognizer):
    """Regular expressions with scores."""

    patterns: list[Pattern]
    name: str

    def load(self) -> None:
        """Compiles on first use, as Presidio sets the patterns after calling this."""
        self._compiled: list[tuple[Any, float]] | None = None

    def analyze(
        self,
        text: str,
        entities: list[str],
        nlp_artifacts: Any = None,
        regex_flags: int | None = None,
    ) -> list[RecognizerResult]:
        if self._compiled is None:
            flags = self.global_regex_flags or 0
            self._compiled = [(regex.compile(p.regex, flags), p.score) for p in self.patterns]
        found = []
        for pattern, score in self._compiled:
            for match in pattern.finditer(text):
                start, end = match.span()
                final = self._judge(text[start:end], score) if start < end else 0.0
                if final > 0:
                    found.append(self._result(start, end, final))
        return bounded(found)

    def _judge(self, surface: str, score: float) -> float:
        valid = self.validate_result(surface)
        if valid is not None:
            return 1.0 if valid else 0.0
        return 0.0 if self.invalidate_result(surface) else score

    def _result(self, start: int, end: int, score: float) -> RecognizerResult:
        return RecognizerResult(
            self.supported_entities[0],
            start,
            end,
            score,
            recognition_metadata={_NAME: self.name, _ID: self.id},
        )
