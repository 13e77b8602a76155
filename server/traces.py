"""OpenTelemetry traces: a span for each call and each of its steps, sent to the operator's own
collector and to nobody else.

Rules:
- A span has the rpc's name, its status and reason, and times. No request, no metadata, no message
  of an error, no tenant, no person.
- Of the caller only `traceparent` (W3C Trace Context) is read: `tracestate` and `baggage` may hold
  anything.
- What the collector does not take is dropped: no call waits for it.
"""

from __future__ import annotations

import time
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from memory.errors import ConfigurationError
from memory.ports import Step

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

TRACEPARENT_KEY: Final = "traceparent"

_CURRENT: ContextVar[Context | None] = ContextVar("tacit-trace", default=None)
_EXPORT_SECONDS: Final = 2.0
"""How long a collector may take; a server that stops waits no longer for it."""


@dataclass(frozen=True, slots=True)
class Traced:
    """A call under way."""

    span: Span
    before: Token[Context | None]


class Traces:
    """Makes spans. Safe to use from several threads."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("tacit")
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, method: str, traceparent: str | None) -> Traced:
        """A call is accepted: "memory.v1.MemoryService/StoreMemory"; `end` it in the same task."""
        from opentelemetry.trace import SpanKind, set_span_in_context

        service, _, name = method.partition("/")
        span = self._tracer.start_span(
            method,
            context=self._propagator.extract({TRACEPARENT_KEY: traceparent or ""}),
            kind=SpanKind.SERVER,
            attributes={"rpc.system": "grpc", "rpc.service": service, "rpc.method": name},
        )
        context = set_span_in_context(span) if span.is_recording() else None
        return Traced(span, _CURRENT.set(context))

    def end(self, traced: Traced, code: int, reason: str) -> None:
        """The call is answered, or refused for a reason."""
        from opentelemetry.trace import StatusCode

        traced.span.set_attribute("rpc.grpc.status_code", code)
        if reason:
            traced.span.set_attribute("tacit.reason", reason)
            traced.span.set_status(StatusCode.ERROR)
        traced.span.end()
        _CURRENT.reset(traced.before)

    def step(self, step: Step, nanoseconds: int) -> None:
        """A step has ended that took so long; outside of a call, nothing."""
        context = _CURRENT.get()
        if context is None:
            return
        end = time.time_ns()
        name = ".".join(step.value)
        self._tracer.start_span(name, context=context, start_time=end - nanoseconds).end(end)

    def close(self) -> None:
        """Sends what is left, if the collector takes it."""
        self._provider.shutdown()


def traces_to(url: str, version: str) -> Traces:
    """Sends to an OTLP collector over gRPC. `OTEL_TRACES_SAMPLER`, `OTEL_RESOURCE_ATTRIBUTES` and
    `OTEL_EXPORTER_OTLP_HEADERS` in the environment are heeded.

    Raises:
        ConfigurationError: the extra is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise ConfigurationError(
            "traces needs an extra package; run: pip install 'tacit-memory[traces]'"
        ) from None
    resource = Resource.create({"service.name": "tacit", "service.version": version})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(
        endpoint=url, insecure=url.startswith("http://"), timeout=_EXPORT_SECONDS
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Traces(provider)
