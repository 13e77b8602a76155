"""SubjectRightsService: a person takes their data away, or has it forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from memory.app.erase_memories import EraseMemories
from memory.app.export import Export, Piece
from memory.app.forget import WAIT_SECONDS, Forget
from memory.app.narrow import Which
from memory.app.register import Register
from memory.app.restrict import Restrict
from memory.app.take_in import Incoming, TakeIn
from memory.core.micros import to_place
from memory.core.values import AssistantId, RecordId
from memory.errors import InvalidArgumentError
from memory.ports import ErasureRow, ErasureState
from memory.v1 import subject_rights_service_pb2 as pb
from server.call import Answer, Call, StreamAnswer, TakingAnswer
from server.messages import fields_named, maybe_timestamp, to_narrow, to_time, to_timestamp
from server.names import (
    certificate_from,
    erasure_name,
    person_from,
    person_name,
    purpose_from,
)
from server.page_tokens import PageTokens, page_size
from server.policy import REVEAL, require_scope
from server.resume_tokens import decode_place, encode_place
from server.rights_requests import decode_after, from_request

MAX_PIECE_BYTES: Final = 1024 * 1024
"""Of an archive, in one message."""

MAX_REQUEST_ID_CHARS: Final = 64

MAX_PURPOSES: Final = 100
"""Purposes in one erasure."""

_ANSWER_SECONDS: Final = 1.0
"""Kept of a call's deadline for the answer."""

_STATES: Final = {
    ErasureState.FENCED: pb.Erasure.STATE_FENCED,
    ErasureState.KEY_DESTROYED: pb.Erasure.STATE_KEY_DESTROYED,
    ErasureState.SWEPT: pb.Erasure.STATE_SWEPT,
    ErasureState.DONE: pb.Erasure.STATE_DONE,
}


