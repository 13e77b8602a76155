"""The way of every call, whatever it asks for:

    recover ▶ request id ▶ deadline ▶ metrics ▶ authenticate ▶ authorize ▶ count ▶ validate ▶ answer

Rules:
- Each step is a plain function over one `Call`. A step refuses by raising a `TacitError`.
- `recover` stands around all of it: whatever is raised becomes one refusal and one log line.
- Nothing of a request is parsed before its caller is known and may call.
- The answer runs in a worker thread; the event loop only moves bytes.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import grpc
from google.protobuf.message import DecodeError, Message

from memory.errors import InvalidArgumentError, TacitError
from server.auth import TokenVerifier
from server.call import (
    MAX_SECONDS,
    Answer,
    Call,
    Endpoint,
    StreamAnswer,
    Taker,
    TakingAnswer,
    to_bytes,
)
from server.errors import (
    DETAILS_KEY,
    DeadlineError,
    ShuttingDownError,
    status_code,
    to_status,
)
from server.limits import Meter, lane
from server.logs import CallEnded, Fault, Log, place_of
from server.metrics import Metrics
from server.policy import READ, authorize
from server.traces import TRACEPARENT_KEY, Traces
from server.workers import Workers

REQUEST_ID_KEY: Final = "x-request-id"
"""Metadata: a UUID of the caller's choice, or one made here; goes back with every response."""

_LATE: Final = DeadlineError("the deadline passed; a write may have happened: repeat it")

Context = grpc.aio.ServicerContext[Any, Any]
Unary = Callable[[bytes, Context], Awaitable[bytes]]
Stream = Callable[[bytes, Context], Awaitable[None]]
Taking = Callable[[AsyncIterator[bytes], Context], Awaitable[bytes]]


@dataclass(slots=True)
class Wire:
    """What the steps share. `readers` answer the calls that only read memories, `workers` all
    others. `draining` turns every new call away.
    """

    verifier: TokenVerifier
    readers: Workers
    workers: Workers
    meter: Meter
    metrics: Metrics
    log: Log
    traces: Traces | None = None
    draining: bool = False

    def waiting(self) -> int:
        """Calls that wait for a thread."""
        return self.readers.waiting() + self.workers.waiting()

    async def close(self, seconds: float) -> None:
        """See `Workers.close`: both end within `seconds`."""
        await asyncio.gather(self.readers.close(seconds), self.workers.close(seconds))


def unary(wire: Wire, endpoint: Endpoint) -> Unary:
    """The gRPC behaviour of an rpc with one response."""
    answer = cast(Answer, endpoint.answer)
    threads = wire.readers if READ in endpoint.policy.scopes else wire.workers

    async def behaviour(raw: bytes, context: Context) -> bytes:
        call = Call(endpoint, context)
        async with _recover(wire, call, len(raw)):
            return await threads.run(
                lane(call.caller), lambda: to_bytes(answer(call, validate(call, raw)))
            )
        raise AssertionError("a refused call was aborted")

    return behaviour


def stream(wire: Wire, endpoint: Endpoint) -> Stream:
    """The gRPC behaviour of an rpc with a stream of responses."""
    answer = cast(StreamAnswer, endpoint.answer)

    async def behaviour(raw: bytes, context: Context) -> None:
        call = Call(endpoint, context, seconds=MAX_SECONDS)
        async with _recover(wire, call, len(raw)):
            own = lane(call.caller)
            pieces = await wire.workers.run(own, lambda: answer(call, validate(call, raw)))
            while (piece := await wire.workers.run(own, _next_bytes, pieces)) is not None:
                await context.write(piece)

    return behaviour


def client_stream(wire: Wire, endpoint: Endpoint) -> Taking:
    """The gRPC behaviour of an rpc with a stream of requests."""
    answer = cast(TakingAnswer, endpoint.answer)

    async def behaviour(requests: AsyncIterator[bytes], context: Context) -> bytes:
        call = Call(endpoint, context, seconds=MAX_SECONDS)
        async with _recover(wire, call, 0):
            own = lane(call.caller)
            taker = await wire.workers.run(own, answer, call)
            try:
                async for raw in requests:
                    await wire.workers.run(own, _take, taker, call, raw)
                return await wire.workers.run(own, lambda: taker.finish().SerializeToString())
            finally:
                await asyncio.shield(wire.workers.run(own, taker.close))
        raise AssertionError("a refused call was aborted")

    return behaviour


