"""Erasures over the wire: how far, whose, and the certificate."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

import grpc
import pytest

from memory.v1 import memory_service_pb2
from memory.v1.core_pb2 import AccessContext, Memory
from memory.v1.subject_rights_service_pb2 import (
    EraseMemoriesRequest,
    ForgetUserRequest,
    GetErasureCertificateRequest,
    ListErasuresRequest,
)


@pytest.fixture
def person() -> str:
    return f"jane-{uuid.uuid4().hex[:8]}"


def _store(client: Any, person: str, text: str) -> None:
    client.memory.StoreMemory(
        memory_service_pb2.StoreMemoryRequest(
            parent=f"people/{person}",
            access=AccessContext(purpose="purposes/assistance"),
            memory=Memory(text=text),
        )
    )


def test_an_erasure_has_a_certificate_under_a_name_of_its_own(server: Any, person: str) -> None:
    helper = server.client()
    helper.grant(person)
    _store(helper, person, "I like tea")
    erasure = helper.rights.ForgetUser(ForgetUserRequest(name=f"people/{person}"))
    assert erasure.HasField("key_destroy_time")
    assert erasure.HasField("epoch_due_time")
    assert (erasure.waits_for, erasure.remaining_memory_count) == ("", 0)
    request = GetErasureCertificateRequest(name=f"{erasure.name}/certificate")
    got = helper.rights.GetErasureCertificate(request)
    assert got.erasure == erasure
    payload = json.loads(base64.b64decode(json.loads(got.dsse_envelope)["payload"]))
    assert payload["erasure"] == erasure.name
    assert person not in json.dumps(payload)
    assert payload["counts"]["erased"]["memories"] == 1
    with pytest.raises(grpc.RpcError) as caught:
        server.client(tenant="rival").rights.GetErasureCertificate(request)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND  # type: ignore[attr-defined]
    for name in ("", erasure.name, "erasures/xyz/certificate", "people/x/certificate"):
        with pytest.raises(grpc.RpcError) as caught:
            helper.rights.GetErasureCertificate(GetErasureCertificateRequest(name=name))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT  # type: ignore[attr-defined]


def test_erasures_are_listed_page_by_page_to_their_tenant(server: Any, person: str) -> None:
    helper = server.client()
    made = [
        helper.rights.ForgetUser(ForgetUserRequest(name=f"people/{person}{n}")).name
        for n in range(3)
    ]
    request, seen = ListErasuresRequest(page_size=2), []
    while True:
        page = helper.rights.ListErasures(request)
        seen += [erasure.name for erasure in page.erasures]
        request.page_token = page.next_page_token
        if not request.page_token or len(seen) >= 4:
            break
    assert seen[:3] == made[::-1]
    rivals = server.client(tenant="rival").rights.ListErasures(ListErasuresRequest()).erasures
    assert made[0] not in {erasure.name for erasure in rivals}


def test_memories_are_erased_by_what_a_request_names(server: Any, person: str) -> None:
    helper = server.client()
    helper.grant(person)
    _store(helper, person, "I like tea")
    request = EraseMemoriesRequest(parent=f"people/{person}", purposes=["purposes/assistance"])
    assert helper.rights.EraseMemories(request).counts.memory_count == 1
    assert helper.rights.EraseMemories(request).counts.memory_count == 0
    for wrong in (
        EraseMemoriesRequest(parent=f"people/{person}"),
        EraseMemoriesRequest(parent=f"people/{person}", purposes=["x"]),
        EraseMemoriesRequest(parent=f"people/{person}", purposes=["purposes/care"] * 101),
        EraseMemoriesRequest(parent=f"people/{person}", source="a\nb"),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            helper.rights.EraseMemories(wrong)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT  # type: ignore[attr-defined]
