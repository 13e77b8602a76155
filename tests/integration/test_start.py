"""What a start may find, and that it never makes things worse."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from memory.adapters.key_file import KeyFile
from memory.bootstrap import open_tacit
from memory.config import Config
from memory.errors import DataFolderInUseError, KeyFileError
from tests.integration.conftest import grant, recall, store, wait_indexed, wait_until

TEXTS = [f"memory about topic {n}" for n in range(20)]


def _fill(folder: Path) -> None:
    with open_tacit(Config(data=folder)) as tacit:
        grant(tacit)
        store(tacit, *TEXTS)
        wait_indexed(tacit)


def _all_there(folder: Path) -> None:
    with open_tacit(Config(data=folder, search_in_memory=0)) as tacit:
        assert sorted(recall(tacit, "memory about a topic", limit=50)) == sorted(TEXTS)
        # Until the indexer has looked the index over, nothing waits in the outbox.
        wait_until(lambda: sum(tacit.indexer.index.collections().values()) == len(TEXTS))
        wait_indexed(tacit)
        assert sorted(recall(tacit, "memory about a topic", limit=50)) == sorted(TEXTS)


def test_everything_is_there_after_a_restart(folder: Path) -> None:
    _fill(folder)
    _all_there(folder)


def test_a_deleted_index_is_rebuilt_from_the_store(folder: Path) -> None:
    _fill(folder)
    shutil.rmtree(folder / "chroma")
    _all_there(folder)


def test_a_garbled_index_is_rebuilt_from_the_store(folder: Path) -> None:
    _fill(folder)
    for path in (folder / "chroma").rglob("*"):
        if path.is_file():
            path.write_bytes(b"garbage" * 1000)
    _all_there(folder)


def test_a_missing_key_file_refuses_the_start_and_is_not_replaced(folder: Path) -> None:
    _fill(folder)
    key = folder / "tacit.key"
    kept = key.read_bytes()
    key.unlink()
    with pytest.raises(KeyFileError, match="missing"):
        open_tacit(Config(data=folder))
    assert not key.exists()
    key.write_bytes(kept)
    key.chmod(0o600)
    _all_there(folder)


def test_a_corrupt_key_file_refuses_the_start_and_is_left_alone(folder: Path) -> None:
    _fill(folder)
    key = folder / "tacit.key"
    kept = key.read_bytes()
    key.write_bytes(kept[:-3])
    with pytest.raises(KeyFileError):
        open_tacit(Config(data=folder))
    assert key.read_bytes() == kept[:-3]
    key.write_bytes(kept)
    _all_there(folder)


def test_another_deployments_key_file_refuses_the_start(folder: Path) -> None:
    _fill(folder)
    key = folder / "tacit.key"
    kept = key.read_bytes()
    key.unlink()
    KeyFile.create(key)
    with pytest.raises(KeyFileError, match="does not open this data"):
        open_tacit(Config(data=folder))
    key.write_bytes(kept)
    _all_there(folder)


def test_a_second_server_on_the_same_folder_is_refused(folder: Path) -> None:
    with open_tacit(Config(data=folder)) as tacit:
        with pytest.raises(DataFolderInUseError):
            open_tacit(Config(data=folder))
        grant(tacit)
        store(tacit, "still serving")
        assert recall(tacit, "serving") == ["still serving"]
