"""Refusals, as the wire tells them: google.rpc.Status with an ErrorInfo on every one.

Rules:
- A `TacitError` keeps its status, reason, message and metadata.
- Anything else is INTERNAL and says nothing of what it was; the log has its class and place.
- `ErrorInfo.reason` is the name of a value of `memory.v1.ErrorReason`, documented in its proto.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2  # type: ignore[import-untyped]

from memory.errors import InvalidArgumentError, NotFoundError, QuotaError, TacitError

DOMAIN: Final = "tacit.memory.v1"
"""`ErrorInfo.domain` of every refusal."""

DETAILS_KEY: Final = "grpc-status-details-bin"
"""The trailing metadata in which gRPC carries a google.rpc.Status."""

RETRY_SECONDS: Final = 1
"""Advice for what passes by itself: a restart, a rebuild, a full queue."""


class NotBuiltError(TacitError):
    """The call, or an option of it, is part of the contract and not built yet."""

    status = "UNIMPLEMENTED"
    reason = "NOT_IMPLEMENTED"


class DeadlineError(TacitError):
    """The caller's deadline, or the server's own, passed first."""

    status = "DEADLINE_EXCEEDED"
    reason = "DEADLINE_PASSED"


class ShuttingDownError(TacitError):
    """The server finishes what it accepted and takes nothing new."""

    status = "UNAVAILABLE"
    reason = "SHUTTING_DOWN"


class TooBusyError(TacitError):
    """More calls wait than the queue holds."""

    status = "RESOURCE_EXHAUSTED"
    reason = "TOO_BUSY"


class RateLimitedError(TacitError):
    """The tenant makes more calls than it may; after `seconds` it may go on."""

    status = "RESOURCE_EXHAUSTED"
    reason = "RATE_LIMITED"

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class CallerNotAllowedError(TacitError):
    """The call is not for this kind of caller."""

    status = "PERMISSION_DENIED"
    reason = "CALLER_NOT_ALLOWED"


def to_status(error: Exception, request_id: str) -> status_pb2.Status:
    """What the caller is told of `error`."""
    if not isinstance(error, TacitError):
        error = TacitError("the server failed; tell its operator the request id")
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata),
        error_details_pb2.RequestInfo(request_id=request_id),
    ]
    if isinstance(error, InvalidArgumentError):
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=error.field, description=error.problem, reason=error.reason
        )
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    if error.status == "UNAVAILABLE" or isinstance(error, TooBusyError | RateLimitedError):
        retry = error_details_pb2.RetryInfo()
        wait = getattr(error, "seconds", float(RETRY_SECONDS))
        retry.retry_delay.FromTimedelta(timedelta(seconds=wait))
        details.append(retry)
    if isinstance(error, QuotaError):
        quota = error_details_pb2.QuotaFailure.Violation(
            subject=error.metadata["quota"], description=error.message
        )
        details.append(error_details_pb2.QuotaFailure(violations=[quota]))
    if isinstance(error, NotFoundError):
        # Its name would hold the person's id; the caller knows what it asked for.
        kind = error.metadata.get("resource", "")
        details.append(
            error_details_pb2.ResourceInfo(resource_type=kind, description=error.message)
        )
    return status_pb2.Status(
        code=code_pb2.Code.Value(error.status),
        message=error.message,
        details=[_packed(detail) for detail in details],
    )


def status_code(status: status_pb2.Status) -> grpc.StatusCode:
    """The code by which gRPC knows it."""
    return grpc.StatusCode[code_pb2.Code.Name(status.code)]


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
