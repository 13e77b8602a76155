"""SubjectRightsService: a person takes their data away, or has it forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from memory.app.erase_memories import EraseMemories, Which
from memory.app.export import Export
from memory.app.forget import WAIT_SECONDS, Forget
from memory.app.restrict import Restrict
from memory.core.values import AssistantId, RecordId
from memory.errors import InvalidArgumentError
from memory.ports import ErasureRow, ErasureState
from memory.v1 import subject_rights_service_pb2 as pb
from server.call import Answer, Call, StreamAnswer
from server.messages import to_narrow, to_timestamp
from server.names import (
    certificate_from,
    erasure_name,
    person_from,
    person_name,
    purpose_from,
)
from server.page_tokens import PageTokens, page_size
from server.policy import REVEAL, require_scope
from server.services.unbuilt import unbuilt

CHUNK_BYTES: Final = 64 * 1024
"""An export's message is sent once its lines have this many bytes."""

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
    forget: Forget
    erase_memories: EraseMemories
    restrict: Restrict
    tokens: PageTokens

    def answers(self) -> Mapping[str, Answer | StreamAnswer]:
        """Every rpc of the service."""
        return {
            "ExportData": self._export,
            "ImportData": unbuilt,
            "ForgetUser": self._forget,
            "EraseMemories": self._erase,
            "ListErasures": self._list,
            "GetErasureCertificate": self._certificate,
            "RestrictProcessing": self._restrict,
            "LiftRestriction": self._lift,
        }

    def _export(self, call: Call, request: pb.ExportDataRequest) -> Iterator[pb.ExportDataResponse]:
        person = person_from(call.caller, request.name, "name")
        if request.resume_token:
            raise InvalidArgumentError("resume_token", "was not made here; start from the first")
        if request.reveal:
            require_scope(call.caller, REVEAL)
        lines = self.export(call.caller, person, revealed=request.reveal)
        return (pb.ExportDataResponse(data=chunk) for chunk in _chunks(lines))

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
            complete_time=_stamp(erasure.finished_at),
            key_destroy_time=_stamp(erasure.key_destroyed_at),
            epoch_destroy_time=_stamp(erasure.epoch_destroyed_at),
            epoch_due_time=_stamp(due),
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
        now = self.restrict.lift(call.caller, person)
        name = f"{person_name(person)}/restriction"
        return pb.Restriction(name=name, restricted=False, update_time=to_timestamp(now))


def _chunks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines, together until they are large enough to send."""
    chunk = bytearray()
    for line in lines:
        chunk += line
        if len(chunk) >= CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    if chunk:
        yield bytes(chunk)


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


def _stamp(moment: datetime | None) -> Timestamp | None:
    return None if moment is None else to_timestamp(moment)