def _take(taker: Taker, call: Call, raw: bytes) -> None:
    taker.take(validate(call, raw))


@asynccontextmanager
async def _recover(wire: Wire, call: Call, request_bytes: int) -> AsyncIterator[None]:
    """Runs the steps, then the body; refuses the call if anything in either is raised."""
    assign_request_id(call)
    wire.metrics.begin()
    traced = wire.traces and wire.traces.begin(call.method, call.metadata(TRACEPARENT_KEY))
    call.seconds = deadline(call)
    limit = asyncio.timeout(call.seconds)
    status = grpc.StatusCode.CANCELLED
    refusal: Exception | None = None
    try:
        turn_away_when_draining(wire)
        async with limit:
            authenticate(wire, call)
            authorize(call.endpoint.policy, call.caller)
            wire.meter.count(call.caller, request_bytes)
            yield
        status = grpc.StatusCode.OK
    except Exception as error:
        late = isinstance(error, TimeoutError) and limit.expired()
        refusal = _LATE if late else error
        status = grpc.StatusCode[getattr(refusal, "status", "INTERNAL")]
    finally:
        _tell(wire, call, status, refusal)
        if wire.traces and traced:
            wire.traces.end(traced, status.value[0], _reason(refusal))
    if refusal is not None:
        await _abort(call, refusal)


def assign_request_id(call: Call) -> None:
    """The caller's UUID, or a new one; anything else could be content and is not kept."""
    try:
        call.request_id = str(uuid.UUID(call.metadata(REQUEST_ID_KEY) or ""))
    except ValueError:
        call.request_id = str(uuid.uuid4())
    call.context.set_trailing_metadata(((REQUEST_ID_KEY, call.request_id),))


def turn_away_when_draining(wire: Wire) -> None:
    """What was accepted before is finished; nothing is accepted any more."""
    if wire.draining:
        raise ShuttingDownError("the server is stopping; repeat the call")


def deadline(call: Call) -> float:
    """Seconds that the call may take: the caller's, or the default, and never without end."""
    remaining: float | None = call.context.time_remaining()
    return min(call.seconds if remaining is None else remaining, MAX_SECONDS)


def authenticate(wire: Wire, call: Call) -> None:
    """Who calls, from the credential alone."""
    call.authenticated = wire.verifier.caller(call.metadata("authorization"))


def validate(call: Call, raw: bytes) -> Message:
    """The request; what its fields hold is for the services and the domain to judge."""
    try:
        return call.endpoint.request.FromString(raw)
    except DecodeError:
        raise InvalidArgumentError(
            "request",
            f"is no {call.endpoint.request.DESCRIPTOR.full_name}: damaged, or a text in it is "
            "not UTF-8",
        ) from None


def _next_bytes(pieces: Iterator[Message]) -> bytes | None:
    piece = next(pieces, None)
    return None if piece is None else piece.SerializeToString()


def _tell(wire: Wire, call: Call, status: grpc.StatusCode, refusal: Exception | None) -> None:
    ms = (time.perf_counter() - call.began) * 1000
    caller = call.authenticated
    reason = _reason(refusal)
    wire.metrics.end(call.method, status.name, ms, reason)
    if refusal is not None and not isinstance(refusal, TacitError):
        wire.log.write(
            Fault(call.method, call.request_id, type(refusal).__name__, place_of(refusal))
        )
    wire.log.write(
        CallEnded(
            method=call.method,
            status=status.name,
            reason=reason,
            ms=round(ms, 2),
            request_id=call.request_id,
            tenant=str(caller.tenant) if caller else "",
            assistant=str(caller.assistant) if caller else "",
        )
    )


def _reason(refusal: Exception | None) -> str:
    return "" if refusal is None else getattr(refusal, "reason", "INTERNAL")


async def _abort(call: Call, refusal: Exception) -> None:
    status = to_status(refusal, call.request_id)
    await call.context.abort(
        status_code(status),
        status.message,
        (
            (REQUEST_ID_KEY, call.request_id),
            (DETAILS_KEY, status.SerializeToString()),
        ),
    )
