"""Reads every byte of files, folders and devices for many patterns at once.

    report = scan(places, needles)                in this process
    report = ResidueScan(places).scan(needles)    in a process of its own

Rules:
- The needles reach the other process through a pipe and end with it; it writes no core dump.
- A process that holds SQLite or Chroma open must use the second way: whoever closes a database
  file voids the locks that its process holds on it (ADR 6).
- A file is read whole, in portions: memory does not grow with it, and one that is cut meanwhile
  does no harm. Links are not followed out of a folder; a place that is a link itself is.
- Each pattern is known by eight bytes at eight offsets in a row, so that only every eighth place
  of a file must be looked up: in a table of bits, and what passes in a sorted list. A short one
  is known by four bytes at two.
"""

from __future__ import annotations

import json
import os
import resource
import stat
import struct
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memory.core.residue import (
    MAX_PATTERN_BYTES,
    MAX_SHOWN,
    MIN_PATTERN_BYTES,
    Coding,
    Find,
    Kind,
    Needles,
    Pattern,
    Report,
    StoreCount,
    StoreName,
    items,
)
from memory.errors import StorageUnavailableError

_PORTION: Final = 1 << 19
"""Bytes read at a time: what is made of them stays in the processor's cache."""

_OVERLAP: Final = MAX_PATTERN_BYTES
_LONG: Final = 15
"""From here on, one of eight neighbouring eight-byte windows of a pattern is aligned."""

_FACTORS: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93)
"""Odd numbers without any pattern: a word times one of them, its first bits, is its hash."""

_MAX_TABLE_BITS: Final = 24
_SCAN_SECONDS: Final = 3600.0
_NICE: Final = 10
"""A tenth of a processor that others want, all of one that is free."""

_PATTERN: Final = struct.Struct("<BIB?H")
_KINDS: Final = tuple(Kind)
_CODINGS: Final = tuple(Coding)


@dataclass(frozen=True, slots=True)
class Place:
    """A file, folder or block device, and whose it is."""

    store: StoreName
    path: Path


class ResidueScan:
    """The `ResidueScanner` of `memory.ports`."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = tuple(places)

    def scan(self, needles: Needles) -> Report:
        """Raises `StorageUnavailableError` when the scan did not come to its end."""
        places = [[place.store, str(place.path)] for place in self._places]
        work = json.dumps([places, needles.texts]).encode() + b"\n"
        work += b"".join(map(_packed, needles.pieces))
        command = [sys.executable, "-P", "-m", "memory.adapters.residue_scan"]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        try:
            done = subprocess.run(
                command,
                input=work,
                capture_output=True,
                check=True,
                timeout=_SCAN_SECONDS,
                env=environment,
            )
        except (OSError, subprocess.SubprocessError):
            raise StorageUnavailableError("the residue scan did not finish; try again") from None
        return _report(json.loads(done.stdout))


def scan(places: Sequence[Place], needles: Needles) -> Report:
    """Looks for all needles in everything at these places; what is not there is no error."""
    began = time.monotonic()
    patterns = needles.patterns
    matcher = _Matcher(patterns)
    read: dict[StoreName, list[int]] = defaultdict(list)
    found: dict[tuple[StoreName, Kind, int], Find] = {}
    unread: list[str] = []
    for store, path in _files(places):
        size = 0
        try:
            with path.open("rb", buffering=0) as file:
                for start, portion in _portions(file):
                    size = start + len(portion)
                    for pattern, at in matcher.hits(portion):
                        key = (store, pattern.kind, pattern.item)
                        if key not in found:
                            where = (store, str(path), start + at)
                            found[key] = Find(pattern.kind, pattern.coding, *where)
        except FileNotFoundError:
            continue  # swept meanwhile
        except OSError:
            unread.append(str(path))
        read[store].append(size)
    return Report(
        looked_for=dict(items(patterns)),
        stores={
            store: StoreCount(
                len(sizes), sum(sizes), _counted((k, i) for s, k, i in found if s == store)
            )
            for store, sizes in read.items()
        },
        found=_counted({(kind, item) for _, kind, item in found}),
        finds=list(found.values())[:MAX_SHOWN],
        unread=unread,
        seconds=time.monotonic() - began,
    )


def _files(places: Sequence[Place]) -> Iterator[tuple[StoreName, Path]]:
    """Every file once, under the place that names it most exactly."""
    owners = {place.path.resolve(): place.store for place in places}
    for file in sorted({file for root in owners for file in _below(root)}):
        yield next(owners[path] for path in (file, *file.parents) if path in owners), file


def _below(root: Path) -> Iterator[Path]:
    try:
        kind = root.stat().st_mode
    except OSError:
        return
    if stat.S_ISREG(kind) or stat.S_ISBLK(kind):
        yield root
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            try:
                if stat.S_ISREG(path.lstat().st_mode):
                    yield path
            except OSError:
                continue


def _portions(file: FileIO) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes); each begins with the end of the one before."""
    start, kept = 0, b""
    while more := file.read(_PORTION):
        portion = kept + more
        yield start, portion
        kept = portion[-_OVERLAP:]
        start += len(portion) - len(kept)


