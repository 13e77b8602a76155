"""Bad input: each refused by its field, in words, and nothing stored."""

from __future__ import annotations

import uuid
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from memory.v1 import memory_service_pb2 as pb
from memory.v1.core_pb2 import AccessContext, Memory, MemoryFilter

WHY = AccessContext(purpose="purposes/assistance")
STORE = "/memory.v1.MemoryService/StoreMemory"


@pytest.fixture
def person() -> str:
    return f"jane-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def helper(server: Any, person: str) -> Any:
    client = server.client()
    client.grant(person)
    return client


def _refusal(call: Any, request: Any) -> tuple[str, str, str]:
    """Status, reason and field."""
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    status = rpc_status.from_call(caught.value)  # type: ignore[arg-type]
    assert status is not None
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(info)
    field = ""
    for detail in status.details:
        if detail.Unpack(bad):
            field = bad.field_violations[0].field
    return caught.value.code().name, info.reason, field  # type: ignore[attr-defined]


def _nothing_stored(helper: Any, person: str) -> bool:
    listed = helper.memory.ListMemories(
        pb.ListMemoriesRequest(parent=f"people/{person}", access=WHY)
    )
    return not listed.memories


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "INVALID_FIELD"),
        (" \n\t", "INVALID_FIELD"),
        ("x" * 10_001, "TEXT_TOO_LONG"),
        ("a\x00b", "INVALID_FIELD"),
        ("a\x1bb", "INVALID_FIELD"),
        ("a\x7fb", "INVALID_FIELD"),
    ],
)
def test_a_text_that_cannot_be_remembered(helper: Any, person: str, text: str, reason: str) -> None:
    request = pb.StoreMemoryRequest(parent=f"people/{person}", access=WHY, memory=Memory(text=text))
    assert _refusal(helper.memory.StoreMemory, request) == (
        "INVALID_ARGUMENT", reason, "memory.text",
    )  # fmt: skip
    assert _nothing_stored(helper, person)


@pytest.mark.parametrize(
    "text", ["x" * 10_000, "a\n\tb\r\n", "we ate ½ of the cake 🐝", "\u202eabc", "e\u0301"]
)
def test_a_text_that_only_looks_odd_is_remembered(helper: Any, person: str, text: str) -> None:
    stored = helper.memory.StoreMemory(
        pb.StoreMemoryRequest(parent=f"people/{person}", access=WHY, memory=Memory(text=text))
    )
    assert stored.memory.text == text


def test_a_text_that_is_not_utf8(helper: Any, person: str) -> None:
    request = pb.StoreMemoryRequest(
        parent=f"people/{person}", access=WHY, memory=Memory(text="XXXX")
    )
    damaged = request.SerializeToString().replace(b"XXXX", b"\xed\xa0\x80\xff")
    call = helper.channel.unary_unary(STORE)
    assert _refusal(call, damaged)[:2] == ("INVALID_ARGUMENT", "INVALID_FIELD")
    assert _nothing_stored(helper, person)


@pytest.mark.parametrize(
    ("memory", "field"),
    [
        ({"kind": 17}, "memory.kind"),
        ({"speaker": "x" * 257}, "memory.speaker"),
        ({"speaker": "a\nb"}, "memory.speaker"),
        ({"session": "x" * 257}, "memory.session"),
        ({"labels": {"": "v"}}, "memory.labels"),
        ({"labels": {"k" * 64: "v"}}, "memory.labels"),
        ({"labels": {"k": "v" * 257}}, "memory.labels"),
        ({"labels": {str(i): "v" for i in range(17)}}, "memory.labels"),
        ({"event_time": Timestamp(seconds=2**60)}, "memory.event_time"),
    ],
)
def test_a_malformed_field_is_named(helper: Any, person: str, memory: Any, field: str) -> None:
    request = pb.StoreMemoryRequest(
        parent=f"people/{person}", access=WHY, memory=Memory(text="I like tea", **memory)
    )
    assert _refusal(helper.memory.StoreMemory, request) == (
        "INVALID_ARGUMENT", "INVALID_FIELD", field,
    )  # fmt: skip
    assert _nothing_stored(helper, person)


@pytest.mark.parametrize(
    "parent", ["", "jane", "people/", "people/a/b", "people/me", "people/a\x00b"]
)
def test_a_malformed_person_is_named(helper: Any, parent: str) -> None:
    request = pb.StoreMemoryRequest(parent=parent, access=WHY, memory=Memory(text="I like tea"))
    assert _refusal(helper.memory.StoreMemory, request) == (
        "INVALID_ARGUMENT", "INVALID_FIELD", "parent",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("purpose", "reason"),
    [
        ("", "INVALID_FIELD"),
        ("assistance", "INVALID_FIELD"),
        ("purposes/A B", "INVALID_FIELD"),
        ("purposes/unheard-of", "PURPOSE_UNKNOWN"),
    ],
)
def test_a_purpose_that_is_none(helper: Any, person: str, purpose: str, reason: str) -> None:
    request = pb.RecallMemoriesRequest(
        parent=f"people/{person}", access=AccessContext(purpose=purpose), query="tea"
    )
    assert _refusal(helper.memory.RecallMemories, request) == (
        "INVALID_ARGUMENT", reason, "access.purpose",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"query": ""}, "query"),
        ({"query": "x" * 10_001}, "query"),
        ({"query": "a\x00b"}, "query"),
        ({"query": "tea", "limit": -1}, "limit"),
        ({"query": "tea", "filter": MemoryFilter(kinds=[0])}, "filter.kinds"),
    ],
)
def test_a_query_that_is_none(helper: Any, person: str, request_: Any, field: str) -> None:
    request = pb.RecallMemoriesRequest(parent=f"people/{person}", access=WHY, **request_)
    code, _, named = _refusal(helper.memory.RecallMemories, request)
    assert (code, named) == ("INVALID_ARGUMENT", field)


