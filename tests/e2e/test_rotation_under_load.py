"""Keys are rotated while assistants store and recall, and the server is killed while it does it.

Under `make stress` with 20,000 people, 8 callers and 50 kills; `-s` shows the times.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest

from memory.adapters.key_file import KeyFile
from memory.adapters.sql.store import open_store
from memory.app.keyring import Keyring
from memory.core.keys import root_aad
from memory.core.values import PersonId, Secret, TenantId
from server.demo.process import ServerProcess
from tests.e2e.actor import Actor
from tests.e2e.conftest import Launch

PEOPLE, PEOPLE_IN_STRESS = 300, 20_000
CALLERS, CALLERS_IN_STRESS = 2, 8
KILLS, KILLS_IN_STRESS = 1, 50
FINISH_SECONDS = 900


class Caller(threading.Thread):
    """Stores and recalls without pause; remembers what was acknowledged."""

    def __init__(self, server: ServerProcess, person: str) -> None:
        super().__init__(daemon=True)
        self.server, self.person = server, person
        self.acknowledged: list[str] = []
        self.failure: grpc.RpcError | None = None
        self.stopping = threading.Event()

    def run(self) -> None:
        try:
            with Actor(self.server) as actor:
                while not self.stopping.is_set():
                    (stored,) = actor.store(self.person, [f"note {uuid.uuid4().hex}"])
                    self.acknowledged.append(stored.name)
                    actor.recall(self.person, "note")
        except grpc.RpcError as error:
            self.failure = error


def _populate(folder: Path, count: int) -> None:
    """People who consented to nothing and said nothing: only their keys matter here."""
    folder.mkdir(mode=0o700)
    store = open_store(f"sqlite:///{folder / 'tacit.db'}")
    provider = KeyFile.create(folder / "tacit.key")
    keyring = Keyring(store, provider, os.urandom, time.monotonic, max_age=60)
    tenant = TenantId("local")
    for first in range(0, count, 1000):
        names = [PersonId(f"p{n}") for n in range(first, min(count, first + 1000))]
        with store.write() as uow:
            for name in names:
                ref = keyring.ref(tenant, name)
                uow.add_person(keyring.new_person(tenant, ref, datetime.now(UTC)))
            uow.commit()
    store.close()


def _roots(folder: Path) -> tuple[dict[bytes, Secret], list[int]]:
    """Everyone's root, unwrapped, and the epochs that are alive. No server may run."""
    store = open_store(f"sqlite:///{folder / 'tacit.db'}")
    provider = KeyFile.open(folder / "tacit.key")
    with store.read() as uow:
        people = uow.people_after(None, 1_000_000)
    store.close()
    roots = {
        p.subject.value: provider.unwrap(
            p.wrapped_key, root_aad(p.tenant, p.ref, p.subject, p.key_version)
        )
        for p in people
    }
    return roots, list(provider.epochs())


def _start_callers(server: ServerProcess, count: int) -> list[Caller]:
    callers = [Caller(server, f"caller{number}") for number in range(count)]
    with Actor(server) as actor:
        for caller in callers:
            actor.grant(caller.person)
    for caller in callers:
        caller.start()
    return callers


def _finish(actor: Actor, request: str) -> int:
    """Waits until it is done; returns how many keys moved."""
    end = time.monotonic() + FINISH_SECONDS
    while True:
        state = actor.rotate(request)
        if state.HasField("complete_time"):
            return state.done_count
        assert time.monotonic() < end, f"{state.done_count} of {state.total_count}"
        time.sleep(0.1)


def _refusals(server: ServerProcess) -> list[str]:
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line[:1] == "{"]
    calls = [line for line in lines if line["event"] == "call"]
    assert calls
    return [f"{c['method']} {c['status']} {c['reason']}" for c in calls if c["status"] != "OK"]


@pytest.mark.timeout(3600)
def test_no_call_fails_and_no_memory_is_lost_while_keys_rotate(
    tmp_path: Path, launch: Launch, stress: bool
) -> None:
    folder = tmp_path / "data"
    people = PEOPLE_IN_STRESS if stress else PEOPLE
    _populate(folder, people)
    before, _ = _roots(folder)
    server = launch(folder)
    callers = _start_callers(server, CALLERS_IN_STRESS if stress else CALLERS)
    with Actor(server) as actor:
        began = time.monotonic()
        moved = _finish(actor, "one")
        took = time.monotonic() - began
        for caller in callers:
            caller.stopping.set()
        for caller in callers:
            caller.join()
        assert [caller.failure for caller in callers] == [None] * len(callers)
        assert _refusals(server) == []
        for caller in callers:
            kept = {memory.name for memory in actor.list(caller.person)}
            assert set(caller.acknowledged) <= kept
    calls = 2 * sum(len(caller.acknowledged) for caller in callers)
    print(f"\n{moved} keys rotated in {took:.1f} s; {calls} calls meanwhile, none failed")
    assert server.stop() == 0
    after, alive = _roots(folder)
    assert {subject: after[subject] for subject in before} == before
    assert (moved, alive) == (people + len(callers) + 1, [2])


@pytest.mark.timeout(3600)
def test_a_rotation_killed_again_and_again_loses_no_key_and_no_memory(
    tmp_path: Path, launch: Launch, stress: bool
) -> None:
    folder = tmp_path / "data"
    _populate(folder, PEOPLE_IN_STRESS if stress else PEOPLE)
    before, _ = _roots(folder)
    acknowledged: dict[str, list[str]] = {}
    chance = random.Random(7)
    # Some turns are short, so that many fall into the moving of keys; some long enough to reach
    # the verification and the end.
    longest = (8.0, 60.0) if stress else (0.6,)
    rotations, resumed, began = 0, 0, time.monotonic()
    for turn in range(KILLS_IN_STRESS if stress else KILLS):
        server = launch(folder)
        with Actor(server) as actor:
            if actor.status().HasField("rotation"):
                resumed += 1
            else:
                rotations += 1
                actor.rotate(f"rotation {rotations}")
        callers = _start_callers(server, CALLERS_IN_STRESS if stress else CALLERS)
        time.sleep(chance.uniform(0, longest[turn % len(longest)]))
        server.kill()
        for caller in callers:
            caller.join()
            acknowledged.setdefault(caller.person, []).extend(caller.acknowledged)
    server = launch(folder)
    with Actor(server) as actor:
        _finish(actor, f"rotation {rotations}")
        for person, names in acknowledged.items():
            kept = {memory.name for memory in actor.list(person)}
            assert set(names) <= kept
    assert server.stop() == 0
    after, alive = _roots(folder)
    assert {subject: after[subject] for subject in before} == before
    assert alive == [rotations + 1]
    print(
        f"\n{rotations} rotations of {len(after)} keys over "
        f"{KILLS_IN_STRESS if stress else KILLS} kills, {resumed} of them in the middle of one, "
        f"in {time.monotonic() - began:.0f} s; "
        f"{sum(map(len, acknowledged.values()))} acknowledged memories, all there"
    )
