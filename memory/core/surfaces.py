"""Surfaces: when two ways of writing name the same thing.

A surface is what stands in the text ("Dr. José Núñez's"). Its canonical form ("jose nunez") is
what the vault compares, after hashing. For people there are partial forms too ("jose", "nunez").

Rules:
- The canonical form does not depend on case, diacritics, possessives, punctuation, width or
  white space; it is never empty; taking it twice changes nothing.
- Words are folded one by one, so the form of several words is the forms of each, joined by a
  space: what lets a query's word sequences be compared without a model.
- In scripts written without spaces (Han, kana, Hangul, Thai...) each character is a word.
- Titles, generation and degree suffixes are no part of a person's name; "Smith, Bob" is Bob Smith.
- What is spelled out is what it spells: "jane at example dot com", "five five five".
- Numbers and codes lose their separators; telephone numbers keep their last nine digits, which
  are the same with and without a country code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple


class Kind(StrEnum):
    """What surfaces of an entity type are compared as. Different kinds never match."""

    PERSON = "person"
    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    CODE = "code"


_NAMES: Final = frozenset(
    {"LOCATION", "ORGANIZATION", "NRP", "STREET_ADDRESS", "USERNAME", "DATE_TIME", "DATE_OF_BIRTH"}
)


def kind(entity_type: str) -> Kind:
    """The kind of an entity type; what is neither name, e-mail nor telephone is a code."""
    if entity_type in _NAMES:
        return Kind.NAME
    match entity_type:
        case "PERSON":
            return Kind.PERSON
        case "EMAIL_ADDRESS":
            return Kind.EMAIL
        case "PHONE_NUMBER":
            return Kind.PHONE
        case _:
            return Kind.CODE


# fmt: off
_TITLES: Final = frozenset({
    "mr", "mrs", "ms", "miss", "mx", "mister", "missus", "dr", "doctor", "prof", "professor",
    "sir", "dame", "madam", "rev", "reverend", "hon", "capt", "captain", "sgt", "lt", "col", "gen",
    "herr", "frau", "monsieur", "madame", "mme", "mlle", "senor", "senora",
})
# fmt: on
_SUFFIXES: Final = frozenset({"jr", "sr", "ii", "iii", "iv", "phd", "md", "esq"})

_PHONE_DIGITS: Final = 9
_MAX_NAME_WORDS: Final = 8
"""Partial forms are made of names up to this long; longer ones are no names of people."""

# Accents and optional vowel marks. The vowel signs of Indic scripts are letters, not decoration.
_ACCENTS: Final = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")
_LETTERS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
)
_APOSTROPHES: Final = "'\u2019\u02bc\uff07"
_MARK_BLOCKS: Final = (range(0x0300, 0x2100), range(0x3020, 0x30A0), range(0xA800, 0xAC00))
_MARKS: Final = "".join(
    chr(point)
    for block in _MARK_BLOCKS
    for point in block
    if unicodedata.category(chr(point)).startswith("M")
)
"""Combining marks, which `\\w` leaves out."""

_LETTER: Final = rf"(?:(?![{_UNSPACED}])[\w{_MARKS}])"
_WORD: Final = re.compile(rf"[{_UNSPACED}][{_MARKS}]*|{_LETTER}+(?:[{_APOSTROPHES}]{_LETTER}+)*")
_ASCII_WORD: Final = re.compile(r"\w+(?:'\w+)*", re.ASCII)
_POSSESSIVE: Final = re.compile(rf"(?<=.)(?:[{_APOSTROPHES}]s)+$", re.IGNORECASE)
_SEPARATORS: Final = re.compile(r"[\W_]+")


_BRACKETED: Final = re.compile(r"[\s\[\](){}<>,]+")
# fmt: off
_EMAIL_SIGNS: Final = {
    "at": "@", "dot": ".", "underscore": "_", "dash": "-", "hyphen": "-", "plus": "+",
}
_DIGIT_WORDS: Final = {
    "zero": "0", "oh": "0", "o": "0", "one": "1", "two": "2", "three": "3", "four": "4",
    "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}
# fmt: on


class Word(NamedTuple):
    """A word where it stands, characters [start, end) without possessive, and its folded form."""

    start: int
    end: int
    form: str


def words(text: str) -> list[Word]:
    """The words of a text in order. One without letters or digits has none."""
    pattern = _ASCII_WORD if text.isascii() else _WORD
    found = []
    for match in pattern.finditer(text):
        bare = _POSSESSIVE.sub("", match.group())
        if form := _fold_word(bare):
            found.append(Word(match.start(), match.start() + len(bare), form))
    return found


def normalize(entity_type: str, surface: str) -> str:
    """The canonical form of a surface: equal for two surfaces iff they name the same thing."""
    of = kind(entity_type)
    if of is Kind.PERSON:
        forms = person_forms([w.form for w in words(_given_name_first(surface))])
    elif of is Kind.NAME:
        forms = [w.form for w in words(surface)]
    elif of is Kind.EMAIL:
        forms = [_spell_out(surface, _EMAIL_SIGNS)]
    elif of is Kind.PHONE:
        spelled = _spell_out(surface, _DIGIT_WORDS)
        digits = "".join(str(unicodedata.digit(c)) for c in spelled if c.isdigit())
        forms = [digits[-_PHONE_DIGITS:]]
    else:
        plain = _SEPARATORS.sub(" ", _fold(surface))
        forms = ["".join(_DIGIT_WORDS.get(piece, piece) for piece in plain.split())]
    return " ".join(forms) or _fold(surface).strip() or surface


def person_forms(forms: Sequence[str]) -> list[str]:
    """The words of a person's name without titles in front and suffixes behind."""
    start, end = 0, len(forms)
    while start < end - 1 and forms[start] in _TITLES:
        start += 1
    while start < end - 1 and forms[end - 1] in _SUFFIXES:
        end -= 1
    return list(forms[start:end])


