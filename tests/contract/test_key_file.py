"""The key file: what only a file can get wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from memory.adapters.key_file import KeyFile
from memory.core.values import Secret
from memory.errors import ConfigurationError, KeyFileError, KeyUnavailableError, SealError
from memory.ports import WrappedKey

KEY = Secret(b"k" * 32)
ROOT = Path(__file__).parents[2]

# Key 32 x 0x11, nonce 00 to 0b, plaintext 32 x 0x22, aad "frozen aad".
FROZEN = (
    "011e5960506085fe21000102030405060708090a0b31c19431598117d6369af1bde68dd5"
    "04eb83224a3757700d8bc29d5ddf62410c38b26bdb149df81f4986c33835590f3f"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "tacit.key"


def test_a_key_file_opens_again_and_unwraps(path: Path) -> None:
    wrapped = KeyFile.create(path).wrap(KEY, b"aad", 1)
    assert KeyFile.open(path).unwrap(wrapped, b"aad") == KEY


def test_a_key_file_is_private(path: Path) -> None:
    KeyFile.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["tacit.key"]


def test_an_existing_file_is_never_overwritten(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("precious")
    with pytest.raises(KeyFileError, match="never overwritten"):
        KeyFile.create(path)
    assert path.read_text() == "precious"
    assert os.listdir(path.parent) == ["tacit.key"]


def test_a_missing_file_is_not_made_up(path: Path) -> None:
    with pytest.raises(KeyFileError, match="missing"):
        KeyFile.open(path)
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o620, 0o610])
def test_a_file_open_to_others_is_refused(path: Path, mode: int) -> None:
    KeyFile.create(path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        KeyFile.open(path)


def test_a_folder_is_no_key_file(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError):
        KeyFile.open(tmp_path)
    with pytest.raises(KeyFileError):
        KeyFile.create(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_account_is_refused(path: Path) -> None:
    KeyFile.create(path)
    os.chown(path, 12_345, -1)
    os.seteuid(54_321)
    try:
        with pytest.raises(KeyFileError):
            KeyFile.open(path)
    finally:
        os.seteuid(0)


def test_a_file_cut_at_any_length_is_refused(path: Path) -> None:
    KeyFile.create(path).new_epoch()
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(KeyFileError, match="damaged"):
            KeyFile.open(path)
    path.write_bytes(data + b"\0")
    with pytest.raises(KeyFileError, match="damaged"):
        KeyFile.open(path)


def test_every_flipped_bit_is_refused(path: Path) -> None:
    KeyFile.create(path)
    data = path.read_bytes()
    for position in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << position % 8
        path.write_bytes(flipped)
        with pytest.raises(KeyFileError):
            KeyFile.open(path)


def test_another_version_is_told_from_damage(path: Path) -> None:
    KeyFile.create(path)
    data = bytearray(path.read_bytes())
    data[8:10] = (2).to_bytes(2, "big")
    data[32:64] = sha256(data[:32]).digest()
    path.write_bytes(data)
    with pytest.raises(KeyFileError, match="version 2"):
        KeyFile.open(path)


def test_a_wrong_key_file_is_told_from_damage(tmp_path: Path) -> None:
    wrapped = KeyFile.create(tmp_path / "one").wrap(KEY, b"aad", 1)
    other = KeyFile.create(tmp_path / "two")
    with pytest.raises(SealError, match="does not belong"):
        other.unwrap(wrapped, b"aad")


def test_a_frozen_file_and_key_of_version_one_still_open(path: Path) -> None:
    """Bytes made once with the documented layout; they must open for ever."""
    header = b"TACITKEK" + bytes.fromhex("0001 0001") + bytes(20)
    slot = bytes.fromhex("00000001 01 000000") + b"\x11" * 32
    path.parent.mkdir()
    path.write_bytes(header + sha256(header).digest() + slot + sha256(slot).digest()[:24])
    path.chmod(0o600)
    wrapped = WrappedKey(1, bytes.fromhex(FROZEN))
    assert KeyFile.open(path).unwrap(wrapped, b"frozen aad") == Secret(b"\x22" * 32)


def test_a_new_epoch_wraps_and_the_old_one_still_unwraps(path: Path) -> None:
    keys = KeyFile.create(path)
    old = keys.wrap(KEY, b"aad", 1)
    assert (keys.new_epoch(), keys.epochs()) == (2, [1, 2])
    new = keys.wrap(KEY, b"aad", 2)
    assert (old.epoch, new.epoch) == (1, 2)
    for provider in (keys, KeyFile.open(path)):
        assert provider.unwrap(old, b"aad") == provider.unwrap(new, b"aad") == KEY
        with pytest.raises(SealError):
            provider.unwrap(replace(old, epoch=2), b"aad")


def test_a_destroyed_epoch_is_gone_from_memory_and_file_and_its_number_is_not_used_again(
    path: Path,
) -> None:
    keys = KeyFile.create(path)
    old = keys.wrap(KEY, b"aad", 1)
    secret = path.read_bytes()[72:104]
    keys.new_epoch()
    keys.destroy_epoch(1)
    keys.destroy_epoch(1)
    for provider in (keys, KeyFile.open(path)):
        with pytest.raises(KeyUnavailableError, match="destroyed"):
            provider.unwrap(old, b"aad")
    assert secret not in b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert keys.new_epoch() == 3
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_replaced_file_is_overwritten_before_it_is_freed(path: Path) -> None:
    """A file held open outlives its name, as its blocks on the device do."""
    keys = KeyFile.create(path)
    secret = path.read_bytes()[72:104]
    keys.new_epoch()
    with path.open("rb") as old:
        keys.destroy_epoch(1)
        assert secret not in old.read()


def test_the_current_epoch_cannot_be_destroyed(path: Path) -> None:
    keys = KeyFile.create(path)
    with pytest.raises(ConfigurationError, match="in use"):
        keys.destroy_epoch(1)
    with pytest.raises(ConfigurationError):
        keys.destroy_epoch(7)


def test_two_processes_change_one_file_without_losing_an_epoch(path: Path) -> None:
    one = KeyFile.create(path)
    other = KeyFile.open(path)
    assert [one.new_epoch(), other.new_epoch(), one.new_epoch()] == [2, 3, 4]
    assert other.new_epoch() == 5
    for made in (one.wrap(KEY, b"", 1), other.wrap(KEY, b"", 5)):
        assert KeyFile.open(path).unwrap(made, b"") == KEY


def test_a_full_or_readonly_disk_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = KeyFile.create(path)
    wrapped, before = keys.wrap(KEY, b"", 1), path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyFileError, match="No space left"):
        keys.new_epoch()
    monkeypatch.undo()
    assert (path.read_bytes(), keys.epochs()) == (before, [1])
    assert KeyFile.open(path).unwrap(wrapped, b"") == KEY
    assert os.listdir(path.parent) == ["tacit.key"]


_ROLLER = """
import sys
from pathlib import Path
from memory.adapters.key_file import KeyFile
keys = KeyFile.open(Path(sys.argv[1]))
print("ready", flush=True)
for _ in range(2_000):
    keys.destroy_epoch(keys.new_epoch() - 1)
"""


def test_kill_nine_in_a_change_leaves_a_whole_file_and_no_leftover(
    path: Path, stress: bool
) -> None:
    KeyFile.create(path)
    for run in range(50 if stress else 10):
        roller = subprocess.Popen(
            [sys.executable, "-c", _ROLLER, str(path)], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert roller.stdout is not None
        assert roller.stdout.readline() == b"ready\n"
        time.sleep(0.003 * run)
        roller.send_signal(signal.SIGKILL)
        roller.communicate()
        keys = KeyFile.open(path)
        assert keys.unwrap(keys.wrap(KEY, b"", keys.epochs()[-1]), b"") == KEY
        assert os.listdir(path.parent) == ["tacit.key"]
