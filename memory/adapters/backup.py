"""Backups: a folder with two SQLite files and a manifest, made while the server serves.

    manifest.json   what it holds, and the SHA-256 of each file
    records.db      what was said, sealed
    keys.db         who and what is left, with wrapped keys
    tacit.key       the key-encryption keys, only if asked for

Rules:
- The folder is private (0700, files 0600) and appears whole, by rename, or not at all.
- Without the key provider it opens nothing. The index is left out: SQL rebuilds it.
- `refresh` writes a new `keys.db` into an old backup and overwrites the one before: after an
  erasure or a rotation, so that the backup can be restored, and without who is forgotten.
- Restoring leaves out who is forgotten by the newest of what it is given: a newer backup, the data
  folder or database of before, and certificates of erasures.
- Restoring checks every digest first, and that the provider still has the keys' epoch; it writes
  into an empty place only.
- The same for SQLite and PostgreSQL; what was backed up from one can be restored into the other.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import file_digest
from io import FileIO
from pathlib import Path
from typing import Any, Final, Protocol

from memory.adapters.data_folder import DataFolder
from memory.adapters.key_opening import open_keys
from memory.adapters.sql.copies import KEYS, RECORDS, Copied, copy_in, copy_out, root_of
from memory.core.certificate import check, pseudonym
from memory.core.erasure import PERSON
from memory.core.keys import DEPLOYMENT_AAD, DeploymentKeys
from memory.core.micros import from_micros
from memory.core.signing import Signer, Verifier
from memory.core.values import PersonRef, RecordId, Secret, TenantId
from memory.errors import ConfigurationError, KeyUnavailableError, SealError
from memory.ports import WrappedKey

MANIFEST: Final = "manifest.json"
KEY_FILE: Final = "tacit.key"
DATABASE: Final = "tacit.db"
PENDING: Final = "erasures.pending"
FORMAT: Final = "tacit-backup"
VERSION: Final = 1
_MAX_MANIFEST_BYTES: Final = 64 * 1024


class Deployment(Protocol):
    """Where a server's data and keys are, as its settings say."""

    @property
    def data(self) -> Path: ...
    @property
    def database_url(self) -> str: ...
    @property
    def key_provider(self) -> str: ...
    @property
    def signing_name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Backup:
    """What lies in a backup folder."""

    time: datetime
    copied: Copied
    with_key: bool


def back_up(config: Deployment, folder: Path, *, with_key: bool = False) -> Backup:
    """Makes the folder.

    Raises:
        ConfigurationError: it is there already, there is nothing to back up, or no key file.
        StorageUnavailableError, StorageFullError: nothing was made.
    """
    if folder.exists():
        raise ConfigurationError(f"{folder} is there already: name a new folder")
    draft = _draft(folder)
    try:
        copied = copy_out(config.database_url, draft)
        if with_key:
            shutil.copyfile(_key_file(config), draft / KEY_FILE)
        backup = _describe(draft, copied)
        _sync_all(draft)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _sync(folder.parent)
    return backup


def refresh(config: Deployment, folder: Path) -> Backup:
    """Puts the keys and consents of now into a backup, and overwrites those of then.

    Raises what `back_up` raises; then the backup is as it was.
    """
    _checked(folder)
    draft = _draft(folder / "keys")
    try:
        copied = copy_out(config.database_url, draft, beside=folder / RECORDS)
        for name in (RECORDS, KEY_FILE):
            if (folder / name).exists():
                os.link(folder / name, draft / name)
        backup = _describe(draft, copied)
        _sync_all(draft)
        # A crash between the two leaves a manifest that does not fit: refresh again.
        _replace(folder / KEYS, draft / KEYS)
        (draft / MANIFEST).replace(folder / MANIFEST)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _sync(folder)
    return backup


def restore(
    config: Deployment,
    folder: Path,
    keys: str | None = None,
    certificates: Sequence[Path] = (),
) -> Copied:
    """Fills the empty data folder and database of `config` from a backup.

    Args:
        keys: what says who and what is left: a newer backup, the data folder of before, or the
            URL of its database; else the backup's own `keys.db`.
        certificates: of people who were forgotten after that: they are left out, too.

    Raises:
        ConfigurationError: data are there already, a file is damaged, a certificate is not about a
            person, or the keys' epoch is destroyed: give something newer as `keys`.
        SignatureError: a certificate is not this deployment's.
    """
    _checked(folder)
    with DataFolder(config.data), _newest(config, folder, keys) as names:
        scheme, _, path = config.key_provider.partition(":")
        if scheme == "file" and (folder / KEY_FILE).exists() and not Path(path).exists():
            _put(folder / KEY_FILE, Path(path))
        root = DeploymentKeys(_opened(config, root_of(names)))
        verifier = Signer(config.signing_name, root.signing).verifier
        erased = [_erasure(file, verifier) for file in certificates]
        return copy_in(
            config.database_url,
            folder / RECORDS,
            names,
            lambda person: any(_is_of(root, one, person) for one in erased),
        )


