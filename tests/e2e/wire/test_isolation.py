"""Every rpc that the server tells of by reflection, called by everyone who must not get through.

Jane of tenant acme has one memory. Another tenant, another person and callers without token or
scope go through all calls with her names filled in wherever a request has room for them. None
learns a word of it, and at the end it is there, unchanged.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status
from hypothesis import given
from hypothesis import strategies as st

from memory.v1 import memory_service_pb2 as pb
from memory.v1.core_pb2 import AccessContext, Memory
from server.policy import OPEN_SERVICES, POLICIES

WHY = AccessContext(purpose="purposes/assistance")
SECRET = "I keep bees behind the old mill"
NO_PERSON = ("ListPurposes", "GetErasureCertificate", "GetCheckpoint", "GetInclusionProof",
             "GetConsistencyProof", "RotateKeys", "GetStatus", "RebuildIndex")  # fmt: skip
"""Calls whose request names no person, or which only an operator may make."""


@dataclass(frozen=True)
class Jane:
    """The one who is attacked."""

    id: str
    memory: Memory
    consent: str

    def fill(self, method: MethodDescriptor) -> Message:
        """A request in which every name is one of hers."""
        request = GetMessageClass(method.input_type)()
        self._fill(request, method.name)
        return request

    def _fill(self, message: Message, call: str) -> None:
        for field in message.DESCRIPTOR.fields:
            if field.is_repeated or field.message_type is not None:
                if field.name in ("access", "memory"):
                    self._fill(getattr(message, field.name), call)
            elif field.type == FieldDescriptor.TYPE_STRING:
                setattr(message, field.name, self._value(field.name, call))

    def _value(self, field: str, call: str) -> str:
        if field == "name":
            if "Certificate" in call:
                return "erasures/" + "0" * 32 + "/certificate"
            if "Consent" in call:
                return self.consent + ("/receipt" if "Receipt" in call else "")
            return self.memory.name if call.endswith("Memory") else f"people/{self.id}"
        known = {
            "parent": f"people/{self.id}",
            "purpose": "purposes/assistance",
            "query": "what is behind the mill",
            "text": "overwritten",
        }
        return known.get(field, "")


@pytest.fixture
def jane(server: Any) -> Iterator[Jane]:
    name = f"jane-{uuid.uuid4().hex[:8]}"
    helper = server.client()
    consent = helper.grant(name).name
    memory = helper.memory.StoreMemory(
        pb.StoreMemoryRequest(parent=f"people/{name}", access=WHY, memory=Memory(text=SECRET))
    ).memory
    yield Jane(name, memory, consent)
    kept = helper.memory.GetMemory(pb.GetMemoryRequest(name=memory.name, access=WHY))
    assert kept == memory
    listed = helper.memory.ListMemories(pb.ListMemoriesRequest(parent=f"people/{name}", access=WHY))
    assert list(listed.memories) == [memory]


@pytest.fixture(scope="module")
def rpcs(server: Any) -> list[MethodDescriptor]:
    """Every rpc that needs a token, as reflection tells."""
    database = ProtoReflectionDescriptorDatabase(server.channel)
    pool = DescriptorPool(database)
    services = set(database.get_services()) - OPEN_SERVICES
    return [m for name in sorted(services) for m in pool.FindServiceByName(name).methods]


def _call(channel: grpc.Channel, method: MethodDescriptor, request: Message) -> bytes:
    """The response, or the responses together."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    raw = request.SerializeToString()
    if method.client_streaming:
        return bytes(channel.stream_unary(path)(iter([raw])))
    if method.server_streaming:
        return b"".join(channel.unary_stream(path)(raw))
    return bytes(channel.unary_unary(path)(raw))


def _reason(error: grpc.RpcError) -> str:
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None, error
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return str(info.reason)


def _walk(
    channel: grpc.Channel,
    rpcs: list[MethodDescriptor],
    fill: Callable[[MethodDescriptor], Message],
) -> dict[str, str]:
    """By rpc: the reason of the refusal, or "" for an answer, which never holds the secret."""
    outcome = {}
    for method in rpcs:
        try:
            told = _call(channel, method, fill(method))
            outcome[method.name] = ""
        except grpc.RpcError as error:
            told = repr(error).encode()
            outcome[method.name] = _reason(error)
        assert b"bees" not in told, method.name
    return outcome


