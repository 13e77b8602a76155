"""What a trace collector gets of a call: its steps, its status, and nothing of anybody.

The collector is a real one on loopback, as far as its wire goes: the OTLP service over gRPC.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)

from memory.bootstrap import open_tacit
from memory.config import Config
from memory.v1.core_pb2 import AccessContext, Memory
from memory.v1.memory_service_pb2 import RecallMemoriesRequest, StoreMemoryRequest
from server.observing import observation
from server.traces import Traces
from tests.integration.planted import conversation

ASSISTANCE = AccessContext(purpose="purposes/assistance")
TENANT, ASSISTANT, PERSON = "tenant-of-a-kind", "a-client-of-its-own", "ottilie.unmistakable"
PLANTED = conversation(8)
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENDER = {
    *("service.name", "service.version", "service.instance.id"),
    *("telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version"),
}
ATTRIBUTES = {"rpc.system", "rpc.service", "rpc.method", "rpc.grpc.status_code", "tacit.reason"}


@dataclass
class Collector(TraceServiceServicer):  # type: ignore[misc]
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)

    def Export(self, request: ExportTraceServiceRequest, _context: Any) -> Any:
        self.requests.append(request)
        return ExportTraceServiceResponse()

    def spans(self) -> list[Any]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory, serving: Any) -> Iterator[Collector]:
    """What came of a store and recalls: one traced by its caller, one not, one refused."""
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(2))
    add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    folder = tmp_path_factory.mktemp("traced")
    config = Config(data=folder, listen="127.0.0.1:0", traces=f"http://127.0.0.1:{port}")
    observed = observation(config)
    try:
        with open_tacit(config, observer=observed.observer) as tacit:
            with serving(config, tacit, observed=observed) as running:
                _use(running.client(tenant=TENANT, assistant=ASSISTANT))
            observed.close()
        yield collector
    finally:
        server.stop(0)


def _use(client: Any) -> None:
    client.grant(PERSON)
    for text in PLANTED.turns:
        client.memory.StoreMemory(
            StoreMemoryRequest(
                parent=f"people/{PERSON}", access=ASSISTANCE, memory=Memory(text=text)
            )
        )
    asked = RecallMemoriesRequest(
        parent=f"people/{PERSON}", access=ASSISTANCE, query=f"what of {PLANTED.secrets[0]}?"
    )
    traced = [
        ("traceparent", f"00-{TRACE}-{PARENT}-01"),
        ("tracestate", f"vendor={PERSON}"),
        ("baggage", f"who={PERSON}"),
    ]
    client.memory.RecallMemories(asked, metadata=traced)
    client.memory.RecallMemories(asked, metadata=[("traceparent", f"00-{TRACE[::-1]}-{PARENT}-00")])
    client.memory.RecallMemories(asked, metadata=[("traceparent", f"{PERSON}-is-no-trace")])
    asked.access.purpose = "purposes/care"
    with pytest.raises(grpc.RpcError):
        client.memory.RecallMemories(asked)


def test_nothing_of_anybody_is_sent(collected: Collector) -> None:
    sent = b"".join(request.SerializeToString() for request in collected.requests).lower()
    for secret in (*PLANTED.secrets, TENANT, ASSISTANT, PERSON, "assistance"):
        assert secret.encode().lower() not in sent, secret
    for request in collected.requests:
        for sender in request.resource_spans:
            assert {attribute.key for attribute in sender.resource.attributes} <= SENDER
    for span in collected.spans():
        assert {attribute.key for attribute in span.attributes} <= ATTRIBUTES
        assert not span.events
        assert not span.status.message
        assert not span.trace_state


def test_a_call_goes_on_with_its_callers_trace_and_shows_its_steps(collected: Collector) -> None:
    spans = [span for span in collected.spans() if span.trace_id.hex() == TRACE]
    (call,) = (span for span in spans if span.parent_span_id.hex() == PARENT)
    assert call.name == "memory.v1.MemoryService/RecallMemories"
    steps = sorted((s for s in spans if s is not call), key=lambda s: s.end_time_unix_nano)
    assert all(step.parent_span_id == call.span_id for step in steps)
    assert [step.name for step in steps] == [
        f"recall.{step}"
        for step in ("understand", "candidates", "encode", "rank", "open", "record")
    ]
    for step in steps:
        assert call.start_time_unix_nano < step.end_time_unix_nano <= call.end_time_unix_nano
    values = {a.key: a.value.string_value or a.value.int_value for a in call.attributes}
    assert values == {
        "rpc.system": "grpc",
        "rpc.service": "memory.v1.MemoryService",
        "rpc.method": "RecallMemories",
        "rpc.grpc.status_code": 0,
    }


def test_a_call_that_its_caller_does_not_sample_is_not_told(collected: Collector) -> None:
    assert TRACE[::-1] not in {span.trace_id.hex() for span in collected.spans()}


def test_a_refused_call_tells_its_reason(collected: Collector) -> None:
    refused = [span for span in collected.spans() if span.status.code]
    (reason,) = (a.value.string_value for a in refused[0].attributes if a.key == "tacit.reason")
    assert (len(refused), reason) == (1, "CONSENT_MISSING")


def test_stores_are_told_with_their_steps(collected: Collector) -> None:
    names = [span.name for span in collected.spans()]
    for name in ("memory.v1.MemoryService/StoreMemory", "store.detect", "store.commit"):
        assert names.count(name) == len(PLANTED.turns), name


def test_a_collector_that_is_away_fails_no_call_and_no_stop() -> None:
    config = Config(traces="http://127.0.0.1:1")
    traces = observation(config).traces
    assert isinstance(traces, Traces)
    for _ in range(100):
        traces.end(traces.begin("memory.v1.MemoryService/GetMemory", None), 0, "")
    traces.close()
