"""Words known as names: how they are looked up."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import memory
from memory.adapters.ner_lexicon import (
    FAMILY,
    GIVEN,
    KINDS,
    ORGANIZATION,
    PLACE,
    Lexicon,
    plain,
)

SHIPPED = Lexicon.read(Path(memory.__file__).parent / "models" / "ner" / "lexicon.txt")


@pytest.mark.parametrize("word", ["ximena", "Ximena", "XIMENA", "Xim\u00e9na", "Xi\u200bmena"])
def test_a_name_is_known_however_it_is_written(word: str) -> None:
    assert SHIPPED.kind(word) & GIVEN


def test_a_word_may_be_known_as_several_things() -> None:
    lexicon = Lexicon({"jordan": GIVEN | FAMILY | PLACE})
    assert lexicon.kind("Jordan") == GIVEN | FAMILY | PLACE


@pytest.mark.parametrize("word", ["", "the", "so", "zzzzzz", "12", "a" * 10_000])
def test_other_words_are_known_as_nothing(word: str) -> None:
    assert SHIPPED.kind(word) == 0


def test_the_shipped_file_holds_plain_words_and_kinds_only() -> None:
    entries = SHIPPED.entries()
    assert len(entries) > 10_000
    assert all(word == plain(word) and 0 <= kind <= ORGANIZATION for word, kind in entries)


def test_an_ordinary_word_is_known_as_no_name() -> None:
    assert SHIPPED.entry("Cumin") == SHIPPED.kind("Cumin") == 0
    assert SHIPPED.entry("Ximena")
    assert {SHIPPED.entry(word) for word in ("zzzzzz", "", "a" * 10_000)} == {None}


def test_an_organisation_that_nobody_is_called_after_is_known_as_no_name() -> None:
    assert SHIPPED.entry("Netflix") == ORGANIZATION
    assert SHIPPED.kind("Netflix") == 0


@given(st.text())
def test_any_word_can_be_looked_up(word: str) -> None:
    assert 0 <= SHIPPED.kind(word) < KINDS