@contextmanager
def _newest(config: Deployment, folder: Path, keys: str | None) -> Iterator[Path]:
    """The `keys.db` to go by. What a data folder accepted and had not carried over goes along."""
    place = folder if keys is None else Path(keys)
    if keys is not None and "://" not in keys and not (place / DATABASE).exists():
        _checked(place)
    elif keys is not None:
        draft = _draft(config.data / KEYS)
        try:
            url = keys if "://" in keys else f"sqlite:///{place / DATABASE}"
            copy_out(url, draft, beside=folder / RECORDS)
            if (place / PENDING).is_dir():
                shutil.copytree(place / PENDING, config.data / PENDING, dirs_exist_ok=True)
            yield draft / KEYS
        finally:
            for file in draft.iterdir():
                with file.open("r+b", buffering=0) as copy:
                    _zero(copy)
            shutil.rmtree(draft)
        return
    yield place / KEYS


def _erasure(file: Path, verifier: Verifier) -> Mapping[str, Any]:
    said = check(file.read_bytes(), verifier)
    if said["request"]["scope"] != PERSON.to_json():
        raise ConfigurationError(
            f"{file} is about some memories, and does not say which: name something newer with "
            "--keys"
        )
    return said


def _is_of(root: DeploymentKeys, said: Mapping[str, Any], person: Mapping[str, Any]) -> bool:
    """Whether a certificate is about this person; not, if they came back after it."""
    if from_micros(person["created_at"]) > datetime.fromisoformat(said["times"]["accepted"]):
        return False
    erasure = RecordId.parse(said["erasure"].removeprefix("erasures/"))
    name = pseudonym(
        root.certificates, TenantId(person["tenant"]), PersonRef(person["ref"]), erasure
    )
    return name.hex() == str(said["person"])


def _opened(config: Deployment, root: WrappedKey) -> Secret:
    provider = open_keys(config.key_provider, root)
    try:
        return provider.unwrap(root, DEPLOYMENT_AAD)
    except (KeyUnavailableError, SealError):
        raise ConfigurationError(
            f"the keys of this backup, under epoch {root.epoch}, do not open with this key "
            "provider: if that epoch is destroyed, name a newer backup with --keys"
        ) from None
    finally:
        provider.close()


def _checked(folder: Path) -> Mapping[str, Any]:
    """The manifest of a backup whose files are as they were written."""
    try:
        with (folder / MANIFEST).open("rb") as file:
            said = json.loads(file.read(_MAX_MANIFEST_BYTES))
        good = said["format"] == FORMAT and said["version"] == VERSION
        digests = {str(name): str(digest) for name, digest in said["sha256"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ConfigurationError(f"{folder} is no backup of Tacit's") from None
    if not good or not {RECORDS, KEYS} <= digests.keys() <= {RECORDS, KEYS, KEY_FILE}:
        raise ConfigurationError(f"{folder} is a backup of another version of Tacit")
    for name, digest in digests.items():
        if not (folder / name).is_file() or _digest(folder / name) != digest:
            raise ConfigurationError(f"{folder / name} is damaged: it is not what was backed up")
    assert isinstance(said, dict)
    return said


def _describe(draft: Path, copied: Copied) -> Backup:
    """Writes the manifest over the files that are there."""
    now = datetime.now(UTC)
    files = sorted(path.name for path in draft.iterdir())
    said = {
        "format": FORMAT,
        "version": VERSION,
        "time": now.isoformat(),
        "schema": copied.schema,
        "key_epoch": copied.key_epoch,
        "people": copied.people,
        "memories": copied.memories,
        "sha256": {name: _digest(draft / name) for name in files},
    }
    (draft / MANIFEST).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    return Backup(now, copied, KEY_FILE in files)


def _draft(folder: Path) -> Path:
    draft = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    return draft


def _key_file(config: Deployment) -> Path:
    scheme, _, path = config.key_provider.partition(":")
    if scheme != "file":
        raise ConfigurationError("only a key file can be backed up: `kek` names another provider")
    return Path(path)


def _replace(file: Path, new: Path) -> None:
    """Puts `new` in its place, and zeros into the blocks of what was there."""
    with file.open("r+b", buffering=0) as old:
        new.replace(file)
        _sync(file.parent)
        _zero(old)


def _zero(old: FileIO) -> None:
    size = os.fstat(old.fileno()).st_size
    for start in range(0, size, 1 << 20):
        old.write(bytes(min(1 << 20, size - start)))
    os.fsync(old.fileno())


def _put(source: Path, target: Path) -> None:
    draft = target.with_name(f".{target.name}.part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(source.read_bytes())
        os.fsync(file.fileno())
    draft.rename(target)
    _sync(target.parent)


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


def _sync_all(folder: Path) -> None:
    for file in folder.iterdir():
        file.chmod(0o600)
        _sync(file)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
