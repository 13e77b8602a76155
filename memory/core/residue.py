"""Residue: what must not be found after an erasure, as the bytes it would lie in.

    needles = Needles()
    needles.add_texts(["I'm allergic to peanuts."])
    needles.add_names(["Amara Okafor"])
    needles.add_vectors(exact)              (n, d), any float type
    report = scanner.scan(needles)          before: the keys go; after: `report.residues`

Rules:
- Needles live in memory only, for one erasure. They hide their content from `repr` and refuse to
  be pickled.
- A text is looked for in UTF-8, UTF-16 (both byte orders), hex and base64 (all three offsets, both
  alphabets); where an encoding has cases, in any of them. Of a long text, three pieces are looked
  for, so that what is left of a half-overwritten page is found like the rest.
- A vector is looked for as float32 and float16, a veiled one in every form that the index may
  write, and a key as it is wrapped; each by pieces from its inside that nothing else shares.
- What would stand in random bytes by chance is not looked for: a pattern has `MIN_BITS` of
  surprise. So a name of four letters is looked for in UTF-16 and hex only.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

PIECE_CHARS: Final = 24
"""A sentence of this length is said once."""

PIECE_BYTES: Final = 16
"""Of a vector or a key: four float32 of a unit vector have more than 90 bits of surprise."""

MIN_BITS: Final = 40
"""By chance found once in 10^12 places, so in a gigabyte one of a thousand patterns is."""

MIN_PATTERN_BYTES: Final = 5
MAX_PATTERN_BYTES: Final = 256

MAX_SHOWN: Final = 50
"""Places that a report names; all are counted."""


class Kind(StrEnum):
    """What a needle was in the life of the person."""

    TEXT = "text"
    NAME = "name"
    VECTOR = "vector"
    VEILED_VECTOR = "veiled_vector"
    WRAPPED_KEY = "wrapped_key"
    SEALED_RECORD = "sealed_record"


class Coding(StrEnum):
    """How it would lie in a file."""

    UTF_8 = "utf-8"
    UTF_16_LE = "utf-16-le"
    UTF_16_BE = "utf-16-be"
    HEX = "hex"
    BASE64 = "base64"
    FLOAT32 = "float32"
    FLOAT16 = "float16"
    RAW = "raw"


class StoreName(StrEnum):
    """Whose file it is."""

    SQL = "sql"
    CHROMA = "chroma"
    KEYS = "keys"
    BACKUPS = "backups"
    DEVICE = "device"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Bytes to look for, and the thing that they stand for: the `item`-th of its kind."""

    kind: Kind
    item: int
    coding: Coding
    data: bytes = field(repr=False)
    any_case: bool = False


class Needles:
    """Everything that one scan looks for. A text has some fifteen patterns, which whoever looks
    makes of it: where needles are gathered, others are served.
    """

    def __init__(self) -> None:
        self.texts: list[tuple[Kind, str]] = []
        """Texts and names."""
        self.pieces: list[Pattern] = []
        """Of all else."""
        self._numbers: Counter[Kind] = Counter()

    @property
    def patterns(self) -> list[Pattern]:
        """All of them, made anew."""
        made, numbers = list(self.pieces), Counter[Kind]()
        for kind, text in self.texts:
            made += _numbered(kind, numbers, _text_patterns(text))
        return made

    @property
    def items(self) -> Counter[Kind]:
        """How many things of each kind; what is too short to be looked for is not among them."""
        return items(self.patterns)

    def __repr__(self) -> str:
        return f"Needles({len(self.texts)} texts and names, {len(self.pieces)} pieces)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("needles must not be serialized")

    def add_texts(self, texts: Iterable[str]) -> None:
        """What was said."""
        self.texts += ((Kind.TEXT, text) for text in dict.fromkeys(texts))

    def add_names(self, names: Iterable[str]) -> None:
        """Who and what was named: each of them is one thing."""
        self.texts += ((Kind.NAME, name) for name in dict.fromkeys(names))

    def add_vectors(self, vectors: NDArray[Any]) -> None:
        """Exact vectors, shape (n, d)."""
        for row in vectors:
            forms = [(Coding.FLOAT32, row.astype("<f4")), (Coding.FLOAT16, row.astype("<f2"))]
            self._add(
                Kind.VECTOR, [(c, p, False) for c, form in forms for p in _pieces(form.tobytes())]
            )

    def add_veiled(self, forms: Sequence[Sequence[NDArray[np.float32]]]) -> None:
        """For each veiled vector all forms in which the index may write it, each of shape (d,)."""
        for written in forms:
            data = dict.fromkeys(row.astype("<f4").tobytes() for row in written)
            self._add(
                Kind.VEILED_VECTOR, [(Coding.FLOAT32, p, False) for d in data for p in _pieces(d)]
            )

    def add_wrapped_keys(self, wrapped: Iterable[bytes]) -> None:
        """Keys as they are kept. A wrap may begin like all others of its epoch, so it is the
        middle and the end that count.
        """
        for value in wrapped:
            half = len(value) // 2
            ends = dict.fromkeys((value[half:][:PIECE_BYTES], value[-PIECE_BYTES:]))
            self._add(Kind.WRAPPED_KEY, [(Coding.RAW, piece, False) for piece in ends])

    def add_sealed_records(self, sealed: Iterable[bytes]) -> None:
        """Records as they are kept, whose key lives on."""
        for value in sealed:
            self._add(Kind.SEALED_RECORD, [(Coding.RAW, piece, False) for piece in _pieces(value)])

    def _add(self, kind: Kind, found: Iterable[tuple[Coding, bytes, bool]]) -> None:
        self.pieces += _numbered(kind, self._numbers, found)


