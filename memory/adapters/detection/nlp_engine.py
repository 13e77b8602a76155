"""A slim NlpEngine for Presidio: words and their places, no model, no download.

Rules:
- A word's lemma is its lower case; that is all that context words need.
- Artifacts carry no entities: names come from recognizers, not from the engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

_TOKEN: Final = re.compile(r"\w+|[^\w\s]")


class Word(str):
    """A token as Presidio wants it: a string that also has `text`."""

    __slots__ = ()

    @property
    def text(self) -> str:
        return str(self)


class SlimNlpEngine(NlpEngine):
    """Splits English (or any) text into words."""

    def load(self) -> None:
        """Nothing to load."""

    def is_loaded(self) -> bool:
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        found = [(Word(m.group()), m.start()) for m in _TOKEN.finditer(text)]
        return NlpArtifacts(
            entities=[],
            tokens=[word for word, _ in found],  # type: ignore[arg-type]  # words, not a Doc
            tokens_indices=[start for _, start in found],
            lemmas=[word.lower() for word, _ in found],
            nlp_engine=self,
            language=language,
        )

    def process_batch(
        self,
        texts: Iterable[str],
        language: str,
        batch_size: int = 1,
        n_process: int = 1,
        **_: Any,
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        for text in texts:
            yield text, self.process_text(text, language)

    def is_stopword(self, word: str, language: str) -> bool:
        return False

    def is_punct(self, word: str, language: str) -> bool:
        return not word[:1].isalnum()

    def get_supported_entities(self) -> list[str]:
        return []

    def get_supported_languages(self) -> list[str]:
        return ["en"]
