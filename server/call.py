"""One rpc of the contract, and one call of it on its way through the pipeline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import grpc
from google.protobuf.message import Message

from memory.core.values import Caller
from server.policy import Policy

DEFAULT_SECONDS: Final = 30.0
"""The deadline of a call whose caller gave none."""

MAX_SECONDS: Final = 600.0
"""No call runs longer, whatever deadline it came with; also a stream's default."""

Answer = Callable[["Call", Any], Message | bytes]
"""Turns a request into its response, perhaps in bytes already; synchronous, runs in a worker
thread."""


def to_bytes(answer: Message | bytes) -> bytes:
    """What goes over the wire."""
    return answer if isinstance(answer, bytes) else answer.SerializeToString()


class Taker(Protocol):
    """Takes a stream of requests, one at a time; each step runs in a worker thread."""

    def take(self, request: Any) -> None: ...
    def finish(self) -> Message:
        """The response, once the last request came."""
        ...

    def close(self) -> None:
        """Called whatever happened."""
        ...


TakingAnswer = Callable[["Call"], Taker]
"""Begins to take a stream of requests."""

StreamAnswer = Callable[["Call", Any], Iterator[Message]]
"""Turns a request into a stream of responses; each step runs in a worker thread."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One rpc: "memory.v1.MemoryService/StoreMemory", who may call it, and what answers."""

    method: str
    policy: Policy
    request: type[Message]
    answer: Answer | StreamAnswer | TakingAnswer


@dataclass(slots=True)
class Call:
    """What is known of one call. Each step of the pipeline fills in its part."""

    endpoint: Endpoint
    context: grpc.aio.ServicerContext[Any, Any]
    began: float = field(default_factory=time.perf_counter)
    request_id: str = ""
    seconds: float = DEFAULT_SECONDS
    authenticated: Caller | None = None

    @property
    def caller(self) -> Caller:
        """Who calls; known once the call is authenticated."""
        assert self.authenticated is not None
        return self.authenticated

    def left(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self.seconds - (time.perf_counter() - self.began))

    @property
    def method(self) -> str:
        return self.endpoint.method

    def metadata(self, key: str) -> str | None:
        """The first text under this key of the call's metadata."""
        for name, value in self.context.invocation_metadata() or ():
            if name == key and isinstance(value, str):
                return value
        return None
