"""The archive of a person's data: JSON Lines, chained by hash and signed at its end.

    {"type": "header", "format": "tacit-archive", "version": 2, "id": …, "sections": {…}, …}
    {"type": "consent", …}                 the lines of a section, all of one type
    {"type": "section", "section": "consents", "lines": n, "sha256": …}
    …                                      the other sections, in the header's order
    {"type": "end", "lines": n, "sha256": …, "signature": …}

    chain   h₀ = 32 zero bytes; hₙ = SHA-256(hₙ₋₁ ‖ line n with its line feed)

A section line gives the chain over its section's lines, the end line the chain over every line
before it. The signature is a compact JWS over the end line's other fields, the header's id among
them. The whole format, for another reader, is in docs/archive.md.

Rules:
- Every line is UTF-8, at most `MAX_LINE_BYTES`, and ends with one line feed. The end line must be
  byte for byte what writing it gives, so that no byte of an archive is outside the chain.
- Writing and reading need 64 bytes of state and no more: an archive can be continued from a
  `Mark`, and checked as it streams by.
- What is wrong is told with the number of its line, and never with what stands there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from memory.core.canonical import canonical
from memory.core.signing import Signer, Verifier
from memory.errors import ArchiveError, SignatureError

FORMAT: Final = "tacit-archive"
VERSION: Final = 2
JWS_TYPE: Final = "tacit-archive+jws"

MAX_LINE_BYTES: Final = 1024 * 1024
"""A memory of 10,000 characters comes to a tenth of it; bounds what a reader must hold."""

SECTIONS: Final[Mapping[str, str]] = {
    "notes": "note",
    "consents": "consent",
    "pseudonyms": "pseudonym",
    "memories": "memory",
    "versions": "version",
    "ratings": "rating",
    "access": "access_event",
    "requests": "request",
}
"""What an archive written here holds, in this order, and the type of each section's lines."""

_ZERO: Final = bytes(32)
_MAX_SECTIONS: Final = 64


@dataclass(frozen=True, slots=True)
class Chain:
    """How many lines there were, and the hash that stands for all of them."""

    lines: int = 0
    head: bytes = _ZERO

    def add(self, line: bytes) -> Chain:
        """The chain with one more line."""
        return Chain(self.lines + 1, sha256(self.head + line).digest())


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in an archive, behind a line: where writing can go on."""

    section: int
    after: bytes
    """What the section was read up to, in its own terms; empty at its start."""
    whole: Chain
    part: Chain
    """The lines of the section so far."""


def encode_line(type_: str, fields: Mapping[str, object]) -> bytes:
    """One line; instants are written in ISO 8601 with their zone."""
    values = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in fields.items()}
    return json.dumps({"type": type_, **values}, ensure_ascii=False).encode() + b"\n"


class Writer:
    """Writes lines and keeps the two chains."""

    def __init__(self, mark: Mark | None = None) -> None:
        self.mark = mark or Mark(0, b"", Chain(), Chain())

    def header(self, **fields: object) -> bytes:
        """The first line."""
        about = {"format": FORMAT, "version": VERSION, **fields, "sections": dict(SECTIONS)}
        return self._whole(encode_line("header", about))

    def content(self, type_: str, fields: Mapping[str, object], after: bytes) -> bytes:
        """A line of the section at hand; `after` says how far the section is read with it."""
        line = encode_line(type_, fields)
        self.mark = replace(self.mark, after=after, part=self.mark.part.add(line))
        return self._whole(line)

    def close_section(self, name: str) -> bytes:
        """The line behind a section; the next one begins."""
        part = self.mark.part
        line = encode_line(
            "section", {"section": name, "lines": part.lines, "sha256": part.head.hex()}
        )
        self.mark = Mark(self.mark.section + 1, b"", self.mark.whole, Chain())
        return self._whole(line)

    def end(self, archive: str, now: datetime, signer: Signer) -> bytes:
        """The last line."""
        return _end_line(_statement(archive, now.isoformat(), self.mark.whole), signer)

    def _whole(self, line: bytes) -> bytes:
        self.mark = replace(self.mark, whole=self.mark.whole.add(line))
        return line


def _statement(archive: str, time: str, chain: Chain) -> dict[str, object]:
    return {
        "format": FORMAT,
        "id": archive,
        "lines": chain.lines,
        "sha256": chain.head.hex(),
        "time": time,
        "version": VERSION,
    }


def _end_line(statement: Mapping[str, object], signer: Signer) -> bytes:
    payload = canonical(statement)
    return encode_line("end", {**statement, "signature": signer.jws(payload, JWS_TYPE)})


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a section, as it was read."""

    number: int
    type: str
    fields: Mapping[str, Any]


