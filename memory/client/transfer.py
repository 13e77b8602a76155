"""Archives on their way to and from a file.

Rules:
- An archive appears whole or not at all, readable by its owner alone.
- A stream that is cut off goes on after its last whole piece.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from memory.v1.subject_rights_service_pb2 import (
    ExportDataRequest,
    ExportDataResponse,
    ImportDataRequest,
)

Progress = Callable[[int], None]
"""Told how many bytes of the archive have passed so far."""

PIECE_BYTES: Final = 64 * 1024
IMPORT_CALL_SECONDS: Final = 600.0
"""Taking in is as much work as storing; a server gives a call no more, and another one goes on."""

IMPORT_SECONDS: Final = 3_000.0


class Export:
    """An archive that is being written: the next request, and the file so far."""

    def __init__(
        self, path: Path, request: ExportDataRequest, *, force: bool, progress: Progress | None
    ) -> None:
        if path.exists() and not force:
            raise FileExistsError(f"{path.name} is there already; force=True replaces it")
        self.request = request
        self.size = 0
        self.whole = False
        self._path = path
        self._draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
        self._progress = progress
        handle = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(handle, "wb")

    def take(self, piece: ExportDataResponse) -> None:
        """Writes a piece, and remembers where to go on after it."""
        self._file.write(piece.data)
        self.size += len(piece.data)
        self.request.resume_token = piece.resume_token
        self.whole = not piece.resume_token
        if self._progress:
            self._progress(self.size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            if kind is None:
                self._file.flush()
                os.fsync(self._file.fileno())
        if kind is None:
            self._draft.replace(self._path)
        else:
            self._draft.unlink(missing_ok=True)


def import_messages(
    path: Path, person: str, request_id: str, progress: Progress | None
) -> Iterator[ImportDataRequest]:
    """The archive in pieces, from its start."""
    yield ImportDataRequest(name=person, request_id=request_id)
    sent = 0
    with path.open("rb") as source:
        while piece := source.read(PIECE_BYTES):
            yield ImportDataRequest(data=piece)
            sent += len(piece)
            if progress:
                progress(sent)
