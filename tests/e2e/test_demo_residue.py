"""After the demo's conversation is stored, nothing of it lies readable on the disk."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from memory.app.sealing import open_features
from memory.bootstrap import open_tacit
from memory.config import Config
from memory.core.values import PersonId, TenantId
from memory.ports import MemoryFilter
from server.demo import conversation
from server.demo.process import ServerProcess
from server.demo.residue import Needle, byte_needles, search, text_needles
from tests.e2e.actor import Actor
from tests.e2e.conftest import Launch

PERSON = "amara@acme"
_HEAD = 16
"""Numbers of a vector that are looked for together: fewer would not be a leak of it."""


def _needles() -> list[Needle]:
    return text_needles([*conversation.secrets(), PERSON])


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
        assert search(server.data.parent, _needles()).finds == []
    assert server.stop() == 0
    return server.data.parent


@pytest.fixture
def folder(told: Path, tmp_path: Path) -> Path:
    """A copy of it, log and all; the data lie in `data`."""
    return Path(shutil.copytree(told, tmp_path / "told"))


def _vectors(data: Path) -> tuple[list[Needle], list[Needle]]:
    """The exact vectors of everything stored, and the veiled ones, as bytes."""
    exact, veiled = [], []
    with open_tacit(Config(data=data)) as tacit:
        keyring = tacit.recall.keyring
        with tacit.recall.store.read() as uow:
            person = uow.person(keyring.ref(TenantId("local"), PersonId(PERSON)))
            assert person is not None
            keys = keyring.keys(person)
            rows = uow.page_memories(person.subject, MemoryFilter(), -1, 1000)
        vectors = np.stack([open_features(keys, row).vector for row in rows])
        for vector in vectors:
            for dtype in (np.float32, np.float16, np.float64):
                exact += byte_needles("a vector", vector[:_HEAD].astype(dtype).tobytes())
        for hidden in tacit.indexer.veils.records(keys, [row.id for row in rows], vectors):
            veiled += [Needle("a veiled vector", "raw", hidden.value[:_HEAD].tobytes())]
    return exact, veiled


def test_nothing_said_lies_readable_on_the_disk(folder: Path) -> None:
    assert (folder / "data.log").stat().st_size > 0
    assert search(folder, _needles()).finds == []


def test_no_exact_vector_lies_on_the_disk(folder: Path) -> None:
    exact, veiled = _vectors(folder / "data")
    assert len(veiled) == len(conversation.load().turns)
    assert search(folder, exact).finds == []
    # The same search does find what lies there: the veiled vectors, in the index.
    found = {find.needle.data for find in search(folder / "data" / "chroma", veiled).finds}
    assert found == {needle.data for needle in veiled}


def test_after_forgetting_not_even_the_veiled_vectors_are_left(
    folder: Path, launch: Launch
) -> None:
    exact, veiled = _vectors(folder / "data")
    server = launch(folder / "data")
    with Actor(server) as actor:
        actor.forget(PERSON)
        frame = {"header", "note", "section", "end"}
        assert {line["type"] for line in actor.export(PERSON)} == frame
    needles = [*_needles(), *exact, *veiled]
    assert search(folder, needles).finds == []
    server.stop()
    assert search(folder, needles).finds == []


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
