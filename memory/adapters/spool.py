"""A place for an archive between its arrival and its verification: encrypted, and nameless.

Rules:
- What is written goes to a file without a name, which the system removes with the process, under a
  key that is nowhere but in this process's memory: nothing of it is ever readable on disk.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class SealedSpool:
    """The `Spool` of `memory.ports`."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        self._aead = AESGCM(os.urandom(32))
        self._pieces = 0

    def append(self, piece: bytes) -> None:
        sealed = self._aead.encrypt(_nonce(self._pieces), piece, None)
        self._file.write(len(sealed).to_bytes(4, "big") + sealed)
        self._pieces += 1

    def pieces(self) -> Iterator[bytes]:
        self._file.seek(0)
        for number in range(self._pieces):
            length = int.from_bytes(self._file.read(4), "big")
            yield self._aead.decrypt(_nonce(number), self._file.read(length), None)

    def close(self) -> None:
        self._file.close()


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
