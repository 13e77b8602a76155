"""Plug-ins load for real, find through the detector, and fail in words a person can use."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import spacy

from memory.adapters.detection.analyzer import PresidioDetector
from memory.adapters.detection.catalogue import Catalogue
from memory.adapters.detection.nlp_engine import SlimNlpEngine
from memory.adapters.detection.plugins import MAX_CHARS, Plugin, load_plugin, load_plugins
from memory.core.policy import STRICT
from memory.core.values import RawText
from memory.errors import ConfigurationError

WORDS = SlimNlpEngine().process_text("", "en")


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """A spaCy pipeline on disk that knows one person and one town."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns(  # type: ignore[attr-defined]
        [
            {"label": "PERSON", "pattern": [{"LOWER": "zorblax"}]},
            {"label": "GPE", "pattern": "Quuxville"},
            {"label": "PRODUCT", "pattern": "Widget"},
        ]
    )
    folder = tmp_path / "pipeline"
    nlp.to_disk(folder)
    return folder


def test_a_spacy_pipeline_finds_beside_the_patterns(pipeline: Path) -> None:
    plugin = load_plugin(Plugin("spacy", str(pipeline)))
    detector = PresidioDetector(Catalogue(plugins=[plugin]), STRICT)
    text = RawText("zorblax of Quuxville bought a Widget, mail z@example.com")
    assert [(s.entity_type, text.value[s.start : s.end]) for s in detector.detect(text)] == [
        ("PERSON", "zorblax"),
        ("LOCATION", "Quuxville"),
        ("EMAIL_ADDRESS", "z@example.com"),
    ]


def test_offsets_hold_beyond_one_piece(pipeline: Path) -> None:
    plugin = load_plugin(Plugin("spacy", str(pipeline)))
    text = "é " * MAX_CHARS + "zorblax"
    assert [text[r.start : r.end] for r in plugin.analyze(text, ["PERSON"], WORDS)] == ["zorblax"]


@pytest.mark.parametrize("kind", ["spacy", "transformers", "gliner"])
def test_what_does_not_load_is_an_error_at_start(kind: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"plugins"):
        load_plugin(Plugin(kind, str(tmp_path / "nothing-here")))


@pytest.mark.parametrize("kind", ["transformers", "gliner"])
def test_a_missing_library_is_named(kind: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(kind) is not None:
        pytest.skip(f"{kind} is installed here")
    with pytest.raises(ConfigurationError, match="not installed"):
        load_plugin(Plugin(kind, str(tmp_path)))


def test_an_unknown_kind_and_empty_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="kind"):
        load_plugin(Plugin("stanza", str(tmp_path)))
    with pytest.raises(ConfigurationError, match="labels"):
        load_plugin(Plugin("spacy", str(tmp_path), labels={}))


@pytest.mark.parametrize(
    "tables",
    ["x", [1], [{"kind": "spacy"}], [{"kind": "spacy", "model": "m", "extra": 1}]],
)
def test_a_malformed_entry_is_refused(tables: object) -> None:
    with pytest.raises(ConfigurationError, match="plugins"):
        load_plugins(tables)
