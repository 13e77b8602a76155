"""From tokens to words and from tagged words to spans: the text side of the NER model.

Pure functions, shared by the shipped model and its training so that both see a text alike:

- ``fold`` replaces look-alike letters one for one, so offsets stay those of the original text;
- ``group_words`` says which word each token belongs to (a word partly tagged is wholly tagged);
- ``features`` keeps the capitals that a lower-casing tokenizer throws away, and says which words
  are known as names;
- ``network_addresses`` says where no name is looked for;
- ``join_words`` makes spans of tagged words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from memory.adapters.ner_lexicon import KINDS, Lexicon

SHAPES: Final = 4
FEATURES: Final = SHAPES * KINDS
"""How many features there are: each shape of a word with each sum of kinds."""

_LETTERS_WITHOUT_DECOMPOSITION = str.maketrans(
    "đĐðÐłŁøØıİħĦŋŊəƏɓƁɗƊƙƘ‘’ʼʻ`´＇",
    "dDdDlLoOiIhHnNeEbBdDkK'''''''",
)

_LOOK_ALIKES = str.maketrans(
    "асеіорхуѕјԁһԛԝАВЕНІЈКМОРЅТХΑΒΕΖΗΙΚΜΝΟΡΤΥΧαοινυ",
    "aceiopxysjdhqwABEHIJKMOPSTXABEZHIKMNOPTYXaoivu",
)
_CYRILLIC_OR_GREEK = re.compile("[\u0370-\u052f]")
_LATIN = re.compile("[A-Za-z]")
_UNBROKEN = re.compile("[\\w\u00ad\u200b-\u200d\u2060\ufeff]+")

_ACCENTED = re.compile(
    "[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]|[A-Za-z][\u0300-\u036f]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character, which no tokenizer takes."""

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
"""Scripts written without spaces: there each token is a word of its own."""

_ADDRESS = re.compile(
    r"[\w.+%-]*@[\w-]+(?:\.[\w-]+)+|(?:https?://|www\.)[^\s/]+"
    r"|\b(?:alt|comp|humanities|misc|news|rec|sci|soc|talk)(?:\.[\w+-]+){2,}"
)
"""An e-mail address, or the host of a link: other recognizers find these whole. Or a newsgroup."""

_HANDLE = re.compile(r"(?<![\w.])@ ?\w+")

_GAP = re.compile(r"[ \t\u00a0]{0,2}[-‐‑'.·_&]?[ \t\u00a0]{0,2}")
_SPACED_LETTERS_GAP = re.compile(r"[ \t\u00a0]{1,4}")
_HANDLE_SIGN = re.compile(r"@ ?$")
_HANDLE_BEFORE = re.compile(r"(?<![\w.])@\w+$")
_LONGEST_HANDLE = 64
_INITIAL_OR_TITLE = 4
"""A full stop joins two words only after one this short ("J. Smith", "Prof. Smith")."""


class TaggedWord(NamedTuple):
    """A word the model tagged; offsets in characters, end exclusive."""

    start: int
    end: int
    label: str
    score: float
    is_word: bool
    """False for a punctuation mark."""


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 else character


def fold(text: str) -> str:
    """Replace styled letters (full-width, mathematical) and strokes by plain ones, one for one.

    So are Cyrillic and Greek letters in a Latin word.
    """
    if text.isascii():
        return text.replace("`", "'")
    text = _SURROGATE.sub("\ufffd", text.translate(_LETTERS_WITHOUT_DECOMPOSITION))
    if _CYRILLIC_OR_GREEK.search(text):
        text = _UNBROKEN.sub(_without_disguise, text)
    return "".join([c if c < "\u2100" else _fold_character(c) for c in text])


def _without_disguise(word: re.Match[str]) -> str:
    """A word of two scripts with the letters of the other script that look Latin made so."""
    letters = word.group()
    mixed = _LATIN.search(letters) and _CYRILLIC_OR_GREEK.search(letters)
    return letters.translate(_LOOK_ALIKES) if mixed else letters


