"""The way of a call: what is refused, in which order, in which words, and what is written down."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from memory.core.tenants import PerTenant
from memory.errors import ConfigurationError, ConsentError
from memory.v1 import memory_service_pb2 as pb
from memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from memory.v1.subject_rights_service_pb2 import ExportDataRequest, ExportDataResponse
from memory.v1.subject_rights_service_pb2_grpc import SubjectRightsServiceStub
from server.call import Call
from server.limits import Limit
from server.metrics import Metrics
from server.pipeline import Wire
from server.policy import POLICIES
from server.router import handlers

STORE = "memory.v1.MemoryService/StoreMemory"


def _answered(_call: Call, request: pb.StoreMemoryRequest) -> pb.StoreMemoryResponse:
    return pb.StoreMemoryResponse(memory=request.memory)


def _store(line: Any, metadata: Any = None, **request: Any) -> pb.StoreMemoryResponse:
    stub = MemoryServiceStub(line.channel)
    sent = pb.StoreMemoryRequest(**request)
    response: pb.StoreMemoryResponse = stub.StoreMemory(sent, metadata=metadata, timeout=20)
    return response


def _reason(error: grpc.RpcError) -> str:
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return str(info.reason)


def _refused(line: Any, metadata: Any = None, **request: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        _store(line, metadata, **request)
    return caught.value.code(), _reason(caught.value)  # type: ignore[attr-defined]


def test_a_call_is_answered_counted_and_written_down_without_content(opener: Any) -> None:
    with opener(StoreMemory=_answered) as line:
        memory = {"text": "Jane likes tea", "name": "people/jane/memories/1"}
        assert _store(line, line.metadata(), memory=memory).memory.text == "Jane likes tea"
        (told,) = line.lines("call")
        assert (told["method"], told["status"], told["reason"]) == (STORE, "OK", "")
        assert (told["tenant"], told["assistant"]) == ("acme", "helper")
        assert told["ms"] > 0
        assert line.wire.metrics.calls() == {STORE: {"OK": 1}}
        assert "jane" not in line.log.getvalue().lower()


def test_nothing_is_parsed_before_the_caller_is_known_and_allowed(opener: Any) -> None:
    with opener(StoreMemory=_answered) as line:
        raw = line.channel.unary_unary(f"/{STORE}")
        for metadata, reason in (
            (None, "TOKEN_INVALID"),
            (line.metadata("memory.read"), "SCOPE_MISSING"),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                raw(b"\xff\xff damaged", metadata=metadata, timeout=20)
            assert _reason(caught.value) == reason
        with pytest.raises(grpc.RpcError) as caught:
            raw(b"\xff\xff damaged", metadata=line.metadata(), timeout=20)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT  # type: ignore[attr-defined]
        assert _reason(caught.value) == "INVALID_FIELD"


def test_text_that_is_not_utf8_is_refused_in_words(opener: Any) -> None:
    with opener(StoreMemory=_answered) as line:
        sent = pb.StoreMemoryRequest(parent="people/XXXX").SerializeToString()
        damaged = sent.replace(b"XXXX", b"\xff\xfe\xc3\x28")
        with pytest.raises(grpc.RpcError) as caught:
            line.channel.unary_unary(f"/{STORE}")(damaged, metadata=line.metadata(), timeout=20)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT  # type: ignore[attr-defined]
        assert "UTF-8" in caught.value.details()  # type: ignore[attr-defined]


def test_the_domains_refusal_reaches_the_caller(opener: Any) -> None:
    def refuse(_call: Call, _request: Any) -> Any:
        raise ConsentError("ask them first", purpose="care")

    with opener(StoreMemory=refuse) as line:
        code, reason = _refused(line, line.metadata())
        assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "CONSENT_MISSING")
        (told,) = line.lines("call")
        assert (told["status"], told["reason"]) == ("PERMISSION_DENIED", "CONSENT_MISSING")
        assert line.lines("fault") == []


def test_a_fault_is_told_by_class_and_place_alone(opener: Any) -> None:
    def fail(_call: Call, request: pb.StoreMemoryRequest) -> Any:
        raise ValueError(f"cannot handle {request.memory.text}")

    with opener(StoreMemory=fail) as line:
        with pytest.raises(grpc.RpcError) as caught:
            _store(line, line.metadata(), memory={"text": "Jane likes tea"})
        assert _reason(caught.value) == "INTERNAL"
        assert "Jane" not in str(caught.value)
        (fault,) = line.lines("fault")
        assert fault["error"] == "ValueError"
        assert "test_pipeline.py" in fault["place"]
        assert fault["request_id"] in str(caught.value.trailing_metadata())  # type: ignore[attr-defined]
        assert "Jane" not in line.log.getvalue()


def test_the_callers_request_id_is_used_if_it_is_a_uuid_and_nothing_else_is(opener: Any) -> None:
    with opener(StoreMemory=_answered) as line:
        wanted = str(uuid.uuid4())
        _store(line, line.metadata(request_id=wanted))
        _store(line, line.metadata(request_id="jane@example.org"))
        first, second = (told["request_id"] for told in line.lines("call"))
        assert first == wanted
        assert uuid.UUID(second)
        _, call = MemoryServiceStub(line.channel).StoreMemory.with_call(
            pb.StoreMemoryRequest(), metadata=line.metadata(request_id=wanted)
        )
        assert ("x-request-id", wanted) in list(call.trailing_metadata())


def test_a_call_that_takes_too_long_is_ended(opener: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.pipeline.MAX_SECONDS", 0.2)
    gate = threading.Event()

    def wait(_call: Call, _request: Any) -> Any:
        gate.wait(20)
        return pb.StoreMemoryResponse()

    with opener(StoreMemory=wait) as line:
        try:
            code, reason = _refused(line, line.metadata())
            assert (code, reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_PASSED")
        finally:
            gate.set()


def test_a_timeout_of_the_domains_own_is_a_fault_and_no_deadline(opener: Any) -> None:
    def fail(_call: Call, _request: Any) -> Any:
        raise TimeoutError

    with opener(StoreMemory=fail) as line:
        assert _refused(line, line.metadata()) == (grpc.StatusCode.INTERNAL, "INTERNAL")


def test_a_caller_that_leaves_is_written_down_as_gone(opener: Any) -> None:
    gate = threading.Event()

    def wait(_call: Call, _request: Any) -> Any:
        gate.wait(20)
        return pb.StoreMemoryResponse()

    with opener(StoreMemory=wait) as line:
        future = MemoryServiceStub(line.channel).StoreMemory.future(
            pb.StoreMemoryRequest(), metadata=line.metadata()
        )
        _until(lambda: line.wire.metrics.in_flight == 1)
        future.cancel()
        _until(lambda: line.lines("call"))
        gate.set()
        assert [told["status"] for told in line.lines("call")] == ["CANCELLED"]


def test_more_callers_than_the_queue_holds_are_told_to_come_back(opener: Any) -> None:
    gate = threading.Event()

    def wait(_call: Call, _request: Any) -> Any:
        gate.wait(20)
        return pb.StoreMemoryResponse()

    with opener(threads=1, queue=1, StoreMemory=wait) as line:
        stub = MemoryServiceStub(line.channel)
        accepted = [
            stub.StoreMemory.future(pb.StoreMemoryRequest(), metadata=line.metadata())
            for _ in range(2)
        ]
        _until(lambda: line.wire.metrics.in_flight == 2)
        assert _refused(line, line.metadata()) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_BUSY")
        gate.set()
        for future in accepted:
            future.result(20)


def test_reading_does_not_wait_behind_what_is_stored(opener: Any) -> None:
    gate = threading.Event()

    def wait(_call: Call, _request: Any) -> Any:
        gate.wait(20)
        return pb.StoreMemoryResponse()

    def found(_call: Call, _request: Any) -> Any:
        return pb.RecallMemoriesResponse(recall_token="told")

    with opener(threads=1, queue=1, StoreMemory=wait, RecallMemories=found) as line:
        stub = MemoryServiceStub(line.channel)
        stored = [
            stub.StoreMemory.future(pb.StoreMemoryRequest(), metadata=line.metadata())
            for _ in range(2)
        ]
        _until(lambda: line.wire.waiting() == 1)
        request, metadata = pb.RecallMemoriesRequest(), line.metadata("memory.read")
        assert stub.RecallMemories(request, metadata=metadata, timeout=20).recall_token == "told"
        gate.set()
        for future in stored:
            future.result(20)


def test_a_draining_server_takes_nothing_new(opener: Any) -> None:
    with opener(StoreMemory=_answered) as line:
        line.wire.draining = True
        assert _refused(line, line.metadata()) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")


def test_a_stream_is_sent_piece_by_piece(opener: Any) -> None:
    def count(_call: Call, _request: Any) -> Iterator[ExportDataResponse]:
        for number in range(5):
            yield ExportDataResponse(data=bytes([number]))

    with opener(ExportData=count) as line:
        stub = SubjectRightsServiceStub(line.channel)
        pieces = stub.ExportData(ExportDataRequest(), metadata=line.metadata(), timeout=20)
        assert b"".join(piece.data for piece in pieces) == bytes(range(5))


def test_a_stream_that_fails_midway_ends_in_a_refusal(opener: Any) -> None:
    def fail(_call: Call, _request: Any) -> Iterator[ExportDataResponse]:
        yield ExportDataResponse(data=b"first")
        raise ConsentError("no more", purpose="care")

    with opener(ExportData=fail) as line:
        stub = SubjectRightsServiceStub(line.channel)
        pieces = stub.ExportData(ExportDataRequest(), metadata=line.metadata(), timeout=20)
        assert next(pieces).data == b"first"
        with pytest.raises(grpc.RpcError) as caught:
            next(pieces)
        assert _reason(caught.value) == "CONSENT_MISSING"


def test_a_reader_that_leaves_ends_the_stream_and_frees_what_it_held(opener: Any) -> None:
    freed = threading.Event()

    def endless(_call: Call, _request: Any) -> Iterator[ExportDataResponse]:
        try:
            while True:
                yield ExportDataResponse(data=bytes(1000))
        finally:
            freed.set()

    with opener(ExportData=endless) as line:
        stub = SubjectRightsServiceStub(line.channel)
        pieces = stub.ExportData(ExportDataRequest(), metadata=line.metadata(), timeout=20)
        next(pieces)
        pieces.cancel()
        assert freed.wait(10)


def test_what_is_not_built_yet_says_so(opener: Any) -> None:
    with opener() as line:
        assert _refused(line, line.metadata()) == (
            grpc.StatusCode.UNIMPLEMENTED,
            "NOT_IMPLEMENTED",
        )
        stub = SubjectRightsServiceStub(line.channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.ImportData(iter([]), metadata=line.metadata(), timeout=20)
        assert _reason(caught.value) == "NOT_IMPLEMENTED"


def test_a_tenant_over_its_rate_is_told_when_to_come_back(opener: Any) -> None:
    with opener(limits=PerTenant(Limit(rate=0.5, burst=2)), StoreMemory=_answered) as line:
        for _ in range(2):
            _store(line, line.metadata())
        with pytest.raises(grpc.RpcError) as caught:
            _store(line, line.metadata())
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED  # type: ignore[attr-defined]
        assert _reason(caught.value) == "RATE_LIMITED"
        status = rpc_status.from_call(caught.value)  # type: ignore[arg-type]
        retry = error_details_pb2.RetryInfo()
        assert any(detail.Unpack(retry) for detail in status.details)
        assert 1 < retry.retry_delay.ToTimedelta().total_seconds() <= 2


def test_an_rpc_without_policy_or_answer_stops_the_start() -> None:
    wire = Wire(None, None, None, None, Metrics(), None)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="nothing answers"):
        handlers(wire, {})
    fewer = {name: policy for name, policy in POLICIES.items() if name != STORE}
    with pytest.raises(ConfigurationError, match="no policy says who may call"):
        handlers(wire, {}, fewer)


def _until(condition: Any) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("waited 10 s in vain")
