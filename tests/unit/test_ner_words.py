"""The text side of the NER model: folding, words, shapes, and spans from tagged words."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.adapters.ner_lexicon import GIVEN, PLACE, Lexicon
from memory.adapters.ner_words import (
    FEATURES,
    TaggedWord,
    features,
    fold,
    group_words,
    join_words,
    word_shape,
)


def tag(text: str, *names: str, label: str = "PERSON") -> list[TaggedWord]:
    """Tag each of ``names``, found in order in ``text``."""
    tagged, at = [], 0
    for name in names:
        start = text.index(name, at)
        at = start + len(name)
        is_word = any(c.isalnum() for c in name)
        tagged.append(TaggedWord(start, at, label, 0.9, is_word))
    return tagged


def spans(text: str, *names: str) -> list[str]:
    return [text[s.start : s.end] for s in join_words(text, tag(text, *names))]


@given(st.text())
def test_folding_never_moves_an_offset(text: str) -> None:
    assert len(fold(text)) == len(text)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Ｊｏｈｎ", "John"),
        ("𝐉𝐨𝐡𝐧", "John"),
        ("Đặng", "Dặng"),
        ("Łukasz", "Lukasz"),
        ("O’Neil", "O'Neil"),
    ],
)
def test_look_alike_letters_are_read_as_plain_ones(written: str, read: str) -> None:
    assert fold(written) == unicodedata.normalize("NFC", read)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("J\u043ehn \u0405mith", "John Smith"),
        ("M\u0430\u200brie", "Ma\u200brie"),
        ("\u0391nn\u03b1", "Anna"),
        ("\u0418\u0432\u0430\u043d", "\u0418\u0432\u0430\u043d"),
        ("\u0395\u03bb\u03ad\u03bd\u03b7", "\u0395\u03bb\u03ad\u03bd\u03b7"),
    ],
)
def test_letters_of_another_script_are_plain_in_a_latin_word_only(written: str, read: str) -> None:
    assert fold(written) == read


def test_features_tell_capitals_and_known_names_apart() -> None:
    lexicon = Lexicon({"anna": GIVEN, "paris": GIVEN | PLACE})
    words = ["anna", "Anna", "PARIS", "xyz"]
    told = features(words, lexicon)
    assert len(set(told)) == len(words)
    assert all(0 <= feature < FEATURES for feature in told)


def test_the_tokens_of_one_word_are_grouped() -> None:
    owner, words = group_words("Jonas left.", [(0, 3), (3, 5), (6, 10), (10, 11)])
    assert owner == [0, 0, 1, 2]
    assert words == [(0, 5), (6, 10), (10, 11)]


def test_a_zero_width_character_does_not_end_a_word() -> None:
    _, words = group_words("Jo\u200bnas", [(0, 2), (3, 6)])
    assert words == [(0, 6)]


def test_scripts_without_spaces_keep_a_word_for_each_token() -> None:
    _, words = group_words("王小明", [(0, 1), (1, 2), (2, 3)])
    assert words == [(0, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("anna", 0),
        ("1234", 0),
        ("王", 0),
        ("", 0),
        ("Anna", 1),
        ("A", 1),
        ("ANNA", 2),
        ("McKay", 3),
    ],
)
def test_a_words_capitals_give_its_shape(word: str, shape: int) -> None:
    assert word_shape(word) == shape


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        ("Ada Byron left", ("Ada", "Byron"), ["Ada Byron"]),
        ("Ada, Ben", ("Ada", "Ben"), ["Ada", "Ben"]),
        ("Jean-Luc O'Hara", ("Jean", "Luc", "O", "Hara"), ["Jean-Luc O'Hara"]),
        ("J. Byron", ("J", "Byron"), ["J. Byron"]),
        ("I met Ada. Ben left", ("Ada", "Ben"), ["Ada. Ben"]),
        ("I met Adele. Ben left", ("Adele", "Ben"), ["Adele", "Ben"]),
        ("Ada\nBen", ("Ada", "Ben"), ["Ada", "Ben"]),
        ("Ada's cat", ("Ada", "'", "s"), ["Ada"]),
        ("(Ada)", ("(", "Ada", ")"), ["Ada"]),
        ("...", (".", ".", "."), []),
        ("ask @ada now", ("ada",), ["@ada"]),
        ("ask @ ada now", ("ada",), ["@ ada"]),
        ("A d a", ("A", "d", "a"), ["A d a"]),
        ("@ada_l Ada, when?", ("ada", "_", "l", "Ada"), ["@ada_l", "Ada"]),
        ("Ada @bo @cy", ("Ada", "@", "bo", "@", "cy"), ["Ada", "@bo", "@cy"]),
        ("@ada's cat", ("ada", "'", "s"), ["@ada"]),
        ("dinner @ Ada Bo's", ("Ada", "Bo"), ["@ Ada Bo"]),
    ],
)
def test_neighbouring_words_become_one_span(
    text: str, names: tuple[str, ...], expected: list[str]
) -> None:
    assert spans(text, *names) == expected


def test_words_of_different_labels_stay_apart() -> None:
    text = "Ada Oslo"
    tagged = tag(text, "Ada") + tag(text, "Oslo", label="LOCATION")
    assert [span.label for span in join_words(text, tagged)] == ["PERSON", "LOCATION"]