def _is_wordy(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNM"


def _continues(text: str, left_end: int, right_start: int) -> bool:
    """Whether the token at ``right_start`` goes on with the word that reaches ``left_end``."""
    if right_start < left_end:
        return True
    if right_start > left_end:
        between = text[left_end:right_start]
        if any(unicodedata.category(c) not in ("Cf", "Mn", "Mc", "Me", "Cc") for c in between):
            return False
        if any(c.isspace() for c in between):
            return False
    before, after = text[left_end - 1], text[right_start]
    if not _is_wordy(after) or not (_is_wordy(before) or unicodedata.category(before) == "Cf"):
        return False
    return not (_UNSPACED.match(before) or _UNSPACED.match(after))


def network_addresses(text: str) -> list[tuple[int, int]]:
    """Where e-mail addresses and hosts lie; the pieces of one are no names of their own."""
    return [match.span() for match in _ADDRESS.finditer(text)]


def handles(text: str) -> list[tuple[int, int]]:
    """Where handles (``@name``) lie; tokenized tweets put a space after the ``@``."""
    return [match.span() for match in _HANDLE.finditer(text)]


def group_words(
    text: str, offsets: Sequence[tuple[int, int]]
) -> tuple[list[int], list[tuple[int, int]]]:
    """Say which word each token belongs to, and where the words lie.

    Punctuation marks are words of their own. ``offsets`` are the tokens' character offsets in
    ``text``, in order.
    """
    owner: list[int] = []
    words: list[tuple[int, int]] = []
    for start, end in offsets:
        if words and start < len(text) and _continues(text, words[-1][1], start):
            words[-1] = (words[-1][0], max(end, words[-1][1]))
        else:
            words.append((start, end))
        owner.append(len(words) - 1)
    return owner, words


def word_shape(word: str) -> int:
    """0 without capitals, 1 Capitalised, 2 ALL CAPITALS (two or more), 3 mIxed or CamelCase."""
    letters = [c for c in word if c.isalpha()]
    if not any(c.isupper() for c in letters):
        return 0
    if len(letters) > 1 and all(c.isupper() for c in letters):
        return 2
    return 1 if letters[0].isupper() and not any(c.isupper() for c in letters[1:]) else 3


def is_accented(word: str) -> bool:
    """Whether a Latin letter of the word bears a mark that English does without."""
    return bool(_ACCENTED.search(word))


def features(words: Sequence[str], lexicon: Lexicon) -> list[int]:
    """What the model is told of each word beside its tokens: a number below ``FEATURES``."""
    return [word_shape(word) + SHAPES * lexicon.kind(word) for word in words]


def _joins(text: str, left: TaggedWord, right: TaggedWord) -> bool:
    if left.label != right.label:
        return False
    gap = text[left.end : right.start]
    if not gap:
        return True
    if gap[0].isspace() and (text[right.start] == "@" or _ends_handle(text, left.end)):
        return False
    if left.end - left.start == 1 and _SPACED_LETTERS_GAP.fullmatch(gap):
        return True
    if not _GAP.fullmatch(gap):
        return False
    return "." not in gap or left.end - left.start <= _INITIAL_OR_TITLE


def _ends_handle(text: str, end: int) -> bool:
    """Whether a handle ends there. One with a space behind its ``@`` may only mean "at"."""
    return bool(_HANDLE_BEFORE.search(text, max(0, end - _LONGEST_HANDLE), end))


def join_words(text: str, tagged: Sequence[TaggedWord]) -> list[TaggedWord]:
    """Join neighbouring words of one label, and give handles back their ``@``.

    Separators that join: spaces, a hyphen, an apostrophe, an underscore, ``&``, a full stop after
    an initial or a title, and whatever was tagged itself. A possessive ``'s`` is trimmed. A handle
    is a name of its own ("@amara_k Amara, ...").
    """
    spans: list[list[TaggedWord]] = []
    for word in tagged:
        if spans and _joins(text, spans[-1][-1], word):
            spans[-1].append(word)
        else:
            spans.append([word])
    return [_span(text, words) for words in map(_trimmed, spans) if words]


def _trimmed(words: list[TaggedWord]) -> list[TaggedWord]:
    """Drop punctuation that was tagged with the words beside it."""
    letters = [index for index, word in enumerate(words) if word.is_word]
    return words[letters[0] : letters[-1] + 1] if letters else []


def _span(text: str, words: list[TaggedWord]) -> TaggedWord:
    if len(words) > 2 and text[words[-2].start : words[-1].end].lower() == "'s":
        words = words[:-2]
    start = words[0].start
    if words[0].label == "PERSON":
        handle = _HANDLE_SIGN.search(text, max(0, start - 2), start)
        start = handle.start() if handle else start
    score = sum(word.score for word in words) / len(words)
    return TaggedWord(start, words[-1].end, words[0].label, score, True)
