"""Ways a text, or a name, gets written: case, typos, missing punctuation, hostile formats.

A text is a list of parts, each with the labels it may have, so that no rewriting loses the labels.
"""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass, replace

from training.ner.data import Example, Mark
from training.ner.labels import OUTSIDE, PERSON

_KEYS_NEAR = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj",
    "i": "uo", "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "r": "et",
    "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip
_LEET = str.maketrans("aeiostAEIOST", "4310574310$7"[:12])
_LOOK_ALIKE = str.maketrans("aceiopxyABEHKMOPTX", "асеіорхуАВЕНКМОРТХ")
_ZERO_WIDTH = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad")


@dataclass(frozen=True)
class Part:
    """A stretch of text and the labels it may have."""

    text: str
    allowed: int


def to_parts(example: Example) -> list[Part]:
    """Cut an example at its marks (an earlier mark wins over a later one)."""
    parts: list[Part] = []
    at = 0
    for mark in sorted(example.marks, key=lambda m: (m.start, -m.end)):
        if mark.start < at:
            continue
        if mark.start > at:
            parts.append(Part(example.text[at : mark.start], example.outside))
        parts.append(Part(example.text[mark.start : mark.end], mark.allowed))
        at = mark.end
    if at < len(example.text):
        parts.append(Part(example.text[at:], example.outside))
    return parts


def to_example(source: str, parts: list[Part]) -> Example:
    """Put parts together again."""
    marks, at = [], 0
    for part in parts:
        if part.allowed != OUTSIDE:
            marks.append(Mark(at, at + len(part.text), part.allowed))
        at += len(part.text)
    return Example(source, "".join(part.text for part in parts), tuple(marks))


def typo(word: str, rng: random.Random) -> str:
    """One slip of the finger: two letters swapped, one lost, doubled, or a neighbouring key."""
    if len(word) < 3:
        return word
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 1:
        return word[:at] + word[at + 1 :]
    if kind == 2:
        return word[:at] + word[at] + word[at:]
    near = _KEYS_NEAR.get(word[at].lower(), word[at])
    return word[:at] + rng.choice(near) + word[at + 1 :]


def plain_letters(text: str) -> str:
    """Drop accents, as people do on foreign keyboards."""
    marks = (c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
    return unicodedata.normalize("NFC", "".join(marks))


def hostile(name: str, rng: random.Random) -> str:
    """Write a name so that a pattern or a word list misses it."""
    first, _, last = name.partition(" ")
    kind = rng.randrange(24)
    if kind == 0:
        gap = rng.choice((" ", " ", " ", ".", "-", "_", "*", "  ", " . "))
        wide = rng.choice(("   ", "  ", " ", " / "))
        return wide.join(gap.join(word) for word in name.split())
    if kind in (1, 2):
        space = rng.choice(_ZERO_WIDTH)
        return "".join(c + (space if rng.random() < 0.5 else "") for c in name)
    if kind == 3:
        return name.translate(_LEET)
    if kind == 4:
        return "".join(c.translate(_LEET) if rng.random() < 0.4 else c for c in name)
    if kind in (5, 6):
        return "".join(c.translate(_LOOK_ALIKE) if rng.random() < 0.6 else c for c in name)
    if kind == 7:
        return "".join(c.upper() if i % 2 else c.lower() for i, c in enumerate(name))
    if kind == 8 and last:
        return f"{last.upper()}, {first}"
    if kind == 9 and last:
        return f"{last}, {first}"
    if kind == 10 and last:
        return rng.choice((f"{first[0]}. {last}", f"{first} {last[0]}.", f"{last} {first[0]}"))
    if kind == 11:
        return name.replace(" ", rng.choice(("_", ".", "-", "__", "+", "%20", "&nbsp;", "/")))
    if kind == 12:
        return name.replace(" ", "")
    if kind == 13:
        return name.replace(" ", rng.choice(("  ", "   ", "\t", "\u00a0", " \n", "\n")))
    if kind == 14:
        return "".join(_styled(c) for c in name)
    if kind == 15:
        return "".join(_wide(c) for c in name)
    if kind == 16:
        return name.upper()
    if kind == 17:
        return name.lower()
    if kind == 18:
        mark = rng.choice(("**", "*", "_", "__", "`", "~~", '"', "'", "“"))
        return f"{mark}{name}{mark}"
    if kind == 19:
        open_, close = rng.choice(("[]", "()", "<>", "{}", "||"))
        return f"{open_}{first}{close}{' ' + last if last else ''}"
    if kind == 20:
        return "-".join(name.upper().replace(" ", "")) if len(name) < 14 else name.swapcase()
    if kind == 21:
        at = rng.randrange(1, len(name)) if len(name) > 1 else 0
        return name[:at] + rng.choice((" ", "-", "\n", "- ")) + name[at:]
    if kind == 22:
        at = rng.randrange(len(name))
        return name[:at] + name[at] * rng.randint(2, 5) + name[at:]
    return " ".join(typo(word, rng) for word in name.split())


def _styled(character: str) -> str:
    if "a" <= character <= "z":
        return chr(0x1D41A + ord(character) - ord("a"))
    if "A" <= character <= "Z":
        return chr(0x1D400 + ord(character) - ord("A"))
    return character


def _wide(character: str) -> str:
    return chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character


def restyle(parts: list[Part], rng: random.Random, strength: float = 1.0) -> list[Part]:
    """Write the whole text as a hurried person would; ``strength`` scales how often."""
    case = rng.random()
    if case < 0.36 * strength:
        parts = [replace(p, text=p.text.lower()) for p in parts]
    elif case < 0.40 * strength:
        parts = [replace(p, text=p.text.upper()) for p in parts]
    elif case < 0.50 * strength:  # only some of the names lose their capital
        parts = [
            replace(p, text=p.text.lower()) if p.allowed != OUTSIDE and rng.random() < 0.6 else p
            for p in parts
        ]
    elif case < 0.53 * strength:
        parts = [replace(p, text=p.text.title()) for p in parts]
    if rng.random() < 0.12 * strength:
        lost = rng.choice((".,!?;:'\"", ",.", "'", "'’"))
        table = str.maketrans("", "", lost)
        parts = [replace(p, text=p.text.translate(table)) for p in parts]
    if rng.random() < 0.15 * strength:
        parts = [replace(p, text=plain_letters(p.text)) for p in parts]
    if rng.random() < 0.22 * strength:
        rate = rng.choice((0.03, 0.08, 0.15))
        parts = [replace(p, text=_typos(p.text, rate, rng)) for p in parts]
    if rng.random() < 0.05 * strength:
        parts = [
            replace(p, text=hostile(p.text, rng)) if p.allowed == PERSON and p.text.strip() else p
            for p in parts
        ]
    return parts


def _typos(text: str, rate: float, rng: random.Random) -> str:
    words = text.split(" ")
    return " ".join(typo(w, rng) if w.isalpha() and rng.random() < rate else w for w in words)