@dataclass(slots=True)
class Reader:
    """Checks an archive line by line. `header` is there after the first, `end` after the last."""

    header: Mapping[str, Any] = field(default_factory=dict)
    end: Mapping[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    """Lines by section, of those that are closed."""
    _whole: Chain = Chain()
    _part: Chain = Chain()
    _sections: list[tuple[str, str]] = field(default_factory=list)

    def read(self, line: bytes) -> Line | None:
        """A section's line; None for those that hold the archive together.

        Raises:
            ArchiveError: not a line, not in this place, or not what the hashes say.
        """
        number = self._whole.lines + 1
        if self.end:
            raise ArchiveError(number + 1, "nothing may follow the end")
        fields = _decode(line, number)
        type_ = fields["type"]
        if number == 1:
            self._open(type_, fields)
        elif type_ == "end":
            self._finish(line, fields, number)
            return None
        elif type_ == "section":
            self._close(fields, number)
        else:
            return self._content(line, type_, fields, number)
        self._whole = self._whole.add(line)
        return None

    def finish(self) -> None:
        """Raises `ArchiveError` unless the archive is complete."""
        if not self.end:
            raise ArchiveError(self._whole.lines + 1, "it ends before its end line: it was cut off")

    def verify(self, verifier: Verifier) -> None:
        """Raises `SignatureError` unless this key signed what was read."""
        self.finish()
        statement = {k: v for k, v in self.end.items() if k not in {"type", "signature"}}
        payload = canonical(statement)
        signature = self.end["signature"]
        if not isinstance(signature, str) or verifier.jws(signature, JWS_TYPE) != payload:
            raise SignatureError

    def _open(self, type_: str, fields: Mapping[str, Any]) -> None:
        if type_ != "header" or fields.get("format") != FORMAT:
            raise ArchiveError(1, f"the first line must be the header of a {FORMAT}")
        if fields.get("version") != VERSION:
            raise ArchiveError(1, f"only version {VERSION} is understood here")
        sections = fields.get("sections")
        if not (
            isinstance(fields.get("id"), str)
            and isinstance(sections, dict)
            and 0 < len(sections) <= _MAX_SECTIONS
            and all(isinstance(kind, str) for kind in sections.values())
        ):
            raise ArchiveError(1, "the header needs an id, and sections with their types")
        self.header = fields
        self._sections = list(sections.items())

    def _content(self, line: bytes, type_: str, fields: Mapping[str, Any], number: int) -> Line:
        if len(self.counts) == len(self._sections):
            raise ArchiveError(number, "only the end may stand behind the last section")
        if type_ != self._sections[len(self.counts)][1]:
            raise ArchiveError(number, "its type is not that of the section it stands in")
        self._part = self._part.add(line)
        self._whole = self._whole.add(line)
        return Line(number, type_, fields)

    def _close(self, fields: Mapping[str, Any], number: int) -> None:
        if len(self.counts) == len(self._sections):
            raise ArchiveError(number, "there are more sections than the header names")
        name = self._sections[len(self.counts)][0]
        if fields.get("section") != name:
            raise ArchiveError(number, "the sections are not in the header's order")
        if (fields.get("lines"), fields.get("sha256")) != (self._part.lines, self._part.head.hex()):
            raise ArchiveError(number, "the section's lines are not those that were written")
        self.counts[name] = self._part.lines
        self._part = Chain()

    def _finish(self, line: bytes, fields: Mapping[str, Any], number: int) -> None:
        if len(self.counts) != len(self._sections):
            raise ArchiveError(number, "sections are missing before the end")
        time, signature = fields.get("time"), fields.get("signature")
        statement = _statement(self.header["id"], str(time), self._whole)
        if line != encode_line("end", {**statement, "signature": signature}):
            raise ArchiveError(number, "the lines before the end are not those that were written")
        self.end = fields


def _decode(line: bytes, number: int) -> Mapping[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise ArchiveError(number, f"a line has at most {MAX_LINE_BYTES} bytes")
    if not line.endswith(b"\n"):
        raise ArchiveError(number, "it does not end with a line feed: it was cut off")
    try:
        fields = json.loads(line.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise ArchiveError(number, "is no JSON object in UTF-8, each key in it once") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise ArchiveError(number, "must be a JSON object with a type")
    return fields


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError
    return made


class Lines:
    """Cuts what comes in pieces into lines, each with its line feed. Holds one line."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that end in this piece; one that is too long is given as far as it came."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        ended = [line + b"\n" for line in lines]
        if len(self._rest) > MAX_LINE_BYTES:
            ended.append(self._rest)
            self._rest = b""
        return ended

    def rest(self) -> list[bytes]:
        """What came behind the last line feed."""
        return [self._rest] if self._rest else []


def lines_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a whole file that comes in pieces."""
    lines = Lines()
    for piece in pieces:
        yield from lines.feed(piece)
    yield from lines.rest()


def instant(text: object, number: int, name: str) -> datetime:
    """The instant in UTC that a line gives under this name; raises `ArchiveError`."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ArchiveError(number, f"{name} must be an instant in ISO 8601 with its zone")
