"""`kill -9` while an assistant stores: what was acknowledged is there, once, and is recalled."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import grpc
import pytest

from server.demo.process import ServerProcess
from tests.e2e.actor import Actor
from tests.e2e.conftest import Launch

PERSON = "amara"
BATCH = 4
ROUNDS, ROUNDS_IN_STRESS = 3, 20

_WHO = ("my aunt", "the plumber", "our teacher", "a stranger", "the baker", "his captain")
_DID = ("painted", "sold", "repaired", "lost", "borrowed", "described", "hid", "weighed")
_WHAT = ("a violin", "the lighthouse", "some honey", "an old map", "the kayak", "three lamps")
_WHEN = ("at dawn", "in the rain", "before the match", "on the ferry", "during lunch")


def _text(number: int) -> str:
    """A sentence of its own for each number, with words that a search can tell apart."""
    words = random.Random(number)
    parts = [words.choice(choice) for choice in (_WHO, _DID, _WHAT, _WHEN)]
    return f"{' '.join(parts)}, entry {number}"


class Assistant(threading.Thread):
    """Stores without pause until the server dies; remembers what was acknowledged."""

    def __init__(self, server: ServerProcess, start: int) -> None:
        super().__init__(daemon=True)
        self.server, self.next = server, start
        self.acknowledged: dict[str, str] = {}

    def run(self) -> None:
        with Actor(self.server) as actor:
            while True:
                ids = [str(number) for number in range(self.next, self.next + BATCH)]
                try:
                    stored = actor.store(PERSON, [_text(int(i)) for i in ids], ids)
                except grpc.RpcError:
                    return
                self.acknowledged.update(
                    {i: memory.name for i, memory in zip(ids, stored, strict=True)}
                )
                self.next += BATCH


@pytest.mark.timeout(1800)
def test_what_was_acknowledged_survives_kill_9_exactly_once(
    tmp_path: Path, launch: Launch, stress: bool
) -> None:
    server = launch(tmp_path / "data")
    with Actor(server) as actor:
        actor.grant(PERSON)
    acknowledged: dict[str, str] = {}
    following = 0
    rounds = ROUNDS_IN_STRESS if stress else ROUNDS
    for _ in range(rounds):
        assistant = Assistant(server, following)
        assistant.start()
        time.sleep(random.uniform(0.05, 1.2))
        server.kill()
        assistant.join(60)
        assert not assistant.is_alive()
        acknowledged |= assistant.acknowledged
        server.start()
        with Actor(server) as actor:
            # The batch whose answer got lost is sent again, as a client would.
            ids = [str(n) for n in range(assistant.next, assistant.next + BATCH)]
            for i, memory in zip(
                ids, actor.store(PERSON, [_text(int(i)) for i in ids], ids), strict=True
            ):
                acknowledged[i] = memory.name
            following = assistant.next + BATCH
            _check(actor, acknowledged)
    assert len(acknowledged) == following >= rounds * BATCH


def _check(actor: Actor, acknowledged: dict[str, str]) -> None:
    listed = actor.list(PERSON)
    assert {memory.labels["id"]: memory.name for memory in listed} == acknowledged
    assert len(listed) == len(acknowledged)
    assert all(memory.text == _text(int(memory.labels["id"])) for memory in listed)
    sample = random.sample(sorted(acknowledged), min(40, len(acknowledged)))
    for number in sample:
        found = [memory.name for memory in actor.recall(PERSON, _text(int(number)))]
        assert found.count(acknowledged[number]) == 1, number