def is_affix(form: str) -> bool:
    """Whether `person_forms` may drop this word: a title or a suffix."""
    return form in _TITLES or form in _SUFFIXES


def partial_forms(canonical: str) -> tuple[str, ...]:
    """The shorter ways to write a person's canonical name, longest first.

    "maria de la cruz" gives "maria de la", "de la cruz", "maria cruz", "m cruz", "maria", "cruz".
    A single word and a name in a script without spaces have none.
    """
    name = canonical.split(" ")
    if not 1 < len(name) <= _MAX_NAME_WORDS or re.search(f"[{_UNSPACED}]", canonical):
        return ()
    first, last = name[0], name[-1]
    candidates = [" ".join(name[:-1]), " ".join(name[1:]), f"{first} {last}", f"{first[0]} {last}"]
    parts = [p for p in candidates if len(p) > 1] + [w for w in (first, last) if len(w) > 1]
    unique = dict.fromkeys(p for p in parts if p != canonical)
    return tuple(sorted(unique, key=lambda p: -p.count(" ")))


def _spell_out(surface: str, signs: Mapping[str, str]) -> str:
    """Folded, without white space, with sign words ("dot", "seven") as their signs."""
    pieces = _BRACKETED.split(_fold(surface))
    return "".join(signs.get(piece, piece) for piece in pieces)


def _given_name_first(surface: str) -> str:
    head, comma, tail = surface.partition(",")
    if not comma or "," in tail or not tail.strip():
        return surface
    behind = [w for w in words(tail) if w.form not in _SUFFIXES]
    return f"{tail[: behind[-1].end]} {head}" if behind else surface


def _fold_word(bare: str) -> str:
    if bare.isascii():
        return bare.replace("'", "").lower()
    # One sign may stand for several words (U+337F); then so does its form.
    found = _WORD.findall(_fold(bare))
    return " ".join("".join(c for c in word if c not in _APOSTROPHES) for word in found)


def _fold(text: str) -> str:
    """Case, width and accents gone; a fixed point is reached, so that folding twice is safe."""
    while True:
        plain = unicodedata.normalize("NFKC", text).casefold()
        plain = _ACCENTS.sub("", unicodedata.normalize("NFD", plain)).translate(_LETTERS)
        plain = unicodedata.normalize("NFKC", plain)
        if plain == text:
            return plain
        text = plain
