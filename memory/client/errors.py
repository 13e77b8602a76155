"""What a call was refused with, named for its reason.

Rules:
- One class for one way to react. `except ConsentMissing` asks the person; `except ClientError`
  has all of them.
- The message is the server's own, which says what to do next and never quotes content. Where no
  Tacit server answered, it says what to check.
- Nothing of a request is in an error: not in its message, `repr` or attributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]

_DOMAIN: Final = "tacit.memory.v1"
_DETAILS_KEY: Final = "grpc-status-details-bin"


class ClientError(Exception):
    """A call was refused, or nobody answered.

    Attributes:
        status: The gRPC status, such as "PERMISSION_DENIED".
        reason: The name of an `ErrorReason`; empty where no Tacit server answered.
        metadata: What a program may act on: a field, a limit, a scope.
        request_id: Under which the call stands in the server's log; tell it to the operator.
        retry_seconds: After which the call may be repeated unchanged; None: the server did not say.
    """

    reasons: ClassVar[tuple[str, ...]] = ()
    statuses: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        message: str,
        *,
        status: str,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        request_id: str = "",
        retry_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.request_id = request_id
        self.retry_seconds = retry_seconds

    def __str__(self) -> str:
        told = f"{self.reason or self.status}: {self.args[0]}"
        return f"{told} (request {self.request_id})" if self.request_id else told


class Internal(ClientError):
    """A fault of the server: tell its operator the request id."""

    reasons = ("INTERNAL",)


class NotBuilt(ClientError):
    """The server does not know the call, or an option of it: it may be older than the client."""

    reasons = ("NOT_IMPLEMENTED",)
    statuses = ("UNIMPLEMENTED",)


class DeadlinePassed(ClientError):
    """No answer in time. A write may have happened."""

    reasons = ("DEADLINE_PASSED",)
    statuses = ("DEADLINE_EXCEEDED",)


class Unavailable(ClientError):
    """The server, or what it rests on, does not answer now; it was tried again before."""

    reasons = ("SHUTTING_DOWN", "STORAGE_UNAVAILABLE", "KEY_UNAVAILABLE", "INDEX_UNAVAILABLE")
    statuses = ("UNAVAILABLE",)


class TooBusy(ClientError):
    """More calls wait than the server may queue."""

    reasons = ("TOO_BUSY",)


class RateLimited(ClientError):
    """The tenant makes more calls than it may; `retry_seconds` says until when."""

    reasons = ("RATE_LIMITED",)


class InvalidArgument(ClientError):
    """A field is missing or malformed: `metadata["field"]` names it."""

    reasons: ClassVar[tuple[str, ...]] = ("INVALID_FIELD", "SIGNATURE_INVALID")


class TextTooLong(InvalidArgument):
    """A text is over the limit: store it in parts."""

    reasons = ("TEXT_TOO_LONG",)


class PurposeUnknown(InvalidArgument):
    """The purpose is not in the tenant's registry: `Client.purposes` lists what is."""

    reasons = ("PURPOSE_UNKNOWN",)


class PageTokenInvalid(InvalidArgument):
    """The list changed its rules meanwhile, or took too long: start again."""

    reasons = ("PAGE_TOKEN_INVALID",)


class ArchiveInvalid(InvalidArgument):
    """The file is no archive, or not the one that was written: `metadata["line"]` says where."""

    reasons = ("ARCHIVE_INVALID",)


class TokenInvalid(ClientError):
    """No token, or one that is forged, expired, or made for another server."""

    reasons = ("TOKEN_INVALID",)
    statuses = ("UNAUTHENTICATED",)


class ScopeMissing(ClientError):
    """The token lacks `metadata["scope"]`."""

    reasons = ("SCOPE_MISSING",)


class PersonMismatch(ClientError):
    """The token belongs to another person."""

    reasons = ("PERSON_MISMATCH",)


class CallerNotAllowed(ClientError):
    """The call is not for this kind of caller."""

    reasons = ("CALLER_NOT_ALLOWED",)


