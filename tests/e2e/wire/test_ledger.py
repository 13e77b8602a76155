"""The access log and its proofs over gRPC: what the person sees, and can check without us."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest

from memory.core.ledger import Checkpoint, Leaf
from memory.core.ledger_proof import Consistency, Inclusion
from memory.core.merkle import leaf_hash
from memory.core.signing import Verifier
from memory.v1 import ledger_service_pb2 as ledger_pb
from memory.v1 import memory_service_pb2 as pb
from memory.v1 import subject_rights_service_pb2 as rights_pb
from memory.v1.core_pb2 import AccessContext, Memory
from memory.v1.operator_service_pb2 import RotateKeysRequest
from memory.v1.subject_rights_service_pb2 import AccessEvent
from tests.e2e.wire.requests import reason

WHY = AccessContext(purpose="purposes/assistance")
STORE, READ, REVEAL, UPDATE, ERASE, EXPORT, CONSENT = (
    AccessEvent.ACTION_STORE,
    AccessEvent.ACTION_READ,
    AccessEvent.ACTION_REVEAL,
    AccessEvent.ACTION_UPDATE,
    AccessEvent.ACTION_ERASE,
    AccessEvent.ACTION_EXPORT,
    AccessEvent.ACTION_CONSENT,
)


@pytest.fixture
def helper(server: Any) -> Any:
    return server.client()


@pytest.fixture
def person(helper: Any) -> str:
    """Someone who consented, with two memories."""
    name = f"jane-{uuid.uuid4().hex[:8]}"
    helper.grant(name)
    for text in ("My sister Ada keeps bees.", "The cello stands in the attic."):
        request = pb.StoreMemoryRequest(
            parent=f"people/{name}", access=WHY, memory=Memory(text=text)
        )
        helper.memory.StoreMemory(request)
    return name


def events(client: Any, person: str, **fields: Any) -> list[Any]:
    """All pages."""
    request = rights_pb.ListAccessEventsRequest(parent=f"people/{person}", **fields)
    found: list[Any] = []
    while True:
        page = client.rights.ListAccessEvents(request)
        found += page.access_events
        request.page_token = page.next_page_token
        if not request.page_token:
            return found


def recall(client: Any, person: str, **fields: Any) -> Any:
    request = {"parent": f"people/{person}", "access": WHY, "query": "bees", **fields}
    return client.memory.RecallMemories(pb.RecallMemoriesRequest(**request))


def short(found: list[Any]) -> list[tuple[int, int, bool]]:
    return [(event.action, event.memory_count, event.denied) for event in found]


def test_every_call_leaves_one_event_newest_first(helper: Any, person: str) -> None:
    name = recall(helper, person, limit=1).hits[0].memory.name
    helper.memory.GetMemory(pb.GetMemoryRequest(name=name, access=WHY))
    helper.memory.ListMemories(pb.ListMemoriesRequest(parent=f"people/{person}", access=WHY))
    helper.memory.UpdateMemory(
        pb.UpdateMemoryRequest(memory=Memory(name=name, text="Bees again."), access=WHY)
    )
    list(helper.rights.ExportData(rights_pb.ExportDataRequest(name=f"people/{person}")))
    helper.memory.DeleteMemory(pb.DeleteMemoryRequest(name=name))
    helper.grant(person, "reveal")
    recall(helper, person, reveal=True)
    found = events(helper, person)
    assert short(found) == [
        (REVEAL, 1, False),
        (READ, 1, False),
        (CONSENT, 0, False),
        (ERASE, 1, False),
        (EXPORT, 2, False),
        (UPDATE, 1, False),
        (READ, 2, False),
        (READ, 1, False),
        (READ, 1, False),
        (STORE, 1, False),
        (STORE, 1, False),
        (CONSENT, 0, False),
    ]
    assert {event.assistant for event in found} == {"helper"}
    assert [e.purpose for e in found if e.action == READ] == [WHY.purpose] * 4
    assert [e.purpose for e in found if e.action in (ERASE, EXPORT)] == ["", ""]
    assert all(e.name.startswith(f"people/{person}/accessEvents/") for e in found)


def test_a_refusal_is_in_the_log_too(server: Any, helper: Any, person: str) -> None:
    stranger = server.client(assistant="stranger")
    with pytest.raises(grpc.RpcError):
        recall(stranger, person, access=AccessContext(purpose="purposes/care"))
    until = time.monotonic() + 20
    while not (denied := events(helper, person, assistant="stranger")):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert short(denied) == [(READ, 0, True)]


def test_nothing_is_written_of_someone_unknown(helper: Any) -> None:
    with pytest.raises(grpc.RpcError):
        recall(helper, "nobody at all")
    assert events(helper, "nobody at all") == []


def test_the_log_comes_in_pages_and_is_narrowed(helper: Any, person: str) -> None:
    whole = events(helper, person)
    assert len(whole) == 3
    assert events(helper, person, page_size=1) == whole
    assert short(events(helper, person, actions=[CONSENT])) == [(CONSENT, 0, False)]
    middle = whole[1].event_time
    assert events(helper, person, end_time=middle) == whole[2:]
    assert events(helper, person, start_time=middle) == whole[:2]
    assert events(helper, person, assistant="another") == []
    later = datetime.now(UTC) + timedelta(days=1)
    assert events(helper, person, start_time=later) == []
    for wrong in ({"start_time": middle, "end_time": middle}, {"actions": [99]}):
        with pytest.raises(grpc.RpcError) as refused:
            events(helper, person, **wrong)
        assert reason(refused.value) == "INVALID_FIELD"


def test_a_persons_own_token_reads_their_own_log(server: Any, person: str) -> None:
    assert len(events(server.client(person=person), "me")) == 3
    with pytest.raises(grpc.RpcError) as refused:
        events(server.client(person="another"), person)
    assert reason(refused.value) == "PERSON_MISMATCH"


def test_each_event_can_be_checked_without_the_server(helper: Any, person: str) -> None:
    recall(helper, person)
    for event in events(helper, person):  # the last one is not a second old
        assert leaf_hash(event.leaf_input) == event.leaf_hash
        get = ledger_pb.GetInclusionProofRequest(leaf_hash=event.leaf_hash)
        helper.ledger.GetInclusionProof(get)
        signed = helper.ledger.GetCheckpoint(ledger_pb.GetCheckpointRequest())
        get.tree_size = signed.tree_size
        proof = helper.ledger.GetInclusionProof(get)
        kept = Inclusion(
            Leaf(event.leaf_input), proof.leaf_index, tuple(proof.hashes), signed.signed_note
        )
        said, checkpoint = kept.verify(Verifier.parse(signed.verifier_key))
        assert (said.count, said.assistant) == (event.memory_count, event.assistant)
        assert said.at == event.event_time.ToDatetime(tzinfo=UTC)
        assert (checkpoint.size, checkpoint.root) == (signed.tree_size, signed.root_hash)


def test_the_log_only_grows(helper: Any, person: str) -> None:
    old = helper.ledger.GetCheckpoint(ledger_pb.GetCheckpointRequest())
    event = events(helper, person)[0]
    helper.ledger.GetInclusionProof(ledger_pb.GetInclusionProofRequest(leaf_hash=event.leaf_hash))
    new = helper.ledger.GetCheckpoint(ledger_pb.GetCheckpointRequest())
    if old.tree_size:
        proof = helper.ledger.GetConsistencyProof(
            ledger_pb.GetConsistencyProofRequest(
                first_tree_size=old.tree_size, second_tree_size=new.tree_size
            )
        )
        made = Consistency(old.signed_note, new.signed_note, tuple(proof.hashes))
        made.verify(Verifier.parse(new.verifier_key))
    assert Checkpoint.read(new.signed_note, Verifier.parse(new.verifier_key)).size >= 3


def test_what_is_in_no_log_is_not_found(helper: Any) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        helper.ledger.GetInclusionProof(ledger_pb.GetInclusionProofRequest(leaf_hash=bytes(32)))
    assert reason(refused.value) == "RESOURCE_NOT_FOUND"


def test_the_leaf_outlives_the_person_and_says_nothing(
    server: Any, helper: Any, person: str
) -> None:
    kept = events(helper, person)[0]
    helper.rights.ForgetUser(rights_pb.ForgetUserRequest(name=f"people/{person}"))
    assert events(helper, person) == []
    get = ledger_pb.GetInclusionProofRequest(leaf_hash=kept.leaf_hash)
    assert helper.ledger.GetInclusionProof(get).tree_size > 0
    helper.grant(person)  # the same person again has other salts
    assert [e.leaf_input[1:33] for e in events(helper, person)] != [kept.leaf_input[1:33]]
    with server.tacit.proofs.store.read() as unit:
        did = {event.action.value for event in unit.operator_events(10)}
    assert "forget" in did


def test_a_new_key_changes_no_leaf(server: Any, helper: Any, person: str) -> None:
    before = [event.leaf_hash for event in events(helper, person)]
    operator = server.client(scopes=("operator",))
    operator.operator.RotateKeys(
        RotateKeysRequest(parent=f"people/{person}", request_id=str(uuid.uuid4()))
    )
    assert [event.leaf_hash for event in events(helper, person)] == before
