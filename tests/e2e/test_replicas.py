"""Replicas die, Chroma and PostgreSQL crash: what one of them acknowledged, all of them obey.

Under `make stress` three replicas and 16 callers, 50 withdrawals while nothing dies and then five
minutes in which everything does; `-s` shows the figures.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from sqlalchemy import text

from tests.contract.conftest import administer
from tests.e2e.replica_callers import Caller, Person, World
from tests.e2e.replicas import Deployment, deployed

SETTLE_SECONDS = 180.0
"""Claims of the dead run out within a minute; what waited for them follows."""


@dataclass(frozen=True)
class Scale:
    """How much of it."""

    replicas: int
    callers: int
    seconds: float
    every: float
    chroma: tuple[float, ...]
    postgres: tuple[float, ...]
    erasure_seconds: int
    withdrawals: int


SMALL = Scale(2, 3, 4.0, 10.0, (0.6,), (0.0,), 86_400, 15)
STRESS = Scale(3, 16, 300.0, 10.0, (0.25, 0.75), (0.5,), 30, 50)


@pytest.mark.timeout(1_800)
def test_replicas_that_die_lose_nothing_and_break_no_promise(tmp_path: Path, stress: bool) -> None:
    scale = STRESS if stress else SMALL
    settings = (
        *("--search-in-memory", "20"),  # so that the index is asked
        *("--erasure-seconds", str(scale.erasure_seconds)),
    )
    with deployed(tmp_path, scale.replicas, *settings) as deployment:
        world = World(deployment)
        stopping = threading.Event()
        callers = [Caller(world, number, stopping) for number in range(scale.callers)]
        for caller in callers:
            caller.start()
        Caller(world, scale.callers, stopping).changes_minds(scale.withdrawals)
        kills = deployment.trouble(scale.seconds, scale.every, scale.chroma, scale.postgres)
        stopping.set()
        for caller in callers:
            caller.join(SETTLE_SECONDS)
        _show(world, kills)
        assert [caller.failure for caller in callers] == [None] * len(callers)
        took = _settled(deployment, everything=stress)
        for person in world.people:
            _check(world, person, certified=stress)
        orphans = _orphans(deployment) if stress else set()
        print(f"recovered {took:.1f} s after the last start; {len(orphans)} orphaned collections")
        assert world.wrong == []
        assert orphans == set()
        assert _faults(deployment) == []


def _settled(deployment: Deployment, *, everything: bool) -> float:
    """Waits until every replica serves and owes nothing, of memories deleted one by one apart."""
    began = time.monotonic()
    while time.monotonic() - began < SETTLE_SECONDS:
        try:
            serving = all(actor.serves() for actor in deployment.actors)
            status = deployment.actors[0].status()
        except grpc.RpcError:
            serving = False
        owed = status.waiting_erasure_count
        if everything:
            owed += status.unindexed_count + status.pending_erasure_count
        if serving and not owed:
            return time.monotonic() - began
        time.sleep(0.2)
    raise AssertionError(f"not recovered: {serving=} {status}")


def _check(world: World, person: Person, *, certified: bool) -> None:
    """All that was acknowledged of a person is there, and nothing else."""
    world.recall(person, "entry 1")
    if person.erasure:
        end = time.monotonic() + SETTLE_SECONDS
        while certified and not _certified(world, person):
            assert time.monotonic() < end, f"no certificate for {person.erasure}"
            time.sleep(1)
        return
    person.closed = None
    world.ask("grant", lambda actor: actor.grant(person.name))
    listed = world.ask("list", lambda actor: actor.list(person.name)) or []
    if {memory.name: memory.text for memory in listed} != person.kept:
        there = {memory.name for memory in listed}
        lost, risen = person.kept.keys() - there, there - person.kept.keys()
        world.say(f"of {person.name}, {len(lost)} are lost and {len(risen)} should not be there")
    for name in random.sample(sorted(person.kept), min(5, len(person.kept))):
        if name not in {memory.name for memory in world.recall(person, person.kept[name])}:
            world.say(f"lost: a memory of {person.name} is not recalled")


def _certified(world: World, person: Person) -> bool:
    found = world.ask("certificate", lambda a: a.certificate(person.erasure), "RESOURCE_NOT_FOUND")
    return found is not None and bool(found.dsse_envelope)


def _orphans(deployment: Deployment) -> set[str]:
    """Collections of nobody: what is left of someone forgotten."""
    from chromadb import HttpClient

    host, _, port = deployment.chroma.url.removeprefix("http://").rpartition(":")
    client = HttpClient(host, int(port))
    held = {collection.name for collection in client.list_collections(limit=10_000)}
    engine = administer(deployment.postgres.url)
    with engine.connect() as connection:
        owned = {name for (name,) in connection.execute(text("SELECT collection FROM persons"))}
    engine.dispose()
    return held - owned


def _faults(deployment: Deployment) -> list[str]:
    """What a replica did not expect, by its log."""
    lines = [line for each in deployment.replicas for line in each.log.read_text().splitlines()]
    return [line for line in lines if line[:1] == "{" and json.loads(line)["event"] == "fault"]


def _show(world: World, kills: int) -> None:
    replicas = world.deployment.replicas
    kept = sum(len(person.kept) for person in world.people)
    print(
        f"\n{kills} replicas killed, {sum(r.starts for r in replicas)} starts, "
        f"failed ones: {dict(Counter(error for r in replicas for error in r.failed_starts))}\n"
        f"answered: {dict(world.calls)}\nnot answered: {dict(world.failures)}\n"
        f"{kept} memories kept of {len(world.people)} people, "
        f"{sum(bool(person.erasure) for person in world.people)} of them forgotten\n"
        f"wrong: {len(world.wrong)}"
    )
    for problem in world.wrong[:20]:
        print(problem)
