"""An archive on its way in: checked line by line, and put aside encrypted until it is complete.

Rules:
- The first line that does not fit ends it, and is told by its number.
- Each memory's purpose must be in this registry, each pseudonym that a text names be explained
  before, and each older version and rating be one of a memory that was there before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final, TypeVar

from memory.core.archive import Line, Lines, Reader, lines_of
from memory.core.archive_lines import (
    ArchivedEntity,
    ArchivedMemory,
    ArchivedVersion,
    Said,
    read_entity,
    read_memory,
    read_rating,
    read_version,
)
from memory.core.feedback import Rated
from memory.core.purposes import Purposes
from memory.core.values import PurposeId
from memory.errors import ArchiveError, InvalidArgumentError
from memory.ports import Spool

MAX_ARCHIVE_BYTES: Final = 4 * 1024**3

T = TypeVar("T")


class Arriving:
    """`take` its pieces in order, `finish`, then `read` it as often as needed.

    `entities` are those of its vault by pseudonym, `memories` the purpose of each memory by id.
    """

    def __init__(self, registry: Purposes, spool: Spool, latest: datetime) -> None:
        self.entities: dict[str, ArchivedEntity] = {}
        self.memories: dict[bytes, PurposeId] = {}
        self._registry = registry
        self._spool = spool
        self._latest = latest
        self._lines = Lines()
        self._reader = Reader()
        self._bytes = 0

    def close(self) -> None:
        """Lets go of what was put aside."""
        self._spool.close()

    def take(self, piece: bytes) -> None:
        """The next bytes.

        Raises:
            ArchiveError: a line does not fit; it is told which.
            InvalidArgumentError: the archive is larger than any that is taken in.
        """
        self._bytes += len(piece)
        if self._bytes > MAX_ARCHIVE_BYTES:
            raise InvalidArgumentError("data", f"at most {MAX_ARCHIVE_BYTES} bytes")
        for line in self._lines.feed(piece):
            self._check(line)
        self._spool.append(piece)

    def finish(self) -> None:
        """Raises `ArchiveError` unless it is complete."""
        for line in self._lines.rest():
            self._check(line)
        self._reader.finish()

    def read(self, of: type[T]) -> Iterator[T]:
        """Its lines of this form, in order."""
        reader = Reader()
        for raw in lines_of(self._spool.pieces()):
            line = reader.read(raw)
            parsed = None if line is None else self._parse(line)
            if isinstance(parsed, of):
                yield parsed

    def _check(self, raw: bytes) -> None:
        line = self._reader.read(raw)
        header = self._reader.header
        if line is None:
            if not self._reader.counts and header and header.get("revealed") is not True:
                raise ArchiveError(
                    1, "it holds pseudonyms and not what they stand for; export it with reveal"
                )
            return
        match self._parse(line):
            case ArchivedEntity(entity) as archived:
                if self.entities.setdefault(entity.pseudonym, archived) is not archived:
                    raise ArchiveError(line.number, "this pseudonym was given before")
            case ArchivedMemory(_, id_, said, purpose):
                if purpose not in self._registry.by_id:
                    raise ArchiveError(line.number, "its purpose is not in this registry")
                if id_.value in self.memories:
                    raise ArchiveError(line.number, "this memory was there before")
                self.memories[id_.value] = purpose
                self._check_hidden(said, line.number)
            case ArchivedVersion(_, of, said):
                if of.value not in self.memories:
                    raise ArchiveError(line.number, "it is a version of no memory here")
                self._check_hidden(said, line.number)
            case Rated(record):
                if record.value not in self.memories:
                    raise ArchiveError(line.number, "it rates no memory here")

    def _parse(
        self, line: Line
    ) -> ArchivedEntity | ArchivedMemory | ArchivedVersion | Rated | None:
        match line.type:
            case "pseudonym":
                return read_entity(line)
            case "memory":
                return read_memory(line, self._latest)
            case "version":
                return read_version(line, self._latest)
            case "rating":
                return read_rating(line, self._latest)
            case _:
                return None  # a copy of decisions and events elsewhere

    def _check_hidden(self, said: Said, number: int) -> None:
        names = {name for _, _, name in said.hidden} | {said.speaker_hidden or ""}
        if not names - {""} <= self.entities.keys():
            raise ArchiveError(number, "it names a pseudonym that the archive does not explain")
