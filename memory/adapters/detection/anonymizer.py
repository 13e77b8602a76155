"""The `Anonymizer` port on presidio-anonymizer, exact for any text.

Rules:
- One name per span, in order: the engine works from the end of the text to its start, and so
  does the list of names.
- Presidio's merging of neighbours of one type is off: two people side by side stay two. Spans
  come resolved (`core.spans`), so its conflict rules have nothing to decide.
- The way back is taken from the original text; should the engine ever do something else than
  asked, that is an error here and not a wrong reveal later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from presidio_anonymizer import AnonymizerEngine
from presidio_anonymizer.entities import OperatorConfig, RecognizerResult

from memory.core.pseudonyms import Replacement, replace
from memory.core.values import RawText, Span

_ANY_TYPE: Final = "DEFAULT"


class PresidioAnonymizer:
    """Puts names in place of spans."""

    def __init__(self) -> None:
        self._engine = AnonymizerEngine()  # type: ignore[no-untyped-call]

    def replace(self, text: RawText, spans: Sequence[Span], names: Sequence[str]) -> Replacement:
        """Raises `ValueError` when spans overlap, are unsorted, or differ in number from names."""
        expected = replace(text, spans, names)
        if not spans:
            return expected
        left = list(names)
        result = self._engine.anonymize(
            text=text.value,
            analyzer_results=[
                RecognizerResult(s.entity_type, s.start, s.end, s.score) for s in spans
            ],
            operators={_ANY_TYPE: OperatorConfig("custom", {"lambda": lambda _: left.pop()})},
            merge_entities_with_spaces=False,
        )
        if result.text != expected.text.value or left:
            raise ValueError("the anonymizer did not replace exactly the given spans")
        return expected
