"""From a file, or a zip as people get it, to the elements of its JSON, one at a time.

Rules:
- Of a list at the outermost level, one element is held at a time; anything else is one element.
  An element is at most `MAX_ELEMENT_CHARS` long; parsed, it takes several times that in memory.
- Nothing is ever unpacked to disk. A zip is refused where a file that matters has a path that
  leaves the folder, is encrypted, claims to grow more than `MAX_RATIO` times, or where all of them
  together are larger than `MAX_ZIP_BYTES`; what a file turns out to hold beyond its claim is an
  error of the zip's.
- Files of a zip that do not matter are counted, by name where they are JSON, else by suffix.
"""

from __future__ import annotations

import io
import json
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from memory.errors import ConfigurationError
from server.moving.entries import Found
from server.moving.nodes import Node

MAX_ELEMENT_CHARS: Final = 128 * 1024 * 1024
"""A conversation of years is a few million."""

MAX_ZIP_BYTES: Final = 8 * 1024**3
MAX_ZIP_FILES: Final = 100_000
MAX_RATIO: Final = 200
"""Chat in JSON shrinks to a fifth or a tenth."""

_RATIO_FROM_BYTES: Final = 1024 * 1024
_DAMAGED: Final = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, OSError, RuntimeError, ValueError),
)
"""What zipfile was seen to raise over a damaged zip, or may."""

_ENCODING: Final = "utf-8-sig"
_NUMBER_MARKS: Final = 3
"""A number that ends so close to the end of what was read may go on there: 1, then e+5."""

_CHUNK_CHARS: Final = 256 * 1024
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DECODE: Final = json.JSONDecoder().raw_decode


def elements(path: Path, matters: re.Pattern[str], found: Found) -> Iterator[Node]:
    """The elements of the file, or of the files in a zip whose paths `matters` matches.

    Raises:
        ConfigurationError: not JSON in UTF-8, or a zip that is refused; says where.
        OSError: cannot be read.
    """
    if not zipfile.is_zipfile(path):
        with path.open(encoding=_ENCODING) as text:
            yield from _elements(text, path.name)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            for member in _members(archive, path.name, matters, found):
                with io.TextIOWrapper(archive.open(member), _ENCODING) as text:
                    yield from _elements(text, f"{path.name}/{member.filename}")
    except _DAMAGED:
        raise ConfigurationError(f"{path.name} is a zip that cannot be read") from None


def _members(
    archive: zipfile.ZipFile, name: str, matters: re.Pattern[str], found: Found
) -> list[zipfile.ZipInfo]:
    """The files that matter, in the order of their names."""
    members = archive.infolist()
    if len(members) > MAX_ZIP_FILES:
        raise ConfigurationError(f"{name} holds more than {MAX_ZIP_FILES:,} files")
    chosen = []
    for member in members:
        path = PurePosixPath(member.filename)
        if member.filename.endswith("/") or "__MACOSX" in path.parts:
            continue
        if not matters.fullmatch(member.filename):
            named = path.name if path.suffix == ".json" else f"*{path.suffix}"
            found.pass_over(f"file {named}")
            continue
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename:
            raise ConfigurationError(f"{name} holds a path that leads out of it")
        if member.flag_bits & 1:
            raise ConfigurationError(f"{name} is encrypted; unpack it first")
        packed = max(member.compress_size, 1)
        if member.file_size > max(_RATIO_FROM_BYTES, MAX_RATIO * packed):
            raise ConfigurationError(f"{name} claims to grow more than {MAX_RATIO} times")
        chosen.append(member)
    if sum(member.file_size for member in chosen) > MAX_ZIP_BYTES:
        raise ConfigurationError(f"{name} holds more than {MAX_ZIP_BYTES // 1024**3} GiB")
    return sorted(chosen, key=lambda member: member.filename)


def _elements(text: IO[str], name: str) -> Iterator[Node]:
    stream = _Stream(text, name)
    if stream.next() != "[":
        yield Node(stream.value(name), name)
    else:
        stream.skip()
        index = 0
        while stream.next() != "]":
            if index:
                stream.expect(",")
            place = f"{name}[{index}]"
            yield Node(stream.value(place), place)
            index += 1
        stream.expect("]")
    if stream.next():
        raise ConfigurationError(f"{name}: something follows behind the end of the JSON")


class _Stream:
    """Text that is decoded value by value."""

    def __init__(self, text: IO[str], name: str) -> None:
        self._text = text
        self._name = name
        self._buffer, self._at, self._passed = "", 0, 0

    def next(self) -> str:
        """The character that comes next, white space apart; empty at the end."""
        while True:
            match = _SPACE.match(self._buffer, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def skip(self) -> None:
        self._at += 1

    def expect(self, mark: str) -> None:
        if self.next() != mark:
            raise self._broken(f"{self._name} lacks a '{mark}'", self._at)
        self.skip()

    def value(self, place: str) -> Any:
        """The value that comes next."""
        self.next()
        while True:
            try:
                value, end = _DECODE(self._buffer, self._at)
            except RecursionError:
                raise ConfigurationError(f"{place} is nested too deeply") from None
            except ValueError as error:
                if self._more():
                    continue
                at = error.pos if isinstance(error, json.JSONDecodeError) else self._at
                raise self._broken(f"{place} is not JSON", at) from None
            if end + _NUMBER_MARKS > len(self._buffer) and self._more():
                continue
            self._at = min(end, len(self._buffer))
            return value

    def _more(self) -> bool:
        """Reads on, at least as much as is being looked at; whether there was more."""
        left = len(self._buffer) - self._at
        if left > MAX_ELEMENT_CHARS:
            limit = f"{MAX_ELEMENT_CHARS:,} characters"
            raise self._broken(f"{self._name} has an element longer than {limit}", self._at)
        try:
            piece = self._text.read(max(_CHUNK_CHARS, left))
        except UnicodeDecodeError:
            raise ConfigurationError(f"{self._name} is not in UTF-8") from None
        if piece:
            self._passed += self._at
            self._buffer, self._at = self._buffer[self._at :] + piece, 0
        return bool(piece)

    def _broken(self, problem: str, at: int) -> ConfigurationError:
        return ConfigurationError(f"{problem}, at character {self._passed + at:,}")
