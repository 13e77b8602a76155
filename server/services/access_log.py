"""SubjectRightsService.ListAccessEvents: who did what with a person's memories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from memory.app.access_log import AccessLog, Logged
from memory.core.micros import from_place, to_place
from memory.core.values import AssistantId, PersonId
from memory.errors import InvalidArgumentError
from memory.ports import AccessAction, AccessFilter
from memory.v1 import subject_rights_service_pb2 as pb
from server.call import Answer, Call
from server.messages import to_time, to_timestamp
from server.names import access_event_name, person_from, purpose_name
from server.page_tokens import PageTokens, page_size

_ACTIONS: Final = {
    AccessAction.STORE: pb.AccessEvent.ACTION_STORE,
    AccessAction.READ: pb.AccessEvent.ACTION_READ,
    AccessAction.REVEAL: pb.AccessEvent.ACTION_REVEAL,
    AccessAction.UPDATE: pb.AccessEvent.ACTION_UPDATE,
    AccessAction.ERASE: pb.AccessEvent.ACTION_ERASE,
    AccessAction.EXPORT: pb.AccessEvent.ACTION_EXPORT,
    AccessAction.CONSENT: pb.AccessEvent.ACTION_CONSENT,
    AccessAction.RATE: pb.AccessEvent.ACTION_RATE,
}
_FROM_WIRE: Final = {number: action for action, number in _ACTIONS.items()}


@dataclass(frozen=True, slots=True)
class AccessEvents:
    """Translates between the rpc and the use case."""

    log: AccessLog
    tokens: PageTokens

    def answers(self) -> Mapping[str, Answer]:
        """The one rpc."""
        return {"ListAccessEvents": self._list}

    def _list(self, call: Call, request: pb.ListAccessEventsRequest) -> pb.ListAccessEventsResponse:
        person = person_from(call.caller, request.parent, "parent")
        cursor = self.tokens.cursor(call, request)
        before = None if cursor is None else from_place(cursor)
        size = page_size(request.page_size)
        page, more = self.log(call.caller, person, _filter(request), size, before)
        return pb.ListAccessEventsResponse(
            access_events=[_event(person, logged) for logged in page],
            next_page_token=self.tokens.after(call, request, more and to_place(*more)),
        )


def _filter(request: pb.ListAccessEventsRequest) -> AccessFilter:
    start = end = None
    if request.HasField("start_time"):
        start = to_time(request.start_time, "start_time")
    if request.HasField("end_time"):
        end = to_time(request.end_time, "end_time")
    if start is not None and end is not None and end <= start:
        raise InvalidArgumentError("end_time", "must be after start_time")
    if unknown := [number for number in request.actions if number not in _FROM_WIRE]:
        raise InvalidArgumentError("actions", f"{len(unknown)} are none of AccessEvent.Action")
    return AccessFilter(
        start=start,
        end=end,
        assistant=AssistantId(request.assistant) if request.assistant else None,
        actions=frozenset(_FROM_WIRE[number] for number in request.actions),
    )


def _event(person: PersonId, logged: Logged) -> pb.AccessEvent:
    event, leaf = logged.event, logged.leaf
    return pb.AccessEvent(
        name=access_event_name(person, event.id),
        event_time=to_timestamp(event.at),
        assistant=event.assistant.value,
        purpose="" if event.purpose is None else purpose_name(event.purpose),
        action=_ACTIONS[event.action],
        memory_count=event.memories,
        denied=event.denied,
        leaf_input=leaf.input,
        leaf_hash=leaf.hash,
    )
