"""What a refusal says, and what a fault does not."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2 as details_pb2
from google.rpc import status_pb2

from memory.errors import (
    ConsentError,
    IndexUnavailableError,
    InvalidArgumentError,
    NotFoundError,
    QuotaError,
    TacitError,
    TextTooLongError,
)
from server.errors import DOMAIN, TooBusyError, status_code, to_status


def _detail(status: status_pb2.Status, kind: type[Any]) -> Any:
    for packed in status.details:
        message = kind()
        if packed.Unpack(message):
            return message
    return None


def test_a_refusal_says_why_in_words_a_program_can_read() -> None:
    status = to_status(ConsentError("ask them", purpose="care"), "id-1")
    assert status_code(status) is grpc.StatusCode.PERMISSION_DENIED
    assert status.message == "ask them"
    info = _detail(status, details_pb2.ErrorInfo)
    assert (info.reason, info.domain, info.metadata) == (
        "CONSENT_MISSING",
        DOMAIN,
        {"purpose": "care"},
    )
    assert _detail(status, details_pb2.RequestInfo).request_id == "id-1"


@pytest.mark.parametrize("error", [InvalidArgumentError, TextTooLongError])
def test_a_malformed_field_is_named(error: type[InvalidArgumentError]) -> None:
    status = to_status(error("memory.text", "must not be empty"), "")
    (violation,) = _detail(status, details_pb2.BadRequest).field_violations
    assert (violation.field, violation.description) == ("memory.text", "must not be empty")
    assert violation.reason == error.reason


@pytest.mark.parametrize("error", [IndexUnavailableError("wait"), TooBusyError("wait")])
def test_what_passes_by_itself_says_when_to_come_back(error: TacitError) -> None:
    assert _detail(to_status(error, ""), details_pb2.RetryInfo).retry_delay.seconds == 1


def test_a_quota_is_named_and_no_wait_is_advised() -> None:
    error = QuotaError("no room", quota="memories_per_person", limit="5")
    (violation,) = _detail(to_status(error, ""), details_pb2.QuotaFailure).violations
    assert (violation.subject, violation.description) == ("memories_per_person", "no room")
    assert _detail(to_status(error, ""), details_pb2.RetryInfo) is None


def test_what_does_not_pass_gives_no_such_advice() -> None:
    assert _detail(to_status(ConsentError("no"), ""), details_pb2.RetryInfo) is None


def test_a_missing_resource_is_told_by_kind_and_not_by_name() -> None:
    info = _detail(
        to_status(NotFoundError("none", resource="memory"), ""), details_pb2.ResourceInfo
    )
    assert (info.resource_type, info.resource_name) == ("memory", "")


@pytest.mark.parametrize("error", [ValueError("Jane Doe"), KeyError("secret"), MemoryError()])
def test_a_fault_says_nothing_of_what_it_was(error: Exception) -> None:
    status = to_status(error, "id-1")
    assert status_code(status) is grpc.StatusCode.INTERNAL
    text = status.SerializeToString()
    assert b"Jane" not in text
    assert b"secret" not in text
    assert b"Error" not in text.replace(b"ErrorInfo", b"")
    assert _detail(status, details_pb2.RequestInfo).request_id == "id-1"