@dataclass(frozen=True, slots=True)
class SubjectRights:
    """Translates between `memory.v1.SubjectRightsService` and the use cases."""

    export: Export
    take_in: TakeIn
    forget: Forget
    erase_memories: EraseMemories
    restrict: Restrict
    register: Register
    tokens: PageTokens

    def answers(self) -> Mapping[str, Answer | StreamAnswer | TakingAnswer]:
        """Every rpc of the service."""
        return {
            "ExportData": self._export,
            "ImportData": self._import,
            "ForgetUser": self._forget,
            "EraseMemories": self._erase,
            "ListErasures": self._list,
            "GetErasureCertificate": self._certificate,
            "ListPersonRequests": self._requests,
            "RestrictProcessing": self._restrict,
            "LiftRestriction": self._lift,
        }

    def _export(self, call: Call, request: pb.ExportDataRequest) -> Iterator[pb.ExportDataResponse]:
        person = person_from(call.caller, request.name, "name")
        if request.reveal:
            require_scope(call.caller, REVEAL)
        place = None
        if request.resume_token:
            with fields_named({"page_token": "resume_token"}):
                cursor = self.tokens.open(call.method, call.caller, request, request.resume_token)
            place = decode_place(cursor)
        pieces = self.export(call.caller, person, revealed=request.reveal, place=place)
        return (self._piece(call, request, piece) for piece in pieces)

    def _piece(
        self, call: Call, request: pb.ExportDataRequest, piece: Piece
    ) -> pb.ExportDataResponse:
        token = ""
        if piece.place is not None:
            cursor = encode_place(piece.place)
            token = self.tokens.seal(call.method, call.caller, request, cursor)
        return pb.ExportDataResponse(data=piece.data, resume_token=token)

    def _import(self, call: Call) -> _Taker:
        return _Taker(call, self.take_in)

    def _requests(
        self, call: Call, request: pb.ListPersonRequestsRequest
    ) -> pb.ListPersonRequestsResponse:
        person = person_from(call.caller, request.parent, "parent")
        after = decode_after(self.tokens.cursor(call, request))
        requests, more = self.register.of(call.caller, person, after, page_size(request.page_size))
        return pb.ListPersonRequestsResponse(
            requests=map(from_request, requests),
            next_page_token=self.tokens.after(call, request, more and to_place(*more)),
        )

    def _forget(self, call: Call, request: pb.ForgetUserRequest) -> pb.Erasure:
        person = person_from(call.caller, request.name, "name")
        return self._erasure(
            self.forget(call.caller, person, at_once=request.at_once, wait=_patience(call))
        )

    def _erase(self, call: Call, request: pb.EraseMemoriesRequest) -> pb.Erasure:
        person = person_from(call.caller, request.parent, "parent")
        if len(request.purposes) > MAX_PURPOSES:
            raise InvalidArgumentError("purposes", f"at most {MAX_PURPOSES}")
        which = Which(
            narrow=to_narrow(request.filter),
            purposes=frozenset(purpose_from(p, "purposes") for p in request.purposes),
            source=_source(request.source),
        )
        return self._erasure(
            self.erase_memories(
                call.caller, person, which, at_once=request.at_once, wait=_patience(call)
            )
        )

    def _certificate(
        self, call: Call, request: pb.GetErasureCertificateRequest
    ) -> pb.ErasureCertificate:
        erasure = self.forget.get(call.caller, certificate_from(request.name, "name"))
        return pb.ErasureCertificate(
            name=request.name, erasure=self._erasure(erasure), dsse_envelope=erasure.certificate
        )

    def _list(self, call: Call, request: pb.ListErasuresRequest) -> pb.ListErasuresResponse:
        behind = None
        if request.page_token:
            behind = RecordId(
                self.tokens.open(call.method, call.caller, request, request.page_token)
            )
        rows, more = self.forget.page(call.caller, behind, page_size(request.page_size))
        token = (
            "" if more is None else self.tokens.seal(call.method, call.caller, request, more.value)
        )
        return pb.ListErasuresResponse(
            erasures=[self._erasure(row) for row in rows], next_page_token=token
        )

    def _erasure(self, erasure: ErasureRow) -> pb.Erasure:
        due = erasure.epoch_due(self.erase_memories.eraser.bound)
        return pb.Erasure(
            name=erasure_name(erasure.id),
            state=_STATES[erasure.state],
            counts=pb.ErasureCounts(
                memory_count=erasure.memories,
                pseudonym_count=erasure.vault_entries,
                consent_count=erasure.consents,
            ),
            create_time=to_timestamp(erasure.started_at),
            complete_time=maybe_timestamp(erasure.finished_at),
            key_destroy_time=maybe_timestamp(erasure.key_destroyed_at),
            epoch_destroy_time=maybe_timestamp(erasure.epoch_destroyed_at),
            epoch_due_time=maybe_timestamp(due),
            waits_for=erasure.waits_for,
            remaining_memory_count=self.forget.remaining(erasure),
        )

    def _restrict(self, call: Call, request: pb.RestrictProcessingRequest) -> pb.Restriction:
        person = person_from(call.caller, request.name, "name")
        since = self.restrict(call.caller, person)
        name = f"{person_name(person)}/restriction"
        return pb.Restriction(name=name, restricted=True, update_time=to_timestamp(since))

    def _lift(self, call: Call, request: pb.LiftRestrictionRequest) -> pb.Restriction:
        person = person_from(call.caller, request.name, "name")
        informed = None
        if request.HasField("informed_time"):
            informed = to_time(request.informed_time, "informed_time")
        now = self.restrict.lift(call.caller, person, informed)
        name = f"{person_name(person)}/restriction"
        return pb.Restriction(name=name, restricted=False, update_time=to_timestamp(now))


class _Taker:
    """One ImportData: the archive as it comes in."""

    def __init__(self, call: Call, take_in: TakeIn) -> None:
        self._call = call
        self._take_in = take_in
        self._incoming: Incoming | None = None

    def take(self, request: pb.ImportDataRequest) -> None:
        if self._incoming is None:
            person = person_from(self._call.caller, request.name, "name")
            if not 0 < len(request.request_id) <= MAX_REQUEST_ID_CHARS:
                raise InvalidArgumentError("request_id", "is needed: a random UUID")
            self._incoming = self._take_in.begin(self._call.caller, person)
        if len(request.data) > MAX_PIECE_BYTES:
            raise InvalidArgumentError("data", f"at most {MAX_PIECE_BYTES} bytes in one message")
        self._incoming.take(request.data)

    def finish(self) -> pb.ImportDataResponse:
        if self._incoming is None:
            raise InvalidArgumentError("name", "is needed in the first message")
        taken = self._incoming.finish()
        return pb.ImportDataResponse(
            memory_count=taken.memories,
            duplicate_count=taken.duplicates,
            expired_count=taken.expired,
        )

    def close(self) -> None:
        if self._incoming is not None:
            self._incoming.close()


def _patience(call: Call) -> float:
    """How long to wait for a certificate, so that the answer arrives in time."""
    return min(WAIT_SECONDS, call.left() - _ANSWER_SECONDS)


def _source(client: str) -> AssistantId | None:
    if not client:
        return None
    try:
        return AssistantId(client)
    except InvalidArgumentError as error:
        raise InvalidArgumentError("source", error.problem) from None
