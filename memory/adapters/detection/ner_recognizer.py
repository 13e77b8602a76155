"""A Presidio recognizer around a model that finds names.

Rules:
- Any model with `find(text) -> [(start, end, label, score)]` fits: the shipped one, or a plug-in's.
- A label counts from its threshold on; thresholds were chosen on development data.
- The whole text goes in at once, within a budget (`model_budget`): the model keeps its own windows.
- "Israeli" is no place, whatever the model says: who comes from somewhere is the matter of
  `recognizers_groups`.
- Words that name a field of a form ("DOB", "Holder") are no names, whatever the model says.
- Scores come out between 0.4 and 0.6: sure enough to count, and weaker than a pattern that fits.
  A model of names has no say about what "EMP-36007" is; where both find something, the pattern
  gives the type, and both are hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from presidio_analyzer import LocalRecognizer, RecognizerResult

from memory.adapters.detection.model_budget import readable
from memory.adapters.detection.recognizers_groups import is_group

LABELS: Final = ("PERSON", "LOCATION", "ORGANIZATION")


# fmt: off
_FIELD_NAMES: Final = frozenset({
    "dob", "ssn", "ein", "itin", "mrn", "swift", "bic", "iban", "npi", "zip", "state", "phone",
    "fax", "tel", "email", "e-mail", "address", "department", "dept", "holder", "amp", "url",
    "acct", "emp", "mac", "ref", "session", "account", "employer",
    "employee", "patient", "provider", "invoice", "policy",
})
# fmt: on


class NameModel(Protocol):
    """Finds names of people, places and organizations."""

    def find(self, text: str) -> Sequence[tuple[int, int, str, float]]:
        """(start, end, label, score in 0..1), offsets in characters of `text`."""
        ...


class NerRecognizer(LocalRecognizer):
    """PERSON, LOCATION and ORGANIZATION as the model sees them."""

    def __init__(self, model: NameModel, thresholds: Mapping[str, float] | None = None) -> None:
        self._model = model
        self._thresholds = dict(thresholds or {})
        super().__init__(supported_entities=list(LABELS), name="TacitNerRecognizer")

    def load(self) -> None:
        """The model is given, loaded."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        return [
            RecognizerResult(label, start, end, 0.4 + 0.2 * float(score))
            for start, end, label, score in self._model.find(readable(text))
            if label in entities
            and score >= self._thresholds.get(label, 0.0)
            and text[start:end].strip(".:#").lower() not in _FIELD_NAMES
            and not (label == "LOCATION" and is_group(text[start:end]))
        ]
