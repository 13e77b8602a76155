"""Over the wire: facts beside a message, what was replaced, the profile, and a hand-over."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from memory.v1 import memory_service_pb2 as pb
from memory.v1.core_pb2 import AccessContext, Memory, MemoryFilter
from memory.v1.subject_rights_service_pb2 import RestrictProcessingRequest
from tests.e2e.wire.requests import reason

WHY = AccessContext(purpose="purposes/assistance")


@pytest.fixture
def person() -> str:
    return f"jane-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def helper(server: Any, person: str) -> Any:
    client = server.client()
    client.grant(person)
    return client


def _time(day: int) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(datetime(2024, 5, day, tzinfo=UTC))
    return stamp


def _store(helper: Any, person: str, text: str, day: int, **how: Any) -> pb.StoreMemoryResponse:
    extract = how.pop("extract", False)
    memory = Memory(text=text, speaker="Amara", event_time=_time(day), **how)
    request = pb.StoreMemoryRequest(
        parent=f"people/{person}", access=WHY, memory=memory, extract=extract
    )
    return helper.memory.StoreMemory(request)  # type: ignore[no-any-return]


def _recalled(helper: Any, person: str, query: str) -> dict[str, Memory]:
    request = pb.RecallMemoriesRequest(parent=f"people/{person}", access=WHY, query=query)
    return {hit.memory.name: hit.memory for hit in helper.memory.RecallMemories(request).hits}


def _profile(helper: Any, person: str) -> list[pb.ProfileEntry]:
    request = pb.GetProfileRequest(parent=f"people/{person}", access=WHY)
    return list(helper.memory.GetProfile(request).entries)


def test_what_was_replaced_says_by_what_and_since_when(helper: Any, person: str) -> None:
    old = _store(helper, person, "I live in Leeds.", 1).memory
    new = _store(helper, person, "We moved to Bristol.", 3).memory
    found = _recalled(helper, person, "where does Amara live?")
    assert found[old.name].superseded_by == new.name
    assert found[old.name].valid_until_time == _time(3)
    assert found[new.name].superseded_by == ""
    assert not found[new.name].HasField("valid_until_time")


def test_a_backend_says_what_it_replaces_and_until_when(helper: Any, person: str) -> None:
    old = _store(helper, person, "Tea at four.", 1).memory
    new = _store(
        helper, person, "Cake at five.", 2, supersedes=[old.name], valid_until_time=_time(9)
    ).memory
    assert list(new.supersedes) == [old.name]
    found = _recalled(helper, person, "tea or cake?")
    assert found[old.name].superseded_by == new.name
    assert found[new.name].valid_until_time == _time(9)
    with pytest.raises(grpc.RpcError) as error:
        _store(helper, person, "Hi.", 2, supersedes=[old.name[:-32] + "0" * 32])
    assert reason(error.value) == "INVALID_FIELD"


def test_facts_come_back_with_the_message_and_are_in_the_profile(helper: Any, person: str) -> None:
    stored = _store(helper, person, "I live in Leeds, and I can't stand olives.", 1, extract=True)
    assert [(one.text, one.kind) for one in stored.derived] == [
        ("I live in Leeds", Memory.KIND_FACT),
        ("I can't stand olives", Memory.KIND_PREFERENCE),
    ]
    assert list(stored.derived[0].sources) == [stored.memory.name]
    with pytest.raises(grpc.RpcError) as error:
        _profile(helper, person)
    assert reason(error.value) == "CONSENT_MISSING"
    helper.grant(person, "profile")
    home, olives = _profile(helper, person)
    assert (home.slot, home.kind, home.text) == ("home", Memory.KIND_FACT, "I live in Leeds")
    assert (home.subject, home.denied) == ("person_1", False)
    assert list(home.evidence) == [stored.memory.name, stored.derived[0].name]
    assert (home.first_time, home.last_time) == (_time(1), _time(1))
    assert (olives.slot, olives.kind, olives.denied) == ("likes", Memory.KIND_PREFERENCE, True)
    assert home.confidence == 0.6


def _brief(helper: Any, person: str, **how: Any) -> pb.BuildHandoverResponse:
    request = pb.BuildHandoverRequest(parent=f"people/{person}", access=WHY, **how)
    return helper.memory.BuildHandover(request)  # type: ignore[no-any-return]


def _refusal(helper: Any, person: str, **how: Any) -> str:
    with pytest.raises(grpc.RpcError) as error:
        _brief(helper, person, **how)
    return reason(error.value)


def test_a_colleague_is_briefed_by_consent_and_with_names_by_right(
    server: Any, helper: Any, person: str
) -> None:
    asked = _store(helper, person, "When does Priya Raman call back?", 2, session="desk").memory
    home = _store(helper, person, "I live in Leeds.", 1, session="else").memory
    assert _refusal(helper, person) == "CONSENT_MISSING"
    helper.grant(person, "handover")
    brief = _brief(helper, person)
    assert brief.text.splitlines() == [
        "Open",
        "[1] 2 May 2024, asked: person_1: When does person_2 call back?",
        "",
        "What holds",
        "[2] 1 May 2024: person_1: I live in Leeds.",
    ]
    assert [(one.mark, one.memory) for one in brief.citations] == [
        ("[1]", asked.name),
        ("[2]", home.name),
    ]
    assert 0 < brief.token_count <= 1_000
    assert _refusal(helper, person, reveal=True) == "CONSENT_MISSING"
    helper.grant(person, "reveal")
    assert "Amara: When does Priya Raman call back?" in _brief(helper, person, reveal=True).text
    without = server.client(scopes=("memory.read",))
    assert _refusal(without, person, reveal=True) == "SCOPE_MISSING"
    assert "asked" not in _brief(helper, person, filter=MemoryFilter(sessions=["else"])).text
    assert _brief(helper, person, max_tokens=3).text == ""
    assert _refusal(helper, person, max_tokens=-1) == "INVALID_FIELD"


def test_what_is_restricted_or_erased_is_in_no_brief(helper: Any, person: str) -> None:
    home = _store(helper, person, "I live in Leeds.", 1).memory
    helper.grant(person, "handover")
    assert "Leeds" in _brief(helper, person).text
    helper.memory.DeleteMemory(pb.DeleteMemoryRequest(name=home.name))
    assert _brief(helper, person).text == ""
    helper.rights.RestrictProcessing(RestrictProcessingRequest(name=f"people/{person}"))
    assert _refusal(helper, person) == "PROCESSING_RESTRICTED"
