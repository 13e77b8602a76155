"""SubjectRightsService: a person takes their data away, or has it forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from memory.app.export import Export
from memory.app.forget import Forget
from memory.app.restrict import Restrict
from memory.errors import InvalidArgumentError
from memory.ports import ErasureRow, ErasureState
from memory.v1 import subject_rights_service_pb2 as pb
from server.call import Answer, Call, StreamAnswer
from server.messages import to_timestamp
from server.names import erasure_name, person_from, person_name
from server.policy import REVEAL, require_scope
from server.services.unbuilt import unbuilt

CHUNK_BYTES: Final = 64 * 1024
"""An export's message is sent once its lines have this many bytes."""

_STATES: Final = {
    ErasureState.FENCED: pb.Erasure.STATE_FENCED,
    ErasureState.KEY_DESTROYED: pb.Erasure.STATE_KEY_DESTROYED,
    ErasureState.DONE: pb.Erasure.STATE_DONE,
}


@dataclass(frozen=True, slots=True)
class SubjectRights:
    """Translates between `memory.v1.SubjectRightsService` and the use cases."""

    export: Export
    forget: Forget
    restrict: Restrict

    def answers(self) -> Mapping[str, Answer | StreamAnswer]:
        """Every rpc of the service."""
        return {
            "ExportData": self._export,
            "ImportData": unbuilt,
            "ForgetUser": self._forget,
            "GetErasureCertificate": unbuilt,
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
        return _erasure(self.forget(call.caller, person))

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


def _erasure(erasure: ErasureRow) -> pb.Erasure:
    finished = erasure.finished_at
    return pb.Erasure(
        name=erasure_name(erasure.id),
        state=_STATES[erasure.state],
        counts=pb.ErasureCounts(
            memory_count=erasure.memories,
            pseudonym_count=erasure.vault_entries,
            consent_count=erasure.consents,
        ),
        create_time=to_timestamp(erasure.started_at),
        complete_time=None if finished is None else to_timestamp(finished),
    )
