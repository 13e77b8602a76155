"""Key-encryption keys in one file: the provider of the embedded default.

`KeyFile.create(path)` makes the file and refuses to touch anything that exists; it is called
once in the life of a deployment, on request. `KeyFile.open(path)` is what a server does.

File, version 1 (big endian; a header and 1 to 4096 slots of 64 bytes each, nothing behind them):

    header  magic "TACITKEK" (8)  version (2)  slots (2)  zero (20)  SHA-256 of these 32 bytes
    slot    epoch (4)  state (1)  zero (3)  AES-256 key (32)  SHA-256 of these 40 bytes, first 24

Slots ascend by epoch. State 1 is alive; state 2 is destroyed, its key is zero. The digests tell a
damaged file from one that belongs to other data.

A wrapped key, version 1:

    version 0x01 (1)  key id (8)  nonce (12)  AES-256-GCM ciphertext (as long as the key)  tag (16)

The key id is HMAC-SHA256(key, "tacit/v1/kek-id"), first 8 bytes. The associated data is
`bind("tacit/v1/kek-wrap", epoch, aad)`: a wrapped key cannot pass for one of another epoch.

Rules:
- The file must be a regular one, of mode 0600 or stricter, owned by this account or root.
- Every change writes a new file, syncs it, puts it in place by rename and syncs the folder. Then
  the old file's bytes are overwritten and synced, since a freed block keeps what was in it. What
  a crash leaves half done, the next `open` finishes.
- Nonces are random: one epoch is good for 2^32 wraps (NIST SP 800-38D, 8.3), far beyond the
  number of people it will see.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import secrets
import stat
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from memory.adapters.key_wrapping import MAX_KEY_BYTES, bound, damaged, key_bytes
from memory.core.keys import mac
from memory.core.values import Secret
from memory.errors import ConfigurationError, KeyFileError, KeyUnavailableError, SealError
from memory.ports import WrappedKey

MAX_EPOCHS: Final = 4096
"""Bounds the file at 256 KiB; a yearly, monthly or daily roll stays far below."""

_MAGIC: Final = b"TACITKEK"
_VERSION: Final = 1
_BLOCK: Final = 64
_HEADER: Final = struct.Struct(">8sHH20x")
_SLOT: Final = struct.Struct(">IB3x32s")
_ALIVE: Final = 1
_DESTROYED: Final = 2
_NO_KEY: Final = bytes(32)

_WRAP_VERSION: Final = b"\x01"
_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_NONCE_AT: Final = len(_WRAP_VERSION) + _ID_BYTES
_SEALED_AT: Final = _NONCE_AT + _NONCE_BYTES


@dataclass(frozen=True, slots=True)
class _Epoch:
    """One slot; a destroyed epoch keeps its number, so that the number is never used again."""

    number: int
    key: Secret | None

    def id(self) -> bytes:
        assert self.key is not None
        return mac(self.key.reveal(), b"tacit/v1/kek-id")[:_ID_BYTES]


_Epochs = dict[int, _Epoch]


class KeyFile:
    """A `KeyProvider` over one file. Safe to share between threads."""

    def __init__(self, path: Path, epochs: _Epochs) -> None:
        self._path = path
        self._epochs = epochs
        self._change = threading.Lock()
        self._seen = _stamp(path)

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new file with epoch 1. Raises `KeyFileError` if anything is there already."""
        epochs = {1: _Epoch(1, Secret(secrets.token_bytes(32)))}
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = _fresh_name(path)
            _write_new(fresh, _encode(epochs))
            try:
                os.link(fresh, path)  # unlike rename, fails when the name is taken
            finally:
                fresh.unlink()
            _sync_folder(path.parent)
        except FileExistsError:
            raise KeyFileError(f"{path} exists; a key file is never overwritten") from None
        except OSError as error:
            raise _unusable(path, error) from None
        return cls(path, epochs)

    @classmethod
    def open(cls, path: Path) -> Self:
        """The existing file. Raises `KeyFileError` with what is wrong and what to do."""
        try:
            path = path.resolve(strict=True)
            data = _read_private(path)
            with _locked_folder(path.parent, wait=False) as alone:
                if alone:
                    _finish_change(path)
            return cls(path, _decode(path, data))
        except FileNotFoundError:
            raise KeyFileError(
                f"the key file {path} is missing; restore it from its backup: "
                "without it, stored memories cannot be read"
            ) from None
        except OSError as error:
            raise _unusable(path, error) from None

    def epochs(self) -> list[int]:
        self._follow()
        return sorted(number for number, epoch in self._epochs.items() if epoch.key is not None)

    def wrap(self, key: Secret, aad: bytes, epoch: int) -> WrappedKey:
        kek = self._alive(epoch)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher(kek).encrypt(nonce, key_bytes(key), bound(epoch, aad))
        return WrappedKey(epoch, _WRAP_VERSION + kek.id() + nonce + sealed)

    def unwrap(self, wrapped: WrappedKey, aad: bytes) -> Secret:
        epoch = self._alive(wrapped.epoch)
        value = wrapped.value
        length = len(value) - _SEALED_AT - _TAG_BYTES
        if not 0 < length <= MAX_KEY_BYTES or not value.startswith(_WRAP_VERSION):
            raise SealError("a wrapped key is damaged or of an unknown version")
        if not hmac.compare_digest(value[1:_NONCE_AT], epoch.id()):
            raise SealError(
                "a wrapped key is damaged, or the key file does not belong to this data"
            )
        nonce, sealed = value[_NONCE_AT:_SEALED_AT], value[_SEALED_AT:]
        try:
            return Secret(self._cipher(epoch).decrypt(nonce, sealed, bound(epoch.number, aad)))
        except InvalidTag:
            raise damaged() from None

    def new_epoch(self) -> int:
        """Starts the next epoch: from now on keys are wrapped under it. Returns its number."""
        with self._changing():
            if len(self._epochs) >= MAX_EPOCHS:
                raise ConfigurationError(f"a key file holds at most {MAX_EPOCHS} epochs")
            number = max(self._epochs) + 1
            self._put(_Epoch(number, Secret(secrets.token_bytes(32))))
            return number

    def destroy_epoch(self, number: int) -> None:
        """For good: whatever is still wrapped under it is noise. Destroying twice is fine."""
        with self._changing():
            if number >= max(n for n, epoch in self._epochs.items() if epoch.key is not None):
                raise ConfigurationError("the current key epoch is in use; start a new one first")
            if number in self._epochs:
                self._put(_Epoch(number, None))

    def close(self) -> None:
        """Nothing is held open."""

    def _follow(self) -> None:
        """Takes up what another process made of the file: new epochs, and destroyed ones.

        A file that is gone or damaged changes nothing: what is held goes on opening.
        """
        if (seen := _stamp(self._path)) in (self._seen, None):
            return
        with suppress(OSError, KeyFileError):
            self._epochs = _decode(self._path, _read_private(self._path))
            self._seen = seen

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One change at a time, over all processes, each on top of what the file holds now."""
        try:
            with self._change, _locked_folder(self._path.parent, wait=True):
                _finish_change(self._path)
                self._epochs = _decode(self._path, _read_private(self._path))
                yield
        except OSError as error:
            raise _unusable(self._path, error) from None

    def _put(self, epoch: _Epoch) -> None:
        epochs = self._epochs | {epoch.number: epoch}
        _write_new(_new_name(self._path), _encode(epochs))
        os.link(self._path, _old_name(self._path))
        _new_name(self._path).replace(self._path)
        _sync_folder(self._path.parent)
        self._epochs = epochs
        _finish_change(self._path)

    def _alive(self, number: int) -> _Epoch:
        self._follow()
        epoch = self._epochs.get(number)
        if epoch is None or epoch.key is None:
            state = "unknown" if epoch is None else "destroyed"
            raise KeyUnavailableError(f"key epoch {number} is {state}")
        return epoch

    @staticmethod
    def _cipher(epoch: _Epoch) -> AESGCM:
        assert epoch.key is not None
        return AESGCM(epoch.key.reveal())


def _stamp(path: Path) -> tuple[int, int] | None:
    """Tells one state of the file from the next; None if it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _encode(epochs: _Epochs) -> bytes:
    header = _HEADER.pack(_MAGIC, _VERSION, len(epochs))
    blocks = [header + sha256(header).digest()]
    for _, epoch in sorted(epochs.items()):
        state = _DESTROYED if epoch.key is None else _ALIVE
        slot = _SLOT.pack(epoch.number, state, epoch.key.reveal() if epoch.key else _NO_KEY)
        blocks.append(slot + sha256(slot).digest()[: _BLOCK - _SLOT.size])
    return b"".join(blocks)


