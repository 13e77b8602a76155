"""The data folder of one server: private to its account, and held by one process at a time.

Rules:
- The folder is made with mode 0700. One that already holds files and is open to others is
  refused, never silently changed.
- The hold is a `flock` on `tacit.lock`: the kernel lets go of it however the process ends, so
  that nothing has to be cleaned up after `kill -9`.
- Two holders are refused within one process too: SQLite, Chroma and the key file each have one
  writer.
"""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from memory.errors import ConfigurationError, DataFolderInUseError

_LOCK_NAME: Final = "tacit.lock"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class DataFolder:
    """Holds the folder from construction until `close()`.

    Raises `DataFolderInUseError` when another server holds it, `ConfigurationError` when it
    cannot be made, written or trusted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            _make_private(path)
            self._lock = os.open(path / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"the data folder {path} cannot be used: {error.strerror}"
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise DataFolderInUseError(
                f"another server holds the data folder {path}; stop it, or name another folder"
            ) from None

    def close(self) -> None:
        """Lets go of the folder; closing twice is fine."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _make_private(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.stat().st_mode & _OTHERS:
        return
    if any(path.iterdir()):
        raise ConfigurationError(
            f"the data folder {path} is open to other accounts; run: chmod 700 {path}"
        )
    path.chmod(0o700)
