"""The newest checkpoint of the ledger in a file beside the database.

Rules:
- Written to another name, synced, and moved into place: after a crash there is the old one or the
  new one, whole.
- It is no secret: publish it, copy it elsewhere.
"""

from __future__ import annotations

import os
from pathlib import Path

from memory.errors import ConfigurationError, StorageUnavailableError


class CheckpointFile:
    """The `CheckpointFile` of `memory.ports`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)

    def read(self) -> str | None:
        try:
            return self._path.read_bytes().decode()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8"
            raise ConfigurationError(f"{self._path} cannot be read: {reason}") from None

    def write(self, note: str) -> None:
        fresh = self._path.with_name(f"{self._path.name}.new")
        try:
            with fresh.open("wb") as stream:
                stream.write(note.encode())
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(self._path)
        except OSError as error:
            raise StorageUnavailableError(
                f"{self._path} cannot be written: {error.strerror}"
            ) from None