@pytest.mark.parametrize("size", [1, 100, 2**31 - 1])
def test_a_large_limit_is_the_largest_there_is(helper: Any, person: str, size: int) -> None:
    parent = f"people/{person}"
    recall = pb.RecallMemoriesRequest(parent=parent, access=WHY, query="tea", limit=size)
    assert list(helper.memory.RecallMemories(recall).hits) == []
    page = pb.ListMemoriesRequest(parent=parent, access=WHY, page_size=size)
    assert list(helper.memory.ListMemories(page).memories) == []


def test_absurd_pages(helper: Any, person: str) -> None:
    parent = f"people/{person}"
    negative = pb.ListMemoriesRequest(parent=parent, access=WHY, page_size=-1)
    assert _refusal(helper.memory.ListMemories, negative)[2] == "page_size"
    for token in ("x", "A" * 80, "A" * 5000, "é"):
        forged = pb.ListMemoriesRequest(parent=parent, access=WHY, page_token=token)
        assert _refusal(helper.memory.ListMemories, forged) == (
            "INVALID_ARGUMENT", "PAGE_TOKEN_INVALID", "page_token",
        )  # fmt: skip


@pytest.mark.parametrize("memory", ["", "7", "x" * 32, "../..", "0" * 31])
def test_a_malformed_memory_name(helper: Any, person: str, memory: str) -> None:
    request = pb.GetMemoryRequest(name=f"people/{person}/memories/{memory}", access=WHY)
    assert _refusal(helper.memory.GetMemory, request) == (
        "INVALID_ARGUMENT", "INVALID_FIELD", "name",
    )  # fmt: skip


def test_a_missing_and_a_foreign_memory_read_alike(server: Any, helper: Any, person: str) -> None:
    other = f"john-{uuid.uuid4().hex[:8]}"
    helper.grant(other)
    stored = helper.memory.StoreMemory(
        pb.StoreMemoryRequest(parent=f"people/{other}", access=WHY, memory=Memory(text="mine"))
    ).memory
    foreign = stored.name.rpartition("/")[2]
    refusals = []
    for record in (foreign, uuid.uuid4().hex):
        request = pb.GetMemoryRequest(name=f"people/{person}/memories/{record}", access=WHY)
        with pytest.raises(grpc.RpcError) as caught:
            helper.memory.GetMemory(request)
        refusals.append((caught.value.code(), caught.value.details()))  # type: ignore[attr-defined]
    assert refusals[0] == refusals[1]
    assert refusals[0][0] is grpc.StatusCode.NOT_FOUND


def test_a_batch_too_large_or_empty_or_of_two_minds(helper: Any, person: str) -> None:
    parent, one = f"people/{person}", pb.StoreMemoryRequest(memory=Memory(text="I like tea"))
    other = pb.StoreMemoryRequest(memory=Memory(text="x"), parent="people/john")
    why = AccessContext(purpose="purposes/care")
    elsewhere = pb.StoreMemoryRequest(memory=Memory(text="x"), access=why)
    twice = pb.StoreMemoryRequest(memory=Memory(text="x"), request_id="7")
    for requests, field in (
        ([], "requests"),
        ([one] * 257, "requests"),
        ([one, other], "requests[1].parent"),
        ([one, elsewhere], "requests[1].access"),
        ([twice, twice], "requests"),
    ):
        batch = pb.BatchStoreMemoriesRequest(parent=parent, access=WHY, requests=requests)
        code, _, named = _refusal(helper.memory.BatchStoreMemories, batch)
        assert (code, named) == ("INVALID_ARGUMENT", field)
    assert _nothing_stored(helper, person)


def test_a_message_too_large_is_refused_by_size(server: Any, helper: Any, person: str) -> None:
    huge = Memory(text="x" * (server.config.max_message_bytes + 1))
    request = pb.StoreMemoryRequest(parent=f"people/{person}", access=WHY, memory=huge)
    with pytest.raises(grpc.RpcError) as caught:
        helper.memory.StoreMemory(request)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED  # type: ignore[attr-defined]
    assert _nothing_stored(helper, person)


def test_no_refusal_and_no_log_line_holds_what_was_said(
    server: Any, helper: Any, person: str
) -> None:
    said = "Margaret keeps bees in Springfield"
    parent = f"people/{person}"
    for text in (said, said + "\x00", said * 1000):
        request = pb.StoreMemoryRequest(parent=parent, access=WHY, memory=Memory(text=text))
        told = ""
        try:
            helper.memory.StoreMemory(request)
        except grpc.RpcError as error:
            told = repr(error)
        assert "Margaret" not in told
        assert person not in told
    log = server.log.getvalue()
    assert log.count('"event": "call"') >= 3
    for word in ("Margaret", "bees", "Springfield", person, helper.token, "Bearer"):
        assert word not in log
