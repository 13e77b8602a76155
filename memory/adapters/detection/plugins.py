"""Other models by configuration: spaCy, transformers, GLiNER, beside or instead of the shipped one.

    [[plugins]]
    kind = "spacy"            # a pipeline's folder, or the name of an installed package
    model = "en_core_web_sm"
    [plugins.labels]
    GPE = "LOCATION"

Rules:
- Libraries are imported only when a plug-in asks for them; one that is missing is a
  `ConfigurationError` that says what to install, at start and not at the first message.
- Nothing is downloaded: a model is a folder, or for spaCy an installed package.
- A plug-in is a Presidio recognizer like any other: its finds meet the same policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from presidio_analyzer import EntityRecognizer, LocalRecognizer, RecognizerResult

from memory.errors import ConfigurationError

MAX_CHARS: Final = 10_000
"""Longer texts go through a plug-in in pieces of this length."""

# fmt: off
DEFAULT_LABELS: Final = {
    "PERSON": "PERSON", "PER": "PERSON", "person": "PERSON", "name": "PERSON",
    "GPE": "LOCATION", "LOC": "LOCATION", "FAC": "LOCATION", "LOCATION": "LOCATION",
    "location": "LOCATION", "address": "STREET_ADDRESS",
    "ORG": "ORGANIZATION", "ORGANIZATION": "ORGANIZATION", "organization": "ORGANIZATION",
    "NORP": "NRP",
}
# fmt: on


@dataclass(frozen=True)
class Plugin:
    """One entry of the configuration. `labels` maps the model's labels to entity types."""

    kind: str
    model: str
    labels: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_LABELS))
    threshold: float = 0.5


Found = list[tuple[int, int, str, float]]
"""(start, end, the model's label, score) in a text of at most `MAX_CHARS`."""


def load_plugins(tables: object) -> list[EntityRecognizer]:
    """The recognizers of `[[plugins]]`. Raises `ConfigurationError` naming what is wrong."""
    if not isinstance(tables, list):
        raise ConfigurationError("plugins: must be tables, written [[plugins]]")
    known = {f.name for f in fields(Plugin)}
    for table in tables:
        if not isinstance(table, dict) or set(table) - known or not {"kind", "model"} <= set(table):
            raise ConfigurationError(
                f"plugins: each needs kind and model, and may have {', '.join(sorted(known))}"
            )
    return [load_plugin(Plugin(**table)) for table in tables]


def load_plugin(plugin: Plugin) -> EntityRecognizer:
    """The recognizer of a plug-in, loaded. Raises `ConfigurationError` when it cannot be."""
    makers = {"spacy": _spacy, "transformers": _transformers, "gliner": _gliner}
    make = makers.get(plugin.kind)
    if make is None:
        raise ConfigurationError(f"plugins.kind: must be one of {', '.join(makers)}")
    if not plugin.labels:
        raise ConfigurationError("plugins.labels: names no label")
    try:
        return ModelRecognizer(plugin, make(plugin))
    except ImportError:
        raise ConfigurationError(
            f"plugins: {plugin.kind!r} is not installed; "
            f"install it in this environment, or remove the plug-in"
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"plugins: {plugin.kind} model {plugin.model!r} does not load "
            f"({type(error).__name__}); name the folder of a model"
        ) from None


class ModelRecognizer(LocalRecognizer):
    """Runs a model over the text, in pieces when it is long, and maps its labels."""

    def __init__(self, plugin: Plugin, find: Callable[[str], Found]) -> None:
        self._plugin = plugin
        self._find = find
        types = sorted(set(plugin.labels.values()))
        super().__init__(supported_entities=types, name=f"Tacit{plugin.kind.title()}Recognizer")

    def load(self) -> None:
        """The model is given, loaded."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        return [
            RecognizerResult(self._plugin.labels[label], offset + start, offset + end, score)
            for offset in range(0, len(text), MAX_CHARS)
            for start, end, label, score in self._find(text[offset : offset + MAX_CHARS])
            if label in self._plugin.labels and score >= self._plugin.threshold
        ]


def _spacy(plugin: Plugin) -> Callable[[str], Found]:
    spacy = import_module("spacy")
    folder = Path(plugin.model)
    pipeline = spacy.load(folder if folder.is_dir() else plugin.model)
    # spaCy gives no score; Presidio takes 0.85 for it, and so do we.
    return lambda text: [(e.start_char, e.end_char, e.label_, 0.85) for e in pipeline(text).ents]


def _transformers(plugin: Plugin) -> Callable[[str], Found]:
    make = import_module("transformers").pipeline
    run = make("token-classification", model=_folder(plugin), aggregation_strategy="simple")
    return lambda text: [
        (int(e["start"]), int(e["end"]), str(e["entity_group"]), float(e["score"]))
        for e in run(text)
    ]


def _gliner(plugin: Plugin) -> Callable[[str], Found]:
    model = import_module("gliner").GLiNER.from_pretrained(_folder(plugin), local_files_only=True)
    asked = list(plugin.labels)
    return lambda text: [
        (int(e["start"]), int(e["end"]), str(e["label"]), float(e["score"]))
        for e in model.predict_entities(text, asked, threshold=plugin.threshold)
    ]


def _folder(plugin: Plugin) -> str:
    if not Path(plugin.model).is_dir():
        raise FileNotFoundError(plugin.model)  # a name would be looked up on a host
    return plugin.model
