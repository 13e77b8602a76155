"""RotateKeys and GetStatus over the wire; `tacit keys` has its own test."""

from __future__ import annotations

import time
import uuid
from typing import Any

import grpc
import pytest

from memory.v1 import memory_service_pb2 as pb
from memory.v1.core_pb2 import AccessContext, Memory
from memory.v1.operator_service_pb2 import (
    GetStatusRequest,
    RotateKeysRequest,
    RotateKeysResponse,
)
from server.policy import OPERATE

WHY = AccessContext(purpose="purposes/assistance")


def _rotated(operator: Any, request: RotateKeysRequest) -> RotateKeysResponse:
    end = time.monotonic() + 60
    while True:
        state: RotateKeysResponse = operator.operator.RotateKeys(request)
        if state.HasField("complete_time"):
            return state
        assert time.monotonic() < end
        time.sleep(0.05)


def test_an_operator_rotates_and_sees_how_far_it_is(server: Any) -> None:
    helper, operator = server.client(), server.client(scopes=(OPERATE,))
    person = f"jane-{uuid.uuid4().hex[:8]}"
    helper.grant(person)
    stored = helper.memory.StoreMemory(
        pb.StoreMemoryRequest(parent=f"people/{person}", access=WHY, memory=Memory(text="tea"))
    ).memory
    before = operator.operator.GetStatus(GetStatusRequest())
    request = RotateKeysRequest(request_id=str(uuid.uuid4()))
    state = _rotated(operator, request)
    assert int(state.key_epoch) == int(before.key_epoch) + 1
    assert state.done_count == state.total_count > 1
    assert operator.operator.RotateKeys(request) == state
    after = operator.operator.GetStatus(GetStatusRequest())
    assert after.key_epoch == state.key_epoch
    alive = [e for e in after.key_epochs if not e.HasField("destroy_time")]
    assert [(e.key_epoch, e.key_count) for e in alive] == [(after.key_epoch, state.total_count)]
    assert not after.HasField("rotation")
    got = helper.memory.GetMemory(pb.GetMemoryRequest(name=stored.name, access=WHY))
    assert got.text == "tea"


def test_an_operator_gives_one_person_a_new_key(server: Any) -> None:
    helper, operator = server.client(), server.client(scopes=(OPERATE,))
    person = f"jane-{uuid.uuid4().hex[:8]}"
    helper.grant(person)
    name = f"people/{person}"
    helper.memory.StoreMemory(
        pb.StoreMemoryRequest(parent=name, access=WHY, memory=Memory(text="I like tea"))
    )
    request = RotateKeysRequest(request_id=str(uuid.uuid4()), parent=name)
    state = operator.operator.RotateKeys(request)
    assert (state.done_count, state.HasField("complete_time")) == (1, True)
    assert operator.operator.RotateKeys(request) == state
    recalled = helper.memory.RecallMemories(
        pb.RecallMemoriesRequest(parent=name, access=WHY, query="tea")
    )
    assert [hit.memory.text for hit in recalled.hits] == ["I like tea"]
    request = RotateKeysRequest(request_id=str(uuid.uuid4()), parent="people/nobody-at-all")
    assert operator.operator.RotateKeys(request).done_count == 0


@pytest.mark.parametrize("request_id", ["", "x" * 65])
def test_a_rotation_needs_a_request_id(server: Any, request_id: str) -> None:
    operator = server.client(scopes=(OPERATE,))
    with pytest.raises(grpc.RpcError) as caught:
        operator.operator.RotateKeys(RotateKeysRequest(request_id=request_id))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT  # type: ignore[attr-defined]


def test_an_assistant_does_not_rotate(server: Any) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.client().operator.RotateKeys(RotateKeysRequest(request_id="1"))
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED  # type: ignore[attr-defined]