def items(patterns: Iterable[Pattern]) -> Counter[Kind]:
    """How many things of each kind they stand for."""
    return Counter({pattern.kind: pattern.item + 1 for pattern in patterns})


@dataclass(frozen=True, slots=True)
class Find:
    """Where something lies; what it is stays unsaid."""

    kind: Kind
    coding: Coding
    store: StoreName
    file: str
    offset: int


@dataclass(frozen=True, slots=True)
class StoreCount:
    """Of one store: what was read, and how many things of each kind were found."""

    files: int = 0
    size: int = 0
    found: Mapping[Kind, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """What a scan says. It holds no content, and may be kept."""

    looked_for: Mapping[Kind, int]
    stores: Mapping[StoreName, StoreCount]
    found: Mapping[Kind, int]
    """Things found anywhere: one that lies in two stores counts once."""

    finds: Sequence[Find]
    """At most `MAX_SHOWN`, the first place of each."""

    unread: Sequence[str]
    """Files that could not be read: the scan vouches for the others alone."""

    seconds: float

    @property
    def residues(self) -> int:
        """How many things were found; 0 is what an erasure wants."""
        return sum(self.found.values())

    @property
    def files(self) -> int:
        return sum(count.files for count in self.stores.values())

    @property
    def size(self) -> int:
        """Bytes read."""
        return sum(count.size for count in self.stores.values())


def _numbered(
    kind: Kind, numbers: Counter[Kind], found: Iterable[tuple[Coding, bytes, bool]]
) -> list[Pattern]:
    """The patterns of one thing, under the next number of its kind, if there are any."""
    item = numbers[kind]
    made = [Pattern(kind, item, c, data, any_case) for c, data, any_case in found]
    if made:
        numbers[kind] += 1
    return made


def _text_patterns(text: str) -> Iterator[tuple[Coding, bytes, bool]]:
    for piece in _text_pieces(text):
        for coding in (Coding.UTF_8, Coding.UTF_16_LE, Coding.UTF_16_BE):
            yield from _in_any_case(coding, piece)
        data = piece.encode()
        if surprising(data.hex().encode(), any_case=True):
            yield Coding.HEX, data.hex().encode(), True
        for coded in _base64(data):
            if surprising(coded, any_case=False):
                yield Coding.BASE64, coded, False


def _text_pieces(text: str) -> Iterator[str]:
    """The text, or its start, middle and end."""
    if len(text) <= PIECE_CHARS:
        yield text
        return
    middle = (len(text) - PIECE_CHARS) // 2
    for start in dict.fromkeys((0, middle, len(text) - PIECE_CHARS)):
        yield text[start : start + PIECE_CHARS]


def _in_any_case(coding: Coding, text: str) -> Iterator[tuple[Coding, bytes, bool]]:
    """In any case of ASCII letters; a short one in the three usual cases."""
    folded = text.encode(coding).lower()
    if surprising(folded, any_case=True):
        yield coding, folded, True
        return
    for usual in dict.fromkeys((text, text.lower(), text.upper())):
        if surprising(usual.encode(coding), any_case=False):
            yield coding, usual.encode(coding), False


def surprising(data: bytes, *, any_case: bool) -> bool:
    """Whether random bytes are unlikely to hold it."""
    either = sum(65 <= byte <= 90 or 97 <= byte <= 122 for byte in data) if any_case else 0
    return len(data) >= MIN_PATTERN_BYTES and 8 * len(data) - either >= MIN_BITS


def _base64(data: bytes) -> Iterator[bytes]:
    """The base64 of `data` inside of something longer, at each of the three offsets."""
    for offset in range(3):
        # The first characters mix with what stood before, the last with what comes after.
        whole = (offset + len(data)) // 3 * 3
        coded = base64.b64encode(bytes(offset) + data)[: whole // 3 * 4]
        inner = coded[(0, 2, 3)[offset] :]
        yield inner
        urlsafe = inner.translate(bytes.maketrans(b"+/", b"-_"))
        if urlsafe != inner:
            yield urlsafe


def _pieces(data: bytes) -> Iterator[bytes]:
    """Two pieces from the inside of a vector, or all of a short one."""
    if len(data) < 3 * PIECE_BYTES:
        yield data
        return
    for third in (1, 2):
        start = len(data) * third // 3 // 4 * 4
        yield data[start : start + PIECE_BYTES]
