"""The page's languages: each has every word, fills in the same names, and is chosen as asked."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from memory.errors import InvalidArgumentError
from server.web import forms
from server.web.words import LANGUAGES, load_words, preferred

WEB = Path(__file__).parents[3] / "server" / "web"
CALLED = re.compile(r'\bt\("([a-z_.]+)"')


def test_every_language_says_everything_and_fills_in_the_same_names() -> None:
    texts = {tag: words.texts for tag, words in load_words().items()}
    assert list(texts) == list(LANGUAGES)
    first = texts["en"]
    for other in texts.values():
        assert other.keys() == first.keys()
        for key, text in other.items():
            if not key.startswith("format."):
                named = {name for _, name, _, _ in Formatter().parse(text) if name}
                assert named == {name for _, name, _, _ in Formatter().parse(first[key]) if name}


def test_every_word_that_a_template_names_exists() -> None:
    known = load_words()["en"].texts
    named = {
        key for path in WEB.glob("templates/*.html") for key in CALLED.findall(path.read_text())
    }
    assert named - known.keys() == {key for key in named if key.endswith(".")}


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        ("", "en"),
        ("fr", "en"),
        ("de", "de"),
        ("fr, de-AT;q=0.9, en;q=0.8", "de"),
        ("en;q=0.1, de;q=0.2", "de"),
        ("de;q=0, en", "en"),
        ("de;q=much", "en"),
    ],
)
def test_the_browser_says_which_language(accepted: str, tag: str) -> None:
    assert preferred(accepted) == tag


@pytest.mark.parametrize(
    "fields",
    [
        {"since": "yesterday"},
        {"since": "2026-02-02", "until": "2026-02-01"},
        {"kind": "rumour"},
        {"assistant": "A b"},
        {"until": "9999-12-31"},
    ],
)
def test_a_filter_that_does_not_fit_names_the_field(fields: dict[str, str]) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        forms.which(fields)
    assert refused.value.field in fields