def test_reflection_tells_of_every_rpc(rpcs: list[MethodDescriptor]) -> None:
    assert {f"{m.containing_service.full_name}/{m.name}" for m in rpcs} == set(POLICIES)


def test_her_own_assistant_does_get_it(server: Any, jane: Jane) -> None:
    # So that the tests below fail if the requests were refused for another reason.
    helper = server.client()
    got = helper.memory.GetMemory(pb.GetMemoryRequest(name=jane.memory.name, access=WHY))
    assert got.text == SECRET


def test_another_tenant_gets_nothing_and_changes_nothing(
    server: Any, jane: Jane, rpcs: list[MethodDescriptor]
) -> None:
    stranger = server.client(tenant="rival")
    outcome = _walk(stranger.channel, rpcs, jane.fill)
    # They may know a person of the same name: grants and erasures are their own.
    assert outcome["GrantConsent"] == ""
    assert outcome["ForgetUser"] == ""
    for name in ("StoreMemory", "RecallMemories", "GetMemory", "ListMemories", "UpdateMemory"):
        assert outcome[name] in ("CONSENT_MISSING", "RESOURCE_NOT_FOUND", ""), (name, outcome[name])
    stranger.grant(jane.id)
    reading = [m for m in rpcs if m.name not in ("ForgetUser", "WithdrawConsent")]
    again = _walk(stranger.channel, reading, jane.fill)
    for name in ("GetMemory", "UpdateMemory", "DeleteMemory"):
        assert again[name] == "RESOURCE_NOT_FOUND"


def test_another_person_is_told_whose_it_is_not(
    server: Any, jane: Jane, rpcs: list[MethodDescriptor]
) -> None:
    john = server.client(person="john")
    outcome = _walk(john.channel, rpcs, jane.fill)
    for name, reason in outcome.items():
        if name in NO_PERSON:
            assert reason in ("", "NOT_IMPLEMENTED", "CALLER_NOT_ALLOWED"), (name, reason)
        else:
            assert reason in ("PERSON_MISMATCH", "NOT_IMPLEMENTED"), (name, reason)


def test_without_a_token_nothing_is_answered(
    server: Any, jane: Jane, rpcs: list[MethodDescriptor]
) -> None:
    assert set(_walk(server.channel, rpcs, jane.fill).values()) == {"TOKEN_INVALID"}


def test_without_scopes_nothing_of_hers_is_answered(
    server: Any, jane: Jane, rpcs: list[MethodDescriptor]
) -> None:
    bare = server.client(scopes=("none",))
    outcome = _walk(bare.channel, rpcs, jane.fill)
    for name, reason in outcome.items():
        if name in ("GetCheckpoint", "GetInclusionProof", "GetConsistencyProof"):
            assert reason == "NOT_IMPLEMENTED"
        else:
            assert reason in ("SCOPE_MISSING", "CALLER_NOT_ALLOWED"), (name, reason)


def test_an_operator_gets_figures_and_no_memories(
    server: Any, jane: Jane, rpcs: list[MethodDescriptor]
) -> None:
    operator = server.client(scopes=("operator", "memory.read", "memory.write", "memory.reveal"))
    outcome = _walk(operator.channel, rpcs, jane.fill)
    assert {name for name, reason in outcome.items() if reason == ""} == {"GetStatus"}


@given(st.binary(max_size=200))
def test_any_bytes_are_answered_or_refused_for_a_reason(
    server: Any, rpcs: list[MethodDescriptor], raw: bytes
) -> None:
    callers = [server.client(person="nobody"), server.client(scopes=("operator",))]
    for caller in callers:
        for method in rpcs:
            path = f"/{method.containing_service.full_name}/{method.name}"
            try:
                if method.client_streaming:
                    caller.channel.stream_unary(path)(iter([raw]))
                elif method.server_streaming:
                    list(caller.channel.unary_stream(path)(raw))
                else:
                    caller.channel.unary_unary(path)(raw)
            except grpc.RpcError as error:
                reason = _reason(error)
            else:
                reason = ""
            assert reason != "INTERNAL", path