class _Matcher:
    """Finds patterns in portions."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = patterns
        datas = [pattern.data for pattern in patterns]
        if not all(MIN_PATTERN_BYTES <= len(data) <= MAX_PATTERN_BYTES for data in datas):
            raise ValueError("a pattern is too short or too long")
        long = [number for number, data in enumerate(datas) if len(data) >= _LONG]
        short = [number for number, data in enumerate(datas) if len(data) < _LONG]
        self._anchors = [
            _Anchors(datas, numbers, np.dtype(word), step)
            for numbers, word, step in ((long, "<u8", 8), (short, "<u4", 2))
            if numbers
        ]

    def hits(self, portion: bytes) -> Iterator[tuple[Pattern, int]]:
        """Every pattern that stands in the portion, and where; one may come more than once."""
        for anchors in self._anchors:
            for number, at in anchors.candidates(portion):
                pattern = self._patterns[number]
                there = portion[at : at + len(pattern.data)] if at >= 0 else b""
                if (there.lower() if pattern.any_case else there) == pattern.data:
                    yield pattern, at


class _Anchors:
    """Windows of patterns: one pattern's windows begin at `step` places in a row.

    Windows are compared with the bit set that tells small letters from capital ones: it is the
    pattern itself that decides.
    """

    def __init__(
        self, datas: Sequence[bytes], numbers: Sequence[int], word: np.dtype[Any], step: int
    ) -> None:
        self._word, self._step = word, step
        width = word.itemsize
        self._fold = word.type(int.from_bytes(b" " * width, "little"))
        windows = b"".join(datas[n][s : s + width] for n in numbers for s in range(step))
        words = np.frombuffer(windows, word) | self._fold
        order = np.argsort(words, kind="stable")
        self._words = words[order]
        self._numbers = np.repeat(np.asarray(numbers, np.int64), step)[order]
        self._shifts = np.tile(np.arange(step), len(numbers))[order]
        bits = min(_MAX_TABLE_BITS, len(words).bit_length() + 6)
        self._down = word.type(8 * width - bits)
        self._factors = [word.type(factor >> (64 - 8 * width)) for factor in _FACTORS]
        self._tables = [np.zeros(1 << bits, np.bool_) for _ in _FACTORS]
        for table, factor in zip(self._tables, self._factors, strict=True):
            table[(self._words * factor) >> self._down] = True
        size = (_PORTION + _OVERLAP) // width
        self._folded, self._hashed = np.empty(size, word), np.empty(size, word)
        self._passed = np.empty(size, np.bool_)

    def candidates(self, portion: bytes) -> Iterator[tuple[int, int]]:
        """(pattern, where it would begin) wherever one of its windows stands."""
        width = self._word.itemsize
        for offset in range(0, width, self._step):
            count = (len(portion) - offset) // width
            if count <= 0:
                continue
            places, words = self._places(np.frombuffer(portion, self._word, count, offset))
            first = np.searchsorted(self._words, words, "left")
            behind = np.searchsorted(self._words, words, "right")
            for which in np.flatnonzero(behind > first):
                at = offset + int(places[which]) * width
                for row in range(int(first[which]), int(behind[which])):
                    yield int(self._numbers[row]), at - int(self._shifts[row])

    def _places(self, words: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Where a window may stand, and the folded words there."""
        count = len(words)
        folded, hashed, passed = self._folded[:count], self._hashed[:count], self._passed[:count]
        np.bitwise_or(words, self._fold, out=folded)
        np.multiply(folded, self._factors[0], out=hashed)
        np.right_shift(hashed, self._down, out=hashed)
        np.take(self._tables[0], hashed, out=passed, mode="clip")
        places = np.flatnonzero(passed)
        words = folded[places]
        for table, factor in zip(self._tables[1:], self._factors[1:], strict=True):
            there = table[(words * factor) >> self._down]
            places, words = places[there], words[there]
        return places, words


def _counted(things: Iterable[tuple[Kind, int]]) -> dict[Kind, int]:
    counts: dict[Kind, int] = defaultdict(int)
    for kind, _ in things:
        counts[kind] += 1
    return dict(counts)


def _packed(pattern: Pattern) -> bytes:
    head = (_KINDS.index(pattern.kind), pattern.item, _CODINGS.index(pattern.coding))
    return _PATTERN.pack(*head, pattern.any_case, len(pattern.data)) + pattern.data


def _unpacked(texts: Iterable[tuple[str, str]], data: bytes) -> Needles:
    needles, at = Needles(), 0
    needles.texts = [(Kind(kind), text) for kind, text in texts]
    while at < len(data):
        kind, item, coding, any_case, length = _PATTERN.unpack_from(data, at)
        at += _PATTERN.size + length
        needles.pieces.append(
            Pattern(_KINDS[kind], item, _CODINGS[coding], data[at - length : at], any_case=any_case)
        )
    return needles


def _report(said: dict[str, Any]) -> Report:
    return Report(
        looked_for={Kind(k): n for k, n in said["looked_for"].items()},
        stores={
            StoreName(s): StoreCount(
                c["files"], c["size"], {Kind(k): n for k, n in c["found"].items()}
            )
            for s, c in said["stores"].items()
        },
        found={Kind(k): n for k, n in said["found"].items()},
        finds=[
            Find(
                Kind(f["kind"]), Coding(f["coding"]), StoreName(f["store"]), f["file"], f["offset"]
            )
            for f in said["finds"]
        ],
        unread=said["unread"],
        seconds=said["seconds"],
    )


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(_NICE)
    where, texts = json.loads(sys.stdin.buffer.readline())
    places = [Place(StoreName(store), Path(path)) for store, path in where]
    report = scan(places, _unpacked(texts, sys.stdin.buffer.read()))
    json.dump(asdict(report), sys.stdout)


if __name__ == "__main__":
    _main()
