"""Residue: looks for what was said in every byte below a folder.

Rules:
- A text is looked for in UTF-8, UTF-16 (both byte orders), hex and base64 (all three offsets),
  and, where the encoding has cases, in any of them.
- A file is read whole: what lies in freed pages and half-written tails is found like the rest.
- Short texts are looked for in plain encodings only: four characters of base64 prove nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MIN_CODED_BYTES: Final = 8
"""Shorter needles are not looked for in hex and base64."""


@dataclass(frozen=True, slots=True)
class Needle:
    """One thing that must not be found: what it is, and its bytes in one encoding."""

    what: str
    encoding: str
    data: bytes
    any_case: bool = False


@dataclass(frozen=True, slots=True)
class Find:
    """A needle and where it lies."""

    needle: Needle
    file: Path
    offset: int


@dataclass(frozen=True, slots=True)
class Search:
    """What was searched, and what was found."""

    files: int
    size: int
    finds: Sequence[Find]


def text_needles(texts: Iterable[str]) -> list[Needle]:
    """Every encoding of every text."""
    return [needle for text in texts for needle in (*_plain(text), *_coded(text))]


def byte_needles(what: str, data: bytes) -> list[Needle]:
    """Raw bytes, such as a vector's."""
    return [Needle(what, "raw", data), *_base64(what, data)]


def search(folder: Path, needles: Sequence[Needle]) -> Search:
    """Looks for all needles in all files below `folder`."""
    finds: list[Find] = []
    files = size = 0
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        files, size = files + 1, size + len(content)
        lowered = content.lower()
        for needle in needles:
            offset = (lowered if needle.any_case else content).find(needle.data)
            if offset >= 0:
                finds.append(Find(needle, path, offset))
    return Search(files, size, finds)


def _plain(text: str) -> Iterator[Needle]:
    # bytes.lower() folds ASCII only, so the needle is folded the same way.
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        yield Needle(text, encoding, text.encode(encoding).lower(), any_case=True)


def _coded(text: str) -> Iterator[Needle]:
    data = text.encode()
    if len(data) >= _MIN_CODED_BYTES:
        yield Needle(text, "hex", data.hex().encode(), any_case=True)
        yield from _base64(text, data)


def _base64(what: str, data: bytes) -> Iterator[Needle]:
    """The base64 of `data` inside of something longer, at each of the three offsets."""
    for offset in range(3):
        # The first characters mix with what stood before, the last with what comes after.
        whole = (offset + len(data)) // 3 * 3
        coded = base64.b64encode(bytes(offset) + data)[: whole // 3 * 4]
        inner = coded[(0, 2, 3)[offset] :]
        yield Needle(what, "base64", inner)
        urlsafe = inner.translate(bytes.maketrans(b"+/", b"-_"))
        if urlsafe != inner:
            yield Needle(what, "base64url", urlsafe)
