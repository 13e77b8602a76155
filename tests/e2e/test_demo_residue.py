"""After the demo's conversation is stored, nothing of it lies readable on the disk."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from memory.adapters.residue_scan import Place, scan
from memory.bootstrap import open_tacit
from memory.config import Config
from memory.core.residue import Kind, Needles, Report, StoreName
from memory.core.values import PersonId, TenantId
from server.demo import conversation
from server.demo.process import ServerProcess
from tests.e2e.actor import Actor
from tests.e2e.conftest import Launch

PERSON = "amara@acme"


def _said() -> Needles:
    needles = Needles()
    needles.add_texts([*conversation.secrets(), PERSON])
    return needles


def _search(folder: Path, needles: Needles) -> Report:
    places = [Place(StoreName.OTHER, folder), Place(StoreName.CHROMA, folder / "data" / "chroma")]
    return scan(places, needles)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a server that was told everything, has indexed it, and stopped."""
    server = ServerProcess(tmp_path_factory.mktemp("told") / "data")
    server.start()
    turns = conversation.load().turns
    with Actor(server) as actor:
        actor.grant(PERSON)
        actor.store(PERSON, [turn.text for turn in turns], [turn.id for turn in turns])
        for question in ("what is dangerous for her?", "who is Tobias?"):
            assert actor.recall(PERSON, question)
        end = time.monotonic() + 30
        while actor.status().unindexed_count:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert _search(server.data.parent, _said()).finds == []
    assert server.stop() == 0
    return server.data.parent


@pytest.fixture
def folder(told: Path, tmp_path: Path) -> Path:
    """A copy of it, log and all; the data lie in `data`."""
    return Path(shutil.copytree(told, tmp_path / "told"))


def _gathered(data: Path) -> Needles:
    """Everything of hers, as an erasure looks for it."""
    with open_tacit(Config(data=data)) as tacit:
        with tacit.recall.store.read() as uow:
            person = uow.person(tacit.recall.keyring.ref(TenantId("local"), PersonId(PERSON)))
        assert person is not None
        return tacit.residue.gather(person, PersonId(PERSON))


def test_nothing_said_lies_readable_on_the_disk(folder: Path) -> None:
    assert (folder / "data.log").stat().st_size > 0
    assert _search(folder, _said()).finds == []


def test_only_veiled_vectors_and_the_wrapped_key_lie_on_the_disk(folder: Path) -> None:
    needles = _gathered(folder / "data")
    turns = len(conversation.load().turns)
    assert needles.items[Kind.VECTOR] == needles.items[Kind.VEILED_VECTOR] == turns
    report = _search(folder, needles)
    assert report.found == {Kind.VEILED_VECTOR: turns, Kind.WRAPPED_KEY: 1}
    assert report.stores[StoreName.CHROMA].found == {Kind.VEILED_VECTOR: turns}


def test_after_forgetting_nothing_of_it_is_left(folder: Path, launch: Launch) -> None:
    needles = _gathered(folder / "data")
    server = launch(folder / "data")
    with Actor(server) as actor:
        actor.forget(PERSON)
        frame = {"header", "note", "section", "end"}
        assert {line["type"] for line in actor.export(PERSON)} == frame
    for _ in range(2):
        assert _search(folder, needles).finds == []
        assert _search(folder, _said()).finds == []
        server.stop()


def test_the_demo_shows_what_it_says_and_leaves_nothing(tmp_path: Path) -> None:
    began = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-m", "server.cli", "demo"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PATH": "", "TMPDIR": str(tmp_path), "HOME": str(tmp_path), "COLUMNS": "120"},
    )
    assert result.returncode == 0, result.stderr
    assert time.monotonic() - began < 60
    assert result.stdout.count("CONSENT_MISSING") >= 6
    assert result.stdout.count(": 0 found") == 2
    assert list(tmp_path.iterdir()) == []
