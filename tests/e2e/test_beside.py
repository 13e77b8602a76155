"""`tacit serve` under many recalls at once: a process beside it works, and does not outlive it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.demo.process import ServerProcess
from tests.e2e.actor import Actor
from tests.e2e.conftest import Launch
from tests.integration.conftest import wait_until

CALLERS = 8


@pytest.fixture
def crowded(tmp_path: Path, launch: Launch) -> Iterator[tuple[ServerProcess, Actor]]:
    """A server that so many recalls came to at once that one process more works."""
    server = launch(tmp_path / "data")
    with Actor(server) as actor:
        actor.grant("amara")
        actor.store("amara", [f"Note {n} about the garden" for n in range(20)])
        with ThreadPoolExecutor(CALLERS) as pool:

            def helped() -> bool:
                list(pool.map(lambda n: actor.recall("amara", f"note {n}"), range(40)))
                return bool(recallers(tmp_path))

            wait_until(helped, 60)
        yield server, actor


def recallers(folder: Path) -> list[int]:
    """The processes beside servers whose log lies in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_one = b"server.recaller" in (process / "cmdline").read_bytes()
            if is_one and (process / "fd" / "2").readlink().is_relative_to(folder):
                found.append(int(process.name))
        except OSError:
            pass  # it has just ended
    return found


def test_answers_stay_what_they_are_and_a_stop_ends_both(
    tmp_path: Path, crowded: tuple[ServerProcess, Actor]
) -> None:
    server, actor = crowded
    alone = [memory.name for memory in actor.recall("amara", "note 7 about the garden")]
    with ThreadPoolExecutor(CALLERS) as pool:
        asked = pool.map(lambda _: actor.recall("amara", "note 7 about the garden"), range(80))
        assert all([memory.name for memory in answer] == alone for answer in asked)
    assert len(recallers(tmp_path)) == 1
    assert server.stop() == 0
    assert recallers(tmp_path) == []


def test_a_server_that_is_killed_leaves_nobody_behind(
    tmp_path: Path, crowded: tuple[ServerProcess, Actor]
) -> None:
    server, _ = crowded
    server.kill()
    wait_until(lambda: recallers(tmp_path) == [], 10)