class ConsentMissing(ClientError):
    """No consent covers this person, purpose and assistant now: ask them, then `grant`."""

    reasons = ("CONSENT_MISSING",)


class Objection(ClientError):
    """The person objected: only their own token can allow it again."""

    reasons = ("OBJECTION",)


class NotFound(ClientError):
    """No such resource for this caller; a missing and a foreign one read alike."""

    reasons = ("RESOURCE_NOT_FOUND",)


class RequestIdReused(ClientError):
    """The `request_id` came with another call, or its memory was deleted since."""

    reasons = ("REQUEST_ID_REUSED",)


class VersionConflict(ClientError):
    """The memory was changed since it was read: read it again."""

    reasons = ("VERSION_CONFLICT",)


class ErasureInProgress(ClientError):
    """The person is being forgotten: nothing can be stored or recalled until that is done."""

    reasons = ("ERASURE_IN_PROGRESS",)


class ProcessingRestricted(ClientError):
    """The person's data is kept and not used, until `lift`."""

    reasons = ("PROCESSING_RESTRICTED",)


class LegalHold(ClientError):
    """A legal hold keeps this person's data from being erased. Nothing was erased."""

    reasons = ("LEGAL_HOLD",)


class QuotaExceeded(ClientError):
    """The quota `metadata["quota"]` leaves no room. Nothing was stored: delete something first."""

    reasons = ("QUOTA_EXCEEDED",)


class StorageFull(ClientError):
    """The server's disk or database is full. Nothing was stored."""

    reasons = ("STORAGE_FULL",)


class RecordDamaged(ClientError):
    """A sealed record does not open: tell the operator."""

    reasons = ("RECORD_DAMAGED",)


def _tree(root: type[ClientError]) -> list[type[ClientError]]:
    return [root, *(leaf for child in root.__subclasses__() for leaf in _tree(child))]


_BY_REASON: Final = {reason: kind for kind in _tree(ClientError) for reason in kind.reasons}
_BY_STATUS: Final = {status: kind for kind in _tree(ClientError) for status in kind.statuses}


def refusal(
    code: grpc.StatusCode, details: str | None, trailing: Iterable[tuple[str, str | bytes]] | None
) -> ClientError:
    """The error for a call that ended with `code`, by its google.rpc details if it has any."""
    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.RequestInfo()
    retry = error_details_pb2.RetryInfo()
    waited = False
    status = _status(trailing)
    for packed in status.details:
        packed.Unpack(info)
        packed.Unpack(request)
        waited = packed.Unpack(retry) or waited
    seconds = retry.retry_delay.ToTimedelta().total_seconds() if waited else None
    if info.domain != _DOMAIN:
        kind = _BY_STATUS.get(code.name, ClientError)
        return kind(_unanswered(code, details), status=code.name, retry_seconds=seconds)
    return _BY_REASON.get(info.reason, ClientError)(
        status.message,
        status=code.name,
        reason=info.reason,
        metadata=info.metadata,
        request_id=request.request_id,
        retry_seconds=seconds,
    )


def _status(trailing: Iterable[tuple[str, str | bytes]] | None) -> status_pb2.Status:
    packed = dict(trailing or ()).get(_DETAILS_KEY, b"")
    try:
        return status_pb2.Status.FromString(packed)
    except (DecodeError, TypeError):  # something between made it
        return status_pb2.Status()


def _unanswered(code: grpc.StatusCode, details: str | None) -> str:
    """What to check where no Tacit server spoke; what others say of a call may quote it."""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return "no answer in time; check that the server is well, or give a longer timeout"
    if code is grpc.StatusCode.UNAVAILABLE:  # said by gRPC here, of the connection
        return f"no server answers; check target and tls: {details or 'no reason given'}"
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return "an answer or request is too large, or something between the server and here is busy"
    return "this is no answer of a Tacit server; check target, and what lies between"
