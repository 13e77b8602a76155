"""Every rpc that the server tells of by reflection, called by everyone who must not get through.

Jane of tenant acme has one memory. Another tenant, another person and callers without token or
scope go through all calls with her names filled in wherever a request has room for them. None
learns a word of it, and at the end it is there, unchanged.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from memory.v1 import memory_service_pb2 as pb
from memory.v1.core_pb2 import AccessContext, Memory
from memory.v1.subject_rights_service_pb2 import LiftRestrictionRequest
from server.policy import POLICIES
from tests.e2e.wire.requests import Names, all_rpcs, call, reason

WHY = AccessContext(purpose="purposes/assistance")
SECRET = "I keep bees behind the old mill"
NO_PERSON = ("ListPurposes", "ListErasures", "GetErasureCertificate", "GetCheckpoint",
             "GetInclusionProof", "GetConsistencyProof", "RotateKeys", "GetStatus",
             "ListTenants", "RebuildIndex", "PlaceLegalHold", "ReleaseLegalHold",
             "InvalidateConsents", "ListDataSubjectRequests",
             "ExtendDataSubjectRequest", "CloseDataSubjectRequest", "GetReport")  # fmt: skip
"""Calls whose request names no person, or which only an operator may make."""


@pytest.fixture
def jane(server: Any) -> Iterator[Names]:
    name = f"jane-{uuid.uuid4().hex[:8]}"
    helper = server.client()
    consent = helper.grant(name).name
    memory = helper.memory.StoreMemory(
        pb.StoreMemoryRequest(parent=f"people/{name}", access=WHY, memory=Memory(text=SECRET))
    ).memory
    yield Names(name, memory.name, consent)
    kept = helper.memory.GetMemory(pb.GetMemoryRequest(name=memory.name, access=WHY))
    assert kept == memory
    listed = helper.memory.ListMemories(pb.ListMemoriesRequest(parent=f"people/{name}", access=WHY))
    assert list(listed.memories) == [memory]


@pytest.fixture(scope="module")
def rpcs(server: Any) -> list[MethodDescriptor]:
    return all_rpcs(server)


def _walk(
    channel: grpc.Channel,
    rpcs: list[MethodDescriptor],
    fill: Callable[[MethodDescriptor], Message],
) -> dict[str, str]:
    """By rpc: the reason of the refusal, or "" for an answer, which never holds the secret."""
    outcome = {}
    for method in rpcs:
        try:
            told = call(channel, method, fill(method).SerializeToString())
            outcome[method.name] = ""
        except grpc.RpcError as error:
            told = repr(error).encode()
            outcome[method.name] = reason(error)
        assert b"bees" not in told, method.name
    return outcome


def test_reflection_tells_of_every_rpc(rpcs: list[MethodDescriptor]) -> None:
    assert {f"{m.containing_service.full_name}/{m.name}" for m in rpcs} == set(POLICIES)


def test_her_own_assistant_does_get_it(server: Any, jane: Names) -> None:
    # So that the tests below fail if the requests were refused for another reason.
    helper = server.client()
    got = helper.memory.GetMemory(pb.GetMemoryRequest(name=jane.memory, access=WHY))
    assert got.text == SECRET


def test_another_tenant_gets_nothing_and_changes_nothing(
    server: Any, jane: Names, rpcs: list[MethodDescriptor]
) -> None:
    stranger = server.client(tenant="rival")
    outcome = _walk(stranger.channel, rpcs, jane.fill)
    # They may know a person of the same name: grants and erasures are their own.
    assert outcome["GrantConsent"] == ""
    assert outcome["ForgetUser"] == ""
    for name in ("StoreMemory", "RecallMemories", "GetMemory", "ListMemories", "UpdateMemory"):
        assert outcome[name] in ("CONSENT_MISSING", "RESOURCE_NOT_FOUND", ""), (name, outcome[name])
    stranger.grant(jane.id)
    theirs = server.client(tenant="rival", person=jane.id)  # the walk restricted her there
    theirs.rights.LiftRestriction(LiftRestrictionRequest(name=f"people/{jane.id}"))
    ending = ("ForgetUser", "RefuseConsent", "WithdrawConsent")
    reading = [m for m in rpcs if m.name not in ending]
    again = _walk(stranger.channel, reading, jane.fill)
    for name in ("GetMemory", "UpdateMemory", "DeleteMemory"):
        assert again[name] == "RESOURCE_NOT_FOUND"


def test_another_person_is_told_whose_it_is_not(
    server: Any, jane: Names, rpcs: list[MethodDescriptor]
) -> None:
    john = server.client(person="john")
    outcome = _walk(john.channel, rpcs, jane.fill)
    for name, why in outcome.items():
        if name in NO_PERSON:
            told = ("", "NOT_IMPLEMENTED", "CALLER_NOT_ALLOWED", "INVALID_FIELD",
                    "RESOURCE_NOT_FOUND")  # fmt: skip
            assert why in told, (name, why)
        else:
            assert why in ("PERSON_MISMATCH", "NOT_IMPLEMENTED"), (name, why)


def test_without_a_token_nothing_is_answered(
    server: Any, jane: Names, rpcs: list[MethodDescriptor]
) -> None:
    assert set(_walk(server.channel, rpcs, jane.fill).values()) == {"TOKEN_INVALID"}


def test_without_scopes_nothing_of_hers_is_answered(
    server: Any, jane: Names, rpcs: list[MethodDescriptor]
) -> None:
    bare = server.client(scopes=("none",))
    outcome = _walk(bare.channel, rpcs, jane.fill)
    for name, why in outcome.items():
        if name in ("GetCheckpoint", "GetInclusionProof", "GetConsistencyProof"):
            assert why in ("", "INVALID_FIELD"), (name, why)
        else:
            assert why in ("SCOPE_MISSING", "CALLER_NOT_ALLOWED"), (name, why)


def test_an_operator_gets_figures_and_no_memories(
    server: Any, jane: Names, rpcs: list[MethodDescriptor]
) -> None:
    operator = server.client(scopes=("operator", "memory.read", "memory.write", "memory.reveal"))
    outcome = _walk(operator.channel, rpcs, jane.fill)
    answered = {name for name, why in outcome.items() if why == ""}
    assert answered == {
        "GetStatus", "ListTenants", "GetCheckpoint", "RebuildIndex", "ReleaseLegalHold",
        "ListDataSubjectRequests",
    }  # fmt: skip


@given(st.binary(max_size=200))
def test_any_bytes_are_answered_or_refused_for_a_reason(
    server: Any, rpcs: list[MethodDescriptor], raw: bytes
) -> None:
    callers = [server.client(person="nobody"), server.client(scopes=("operator",))]
    for caller in callers:
        for method in rpcs:
            try:
                call(caller.channel, method, raw)
            except grpc.RpcError as error:
                why = reason(error)
            else:
                why = ""
            assert why != "INTERNAL", method.full_name
