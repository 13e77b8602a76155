"""Everything that can go wrong, named for what went wrong.

Rules:
- A message says what happened and what to do next. It never quotes content, a token,
  a person id or a key: it may reach logs and callers.
- Each class maps to one gRPC status code and one `memory.v1.ErrorReason`, both by name, so
  that the domain does not import grpc or the stubs.
- `metadata` holds what a program may act on (a field, a limit), never content.
"""

from __future__ import annotations

from typing import ClassVar


class TacitError(Exception):
    """Root of the tree. `status` is a gRPC status name, `reason` an `ErrorReason` name."""

    status: ClassVar[str] = "INTERNAL"
    reason: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = metadata


class InvalidArgumentError(TacitError):
    """A field of the request is malformed. Always carries `field` in its metadata."""

    status = "INVALID_ARGUMENT"
    reason = "INVALID_FIELD"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}", field=field)
        self.field = field
        self.problem = problem


class TextTooLongError(InvalidArgumentError):
    """A text is over the stated limit."""

    reason = "TEXT_TOO_LONG"


class UnknownPurposeError(InvalidArgumentError):
    """The purpose is not in this tenant's registry."""

    reason = "PURPOSE_UNKNOWN"


class PageTokenError(InvalidArgumentError):
    """The page token is forged, or belongs to another caller, method or filter."""

    reason = "PAGE_TOKEN_INVALID"


class ArchiveError(InvalidArgumentError):
    """An archive is not what was written, or not an archive. Carries the `line` it fails at."""

    reason = "ARCHIVE_INVALID"

    def __init__(self, line: int, problem: str) -> None:
        super().__init__("data", f"line {line}: {problem}")
        self.metadata["line"] = str(line)


class UnauthenticatedError(TacitError):
    """No credential, or one that is forged, expired or not yet valid."""

    status = "UNAUTHENTICATED"
    reason = "TOKEN_INVALID"


class ScopeError(TacitError):
    """The credential is good but lacks the scope that this call needs."""

    status = "PERMISSION_DENIED"
    reason = "SCOPE_MISSING"


class PersonMismatchError(TacitError):
    """The credential belongs to another person than the one named in the request."""

    status = "PERMISSION_DENIED"
    reason = "PERSON_MISMATCH"


class ConsentError(TacitError):
    """No consent covers (person, purpose, assistant) now. Also what an unknown person reads."""

    status = "PERMISSION_DENIED"
    reason = "CONSENT_MISSING"


class RestrictedError(TacitError):
    """Processing is restricted (GDPR Art. 18): what is kept is not used."""

    status = "FAILED_PRECONDITION"
    reason = "PROCESSING_RESTRICTED"


class LegalHoldError(TacitError):
    """A legal hold keeps what there is from being erased (GDPR Art. 17(3)(e))."""

    status = "FAILED_PRECONDITION"
    reason = "LEGAL_HOLD"


class ObjectionError(TacitError):
    """The person objected to this use (GDPR Art. 21): only they can allow it again."""

    status = "PERMISSION_DENIED"
    reason = "OBJECTION"


class NotFoundError(TacitError):
    """No such resource for this caller; a missing and a foreign one read alike."""

    status = "NOT_FOUND"
    reason = "RESOURCE_NOT_FOUND"


class ErasureInProgressError(TacitError):
    """The person is being forgotten: nothing can be stored or recalled until it is done."""

    status = "FAILED_PRECONDITION"
    reason = "ERASURE_IN_PROGRESS"


class VersionConflictError(TacitError):
    """The memory was changed since the version that the caller names."""

    status = "ABORTED"
    reason = "VERSION_CONFLICT"


class RequestIdReusedError(TacitError):
    """A `request_id` came back with another call or after its memory was deleted."""

    status = "ALREADY_EXISTS"
    reason = "REQUEST_ID_REUSED"


class RequestClosedError(TacitError):
    """The data-subject request has ended, or was extended before."""

    status = "FAILED_PRECONDITION"
    reason = "REQUEST_CLOSED"


class StorageFullError(TacitError):
    """The disk or database is full. Nothing was stored."""

    status = "RESOURCE_EXHAUSTED"
    reason = "STORAGE_FULL"


class QuotaError(TacitError):
    """The tenant has no room left; nothing was stored. Carries the `quota` and its `limit`."""

    status = "RESOURCE_EXHAUSTED"
    reason = "QUOTA_EXCEEDED"


class StorageUnavailableError(TacitError):
    """SQL does not answer. Nothing was stored; the call may be repeated."""

    status = "UNAVAILABLE"
    reason = "STORAGE_UNAVAILABLE"


class LostRaceError(StorageUnavailableError):
    """Another writer was faster, or took away what this write rests on."""


class KeyUnavailableError(TacitError):
    """The key provider does not answer, or the key of a record is gone."""

    status = "UNAVAILABLE"
    reason = "KEY_UNAVAILABLE"


class KeyMovedError(KeyUnavailableError):
    """A key was wrapped under an epoch that rotation has left meanwhile: wrap it anew."""


class RotationInProgressError(TacitError):
    """Keys are being rotated already, by another request."""

    status = "FAILED_PRECONDITION"
    reason = "ROTATION_IN_PROGRESS"


class IndexUnavailableError(TacitError):
    """The vector index does not answer; it is being rebuilt from SQL."""

    status = "UNAVAILABLE"
    reason = "INDEX_UNAVAILABLE"


class SealError(TacitError):
    """A sealed record did not open: changed, moved, truncated, or of an unknown version."""

    status = "DATA_LOSS"
    reason = "RECORD_DAMAGED"


class SignatureError(TacitError):
    """A signed text is not what was signed, or not signed by this key."""

    status = "INVALID_ARGUMENT"
    reason = "SIGNATURE_INVALID"

    def __init__(self) -> None:
        super().__init__("the signature does not verify: it was changed, or another key signed it")


class ProofError(SignatureError):
    """A proof does not lead from what it is about to the signed root."""

    def __init__(self) -> None:
        TacitError.__init__(
            self, "the proof does not lead to the signed root: it was changed, or is another's"
        )


class ConfigurationError(TacitError):
    """The server cannot start as configured. The message names the setting or file."""

    status = "FAILED_PRECONDITION"
    reason = "CONFIGURATION_INVALID"


class DataFolderInUseError(ConfigurationError):
    """Another server holds this data folder."""

    reason = "DATA_FOLDER_IN_USE"


class KeyFileError(ConfigurationError):
    """The key file, or who holds the keys in its place, is missing, damaged or does not fit."""

    reason = "KEY_FILE_INVALID"
