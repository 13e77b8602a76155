"""`kill -9` while assistants read: what was answered is in the log, and the log only grew."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import grpc
import pytest

from memory.core.ledger import Checkpoint
from memory.core.ledger_proof import Consistency
from memory.core.signing import Verifier
from memory.v1 import ledger_service_pb2 as pb
from memory.v1.subject_rights_service_pb2 import AccessEvent, ListAccessEventsRequest
from server.demo.process import ServerProcess
from tests.e2e.actor import Actor
from tests.e2e.conftest import Launch

PERSON = "amara"
READERS = 3
ROUNDS, ROUNDS_IN_STRESS = 2, 20


class Reader(threading.Thread):
    """Recalls without pause until the server dies; counts what was answered."""

    def __init__(self, server: ServerProcess) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.answered = 0

    def run(self) -> None:
        with Actor(self.server) as actor:
            while True:
                try:
                    actor.recall(PERSON, "bees", limit=1)
                except grpc.RpcError:
                    return
                self.answered += 1


@pytest.mark.timeout(1800)
def test_what_was_answered_is_in_the_log_whenever_the_server_dies(
    tmp_path: Path, launch: Launch, stress: bool
) -> None:
    server = launch(tmp_path / "data")
    with Actor(server) as actor:
        actor.grant(PERSON)
        actor.store(PERSON, ["My sister keeps bees."])
        kept = _checkpoint(actor)
    answered = 0
    for number in range(1, (ROUNDS_IN_STRESS if stress else ROUNDS) + 1):
        readers = [Reader(server) for _ in range(READERS)]
        for reader in readers:
            reader.start()
        time.sleep(random.uniform(0.3, 1.5))
        server.kill()
        for reader in readers:
            reader.join(60)
        answered += sum(reader.answered for reader in readers)
        server.start()  # which checks the ledger
        with Actor(server) as actor:
            events = _events(actor)
            reads = [event for event in events if event.action == AccessEvent.ACTION_READ]
            assert answered <= len(reads) <= answered + number * READERS
            for event in events:
                _prove(actor, event)
            kept = _grown(actor, kept)
    assert answered > 0


def _events(actor: Actor) -> list[AccessEvent]:
    request = ListAccessEventsRequest(parent=f"people/{PERSON}", page_size=100)
    found: list[AccessEvent] = []
    while True:
        page = actor._session.call(actor._session.rights.ListAccessEvents, request)
        found += page.access_events
        request.page_token = page.next_page_token
        if not request.page_token:
            return found


def _prove(actor: Actor, event: AccessEvent) -> None:
    request = pb.GetInclusionProofRequest(leaf_hash=event.leaf_hash)
    actor._session.call(actor._session.ledger.GetInclusionProof, request)


def _checkpoint(actor: Actor) -> pb.Checkpoint:
    return actor._session.call(actor._session.ledger.GetCheckpoint, pb.GetCheckpointRequest())


def _grown(actor: Actor, old: pb.Checkpoint) -> pb.Checkpoint:
    """The newest checkpoint, whose log begins with the old one's."""
    new = _checkpoint(actor)
    verifier = Verifier.parse(new.verifier_key)
    assert Checkpoint.read(new.signed_note, verifier).size == new.tree_size
    if old.tree_size:
        request = pb.GetConsistencyProofRequest(
            first_tree_size=old.tree_size, second_tree_size=new.tree_size
        )
        proof = actor._session.call(actor._session.ledger.GetConsistencyProof, request)
        Consistency(old.signed_note, new.signed_note, tuple(proof.hashes)).verify(verifier)
    return new
