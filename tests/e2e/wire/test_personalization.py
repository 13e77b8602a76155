"""Over the wire: a recall is rated, what that came to is shown, and taken back."""

from __future__ import annotations

import uuid
from typing import Any

import grpc
import pytest

from memory.v1 import memory_service_pb2 as pb
from memory.v1.core_pb2 import AccessContext, Memory
from memory.v1.subject_rights_service_pb2 import AccessEvent, ListAccessEventsRequest
from tests.e2e.wire.requests import reason

WHY = AccessContext(purpose="purposes/assistance")
QUERIES = ("figs and good bread", "my son plays chess", "food for a hedgehog")
SAID = (
    "My cello teacher likes figs and good bread.",
    "The teacher of my son plays chess.",
    "Which food is good for a hedgehog?",
    "It rained on Monday.",
)


@pytest.fixture
def person() -> str:
    return f"jane-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def helper(server: Any, person: str) -> Any:
    client = server.client()
    client.grant(person)
    for text in SAID:
        client.memory.StoreMemory(
            pb.StoreMemoryRequest(parent=f"people/{person}", access=WHY, memory=Memory(text=text))
        )
    return client


def _recalled(client: Any, person: str, query: str = QUERIES[0]) -> pb.RecallMemoriesResponse:
    request = pb.RecallMemoriesRequest(parent=f"people/{person}", access=WHY, query=query)
    return client.memory.RecallMemories(request)  # type: ignore[no-any-return]


def _rate(client: Any, name: str, rating: str, token: str = "") -> bool:
    number = pb.RateMemoryRequest.Rating.Value(f"RATING_{rating}")
    request = pb.RateMemoryRequest(name=name, access=WHY, rating=number, recall_token=token)
    return bool(client.memory.RateMemory(request).learned)


def _shown(client: Any, person: str) -> pb.GetPersonalizationResponse:
    request = pb.GetPersonalizationRequest(parent=f"people/{person}", access=WHY)
    return client.memory.GetPersonalization(request)  # type: ignore[no-any-return]


def _refused(call: Any, *arguments: Any) -> str:
    with pytest.raises(grpc.RpcError) as error:
        call(*arguments)
    return reason(error.value)


def test_ratings_are_learnt_shown_and_taken_back(helper: Any, person: str) -> None:
    assert _recalled(helper, person).recall_token == ""
    helper.grant(person, "tuning")
    before = _recalled(helper, person)
    assert before.recall_token
    for query in QUERIES:
        found = _recalled(helper, person, query)
        assert _rate(helper, found.hits[0].memory.name, "USEFUL", found.recall_token)
    context = helper.memory.BuildContext(
        pb.BuildContextRequest(parent=f"people/{person}", access=WHY, query="what of Monday?")
    )
    assert _rate(helper, context.citations[-1].memory, "USEFUL", context.recall_token)
    shown = _shown(helper, person)
    assert (shown.useful_count, shown.not_useful_count, shown.wrong_count) == (4, 0, 0)
    assert shown.learned_count == 4
    assert any(one.weight != one.default_weight for one in shown.weights)
    for one in shown.weights:
        assert 0.5 * one.default_weight <= one.weight <= 2 * one.default_weight
    after = _recalled(helper, person)
    assert [hit.score for hit in after.hits] != [hit.score for hit in before.hits]
    reset = pb.ResetPersonalizationRequest(parent=f"people/{person}")
    assert helper.memory.ResetPersonalization(reset).rating_count == 4
    again = _recalled(helper, person)
    assert [hit.score for hit in again.hits] == [hit.score for hit in before.hits]
    events = helper.rights.ListAccessEvents(
        ListAccessEventsRequest(parent=f"people/{person}", actions=[AccessEvent.ACTION_RATE])
    ).access_events
    assert len(events) == 5
    assert {event.assistant for event in events} == {"helper"}


def test_what_is_wrong_says_so_and_ranks_behind(helper: Any, person: str) -> None:
    first = _recalled(helper, person).hits[0]
    assert not _rate(helper, first.memory.name, "WRONG")
    last = _recalled(helper, person).hits[-1]
    assert last.memory.name == first.memory.name
    assert {part.name: part.points for part in last.parts}["doubted"] == -2.0
    assert sum(part.points for part in last.parts) == pytest.approx(last.score)
    helper.grant(person, "tuning")
    assert list(_shown(helper, person).doubted) == [first.memory.name]


def test_what_may_not_be_is_refused_with_its_reason(server: Any, helper: Any, person: str) -> None:
    found = _recalled(helper, person)
    name = found.hits[0].memory.name
    assert _refused(_rate, helper, name, "USEFUL") == "CONSENT_MISSING"
    assert _refused(_rate, helper, name, "UNSPECIFIED") == "INVALID_FIELD"
    assert _refused(_shown, helper, person) == "CONSENT_MISSING"
    helper.grant(person, "tuning")
    assert _refused(_rate, helper, name, "USEFUL", "x") == "INVALID_FIELD"
    missing = f"people/{person}/memories/{'0' * 32}"
    assert _refused(_rate, helper, missing, "WRONG") == "RESOURCE_NOT_FOUND"
    other = server.client(tenant="rival")
    assert _refused(_rate, other, name, "WRONG") == "CONSENT_MISSING"
    own = server.client(person=person)
    assert _refused(_shown, own, "john") == "PERSON_MISMATCH"
