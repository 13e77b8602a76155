"""`kill -9`, and an I/O error, at every step of an erasure: fully there, or fully gone.

A step is a commit, a drop or scrub of index or database, a new or destroyed key epoch, each before
and after it. Under `make stress` every step, 50 times; `-s` shows the counts.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from memory.bootstrap import open_tacit
from memory.config import Config
from tests.integration.conftest import grant, store, wait_indexed

STRIDE = 15
"""`make test` takes only every so many steps, other ones for each kind of run."""

AT_ONCE = 4
"""Rounds side by side; a step waits more than it works."""

TEXTS = [f"I had tea number {n}" for n in range(12)]
BOBS = [f"bob pours tea {n}" for n in range(6)]

Work = Callable[..., dict[str, Any]]


@contextmanager
def _worker() -> Iterator[Work]:
    """Runs jobs, each in a process of its own."""
    command = [sys.executable, "-m", "tests.e2e.erasure_victim"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def run(**job: Any) -> dict[str, Any]:
            process.stdin.write(json.dumps(job) + "\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
            outcome: dict[str, Any] = json.loads(process.stdout.readline())  # type: ignore[union-attr]
            return outcome

        yield run
        process.stdin.close()


def _prepared(folder: Path) -> list[str]:
    """A folder with Alice and Bob; returns the ids of Alice's memories."""
    with open_tacit(Config(data=folder)) as tacit:
        grant(tacit)
        grant(tacit, "bob")
        ids = store(tacit, *TEXTS)
        store(tacit, *BOBS, person="bob")
        wait_indexed(tacit)
    return ids


@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("scope", ["person", "memory"])
@pytest.mark.parametrize("harm", ["kill", "fail"])
def test_after_any_step_a_person_or_memory_is_fully_there_or_fully_gone(
    tmp_path: Path, scope: str, harm: str, stress: bool
) -> None:
    whole = tmp_path / "whole"
    ids = _prepared(whole)
    rounds, stride = (50, 1) if stress else (1, STRIDE + (scope == "person") + 2 * (harm == "kill"))

    def one(turn: int) -> tuple[int, int]:
        with _worker() as work:
            return _round(work, whole, tmp_path / str(turn), ids, scope, harm, stride)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(one, range(rounds)))
    there, gone = (sum(counts) for counts in zip(*outcomes, strict=True))
    print(
        f"\n{harm} at a step of erasing a {scope}: {there + gone} times, "
        f"{there} fully there, {gone} fully gone, 0 between"
    )
    assert there + gone > 0


def _round(
    work: Work, whole: Path, folder: Path, ids: list[str], scope: str, harm: str, stride: int
) -> tuple[int, int]:
    """Harm at each step in turn; how often all was there after it, and how often all was gone."""
    there = gone = 0
    rest = sorted(ids[1:])
    for at in itertools.count(1, stride):
        shutil.copytree(whole, folder)
        job = {"folder": str(folder), "database": None, "scope": scope, "record": ids[0]}
        outcome = work(**job, harm=harm, at=at)
        if not outcome["step"]:
            break
        assert outcome["status"] == (-9 if harm == "kill" else 0), outcome
        found = work(**job, harm="none", at=0)["facts"]
        assert found is not None, outcome
        assert len(found["bob_recalls"]) == len(BOBS)
        if found["erasures"]:
            gone += 1
            for state, count, settled, certified in found["erasures"]:
                assert (state, settled, certified) == ("done", True, True), outcome
                assert count == (len(ids) if scope == "person" else 1)
            if scope == "person":
                assert (found["alice"], found["alice_recalls"]) == ([], None), outcome
                assert found["collections"] == [len(BOBS)]
            else:
                assert found["alice"] == rest
                assert len(found["alice_recalls"]) == len(rest)
                assert found["collections"] == sorted([len(BOBS), len(rest)])
        else:
            there += 1
            assert harm == "kill"
            assert found["alice"] == sorted(ids), outcome
            assert found["collections"] == sorted([len(BOBS), len(ids)])
        shutil.rmtree(folder)
    return there, gone