def _decode(path: Path, data: bytes) -> _Epochs:
    damaged = KeyFileError(f"the key file {path} is damaged; restore it from its backup")
    header = data[: _HEADER.size]
    if len(data) < _BLOCK or not data.startswith(_MAGIC):
        raise damaged
    if data[_HEADER.size : _BLOCK] != sha256(header).digest():
        raise damaged
    _, version, count = _HEADER.unpack(header)
    if version != _VERSION:
        raise KeyFileError(
            f"the key file {path} has format version {version}, this release reads {_VERSION}"
        )
    if not 0 < count <= MAX_EPOCHS or len(data) != _BLOCK * (1 + count):
        raise damaged
    epochs: _Epochs = {}
    for start in range(_BLOCK, len(data), _BLOCK):
        slot, check = data[start : start + _SLOT.size], data[start + _SLOT.size : start + _BLOCK]
        number, state, key = _SLOT.unpack(slot)
        if check != sha256(slot).digest()[: len(check)] or state not in {_ALIVE, _DESTROYED}:
            raise damaged
        if number <= max(epochs, default=0):
            raise damaged
        epochs[number] = _Epoch(number, Secret(key) if state == _ALIVE else None)
    if all(epoch.key is None for epoch in epochs.values()):
        raise damaged
    return epochs


def _read_private(path: Path) -> bytes:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileError(f"{path} is not a regular file")
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyFileError(
                f"the key file {path} is open to other accounts; run: chmod 600 {path}"
            )
        if status.st_uid not in {0, os.geteuid()}:
            raise KeyFileError(f"the key file {path} belongs to another account")
        return file.read(_BLOCK * (1 + MAX_EPOCHS) + 1)


def _write_new(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _finish_change(path: Path) -> None:
    """Overwrites what an earlier change left beside `path`; the live file is never touched."""
    for leftover in (_new_name(path), _old_name(path)):
        if not leftover.exists():
            continue
        if not leftover.samefile(path):
            with leftover.open("r+b") as file:
                file.write(secrets.token_bytes(os.fstat(file.fileno()).st_size))
                file.flush()
                os.fsync(file.fileno())
        leftover.unlink()
        _sync_folder(path.parent)


@contextmanager
def _locked_folder(folder: Path, *, wait: bool) -> Iterator[bool]:
    """Holds the folder against other key files' changes; False if one is at it just now."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            alone = True
        except BlockingIOError:
            alone = False
        yield alone
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fresh_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}")


def _new_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def _old_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


def _unusable(path: Path, error: OSError) -> KeyFileError:
    return KeyFileError(f"the key file {path} cannot be used: {error.strerror}")
