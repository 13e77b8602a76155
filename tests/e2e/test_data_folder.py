"""The data folder, met as real life leaves it: shared, damaged, missing parts."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from server.demo.process import ServerProcess, ServerStartError
from tests.e2e.actor import Actor
from tests.e2e.conftest import Launch

TEXTS = (
    "I am allergic to peanuts.",
    "The cello stands in the attic.",
    "We sail to the islands in August.",
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with memories, its server stopped; tests work on copies."""
    server = ServerProcess(tmp_path_factory.mktemp("filled") / "data")
    server.start()
    with Actor(server) as actor:
        actor.grant("amara")
        actor.store("amara", TEXTS)
    assert server.stop() == 0
    return server.data


@pytest.fixture
def data(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled, tmp_path / "data"))


def _all_is_recalled(server: ServerProcess) -> None:
    with Actor(server) as actor:
        assert [memory.text for memory in actor.list("amara")] == list(TEXTS)
        for text in TEXTS:
            assert actor.recall("amara", text, limit=1)[0].text == text
    assert server.stop() == 0


def test_a_second_server_on_the_same_folder_is_refused(data: Path, launch: Launch) -> None:
    first = launch(data)
    with pytest.raises(ServerStartError, match=r"another server|in use"):
        launch(data)
    _all_is_recalled(first)


def test_a_missing_key_file_refuses_the_start_and_none_is_made(data: Path, launch: Launch) -> None:
    key, away = data / "tacit.key", data.with_name("tacit.key.away")
    key.rename(away)
    with pytest.raises(ServerStartError, match=r"key file .*missing"):
        launch(data)
    assert not key.exists()
    away.rename(key)
    _all_is_recalled(launch(data))


def test_a_damaged_key_file_refuses_the_start_and_is_left_alone(
    data: Path, tmp_path: Path, launch: Launch
) -> None:
    key = data / "tacit.key"
    good = key.read_bytes()
    other = launch(tmp_path / "other")
    other.stop()
    foreign = (other.data / "tacit.key").read_bytes()
    for bad in (b"", good[: len(good) // 2], foreign):
        key.write_bytes(bad)
        with pytest.raises(ServerStartError, match="key"):
            launch(data)
        assert key.read_bytes() == bad
    key.write_bytes(good)
    _all_is_recalled(launch(data))


def test_without_the_index_everything_is_recalled_again(data: Path, launch: Launch) -> None:
    shutil.rmtree(data / "chroma")
    _all_is_recalled(launch(data))


def test_with_the_index_turned_to_garbage_everything_is_recalled_again(
    data: Path, launch: Launch
) -> None:
    for path in (data / "chroma").rglob("*"):
        if path.is_file():
            path.write_bytes(b"garbage" * (path.stat().st_size // 7 + 1))
    _all_is_recalled(launch(data))


def test_a_server_answers_while_its_index_is_still_being_opened(data: Path, launch: Launch) -> None:
    other = sqlite3.connect(data / "chroma" / "chroma.sqlite3", isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")  # nobody can open it meanwhile
    server = launch(data)
    with Actor(server) as actor:
        assert actor.recall("amara", TEXTS[0], limit=1)[0].text == TEXTS[0]
    other.close()
    _all_is_recalled(server)


def test_an_index_folder_that_cannot_be_used_is_named_and_nothing_is_lost(
    data: Path, launch: Launch
) -> None:
    shutil.rmtree(data / "chroma")
    (data / "chroma").write_bytes(b"not a folder")
    with pytest.raises(ServerStartError, match=r"index folder .*chroma cannot be used"):
        launch(data)
    (data / "chroma").unlink()
    _all_is_recalled(launch(data))


def test_a_folder_that_others_can_read_is_refused(data: Path, launch: Launch) -> None:
    data.chmod(0o755)
    with pytest.raises(ServerStartError, match="chmod 700"):
        launch(data)
    assert data.stat().st_mode & 0o777 == 0o755
