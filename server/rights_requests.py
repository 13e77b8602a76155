"""Data-subject requests on the wire: their names, messages, and the cursors of their lists."""

from __future__ import annotations

from typing import Final

from memory.app.register import FIRST, After
from memory.core.micros import from_place
from memory.core.requests import Extension, Outcome, Right, RightsRequest
from memory.core.values import RecordId
from memory.errors import InvalidArgumentError
from memory.v1 import core_pb2
from server.messages import to_timestamp

_Wire = core_pb2.DataSubjectRequest

_RIGHTS: Final = {
    Right.ACCESS: _Wire.RIGHT_ACCESS,
    Right.PORTABILITY: _Wire.RIGHT_PORTABILITY,
    Right.RECTIFICATION: _Wire.RIGHT_RECTIFICATION,
    Right.ERASURE: _Wire.RIGHT_ERASURE,
    Right.RESTRICTION: _Wire.RIGHT_RESTRICTION,
    Right.OBJECTION: _Wire.RIGHT_OBJECTION,
}
_OUTCOMES: Final = {
    _Wire.OUTCOME_FULFILLED: Outcome.FULFILLED,
    _Wire.OUTCOME_REFUSED: Outcome.REFUSED,
    _Wire.OUTCOME_ABANDONED: Outcome.ABANDONED,
}
_WIRE_OUTCOMES: Final = {outcome: number for number, outcome in _OUTCOMES.items()}
_EXTENSIONS: Final = {
    _Wire.EXTENSION_COMPLEXITY: Extension.COMPLEXITY,
    _Wire.EXTENSION_NUMBER: Extension.NUMBER,
}
_WIRE_EXTENSIONS: Final = {reason: number for number, reason in _EXTENSIONS.items()}


def from_request(request: RightsRequest) -> core_pb2.DataSubjectRequest:
    """A request as callers see it."""
    finished = request.finished_at
    return core_pb2.DataSubjectRequest(
        name=f"dataSubjectRequests/{request.id}",
        right=_RIGHTS[request.right],
        receive_time=to_timestamp(request.received_at),
        due_time=to_timestamp(request.due_at),
        extension=(
            _WIRE_EXTENSIONS[request.extended_for]
            if request.extended_for
            else _Wire.EXTENSION_UNSPECIFIED
        ),
        outcome=(_WIRE_OUTCOMES[request.outcome] if request.outcome else _Wire.OUTCOME_UNSPECIFIED),
        complete_time=None if finished is None else to_timestamp(finished),
    )


def request_from(name: str, field: str) -> RecordId:
    """The id of `dataSubjectRequests/{data_subject_request}`."""
    collection, _, id_ = name.partition("/")
    try:
        if collection == "dataSubjectRequests":
            return RecordId.parse(id_)
    except InvalidArgumentError:
        pass
    raise InvalidArgumentError(field, "must be of the form dataSubjectRequests/{UUID}")


def to_outcome(number: core_pb2.DataSubjectRequest.Outcome.ValueType, field: str) -> Outcome:
    """How a request ended; unspecified is an error here."""
    try:
        return _OUTCOMES[number]
    except KeyError:
        raise InvalidArgumentError(field, "must be one of DataSubjectRequest.Outcome") from None


def to_extension(number: core_pb2.DataSubjectRequest.Extension.ValueType, field: str) -> Extension:
    """Why a request takes longer; unspecified is an error here."""
    try:
        return _EXTENSIONS[number]
    except KeyError:
        raise InvalidArgumentError(field, "must be one of DataSubjectRequest.Extension") from None


def decode_after(cursor: bytes | None) -> After:
    """Where a page ended, from its cursor; None is before the first."""
    return FIRST if cursor is None else from_place(cursor)
