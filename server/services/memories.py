"""MemoryService: store, recall, list, correct and delete memories."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from memory.app.context import MAX_TOKENS, BuildContext
from memory.app.erase_memories import EraseMemories
from memory.app.handover import BuildHandover
from memory.app.profile import Known, Profile
from memory.app.recall import MAX_LIMIT, Hit, Recall
from memory.app.rectify import Change, Rectify
from memory.app.remember import Acknowledged, Remember
from memory.app.reveal import Reveal
from memory.app.sealing import Remembered
from memory.core.context import Context
from memory.core.draft import Draft
from memory.core.values import Access, PersonId, RawText
from memory.errors import InvalidArgumentError, NotFoundError
from memory.v1 import core_pb2
from memory.v1 import memory_service_pb2 as pb
from server.call import Answer, Call
from server.messages import (
    fields_named,
    from_kind,
    from_memory,
    to_access,
    to_draft,
    to_kind,
    to_narrow,
    to_records,
    to_time,
    to_timestamp,
    to_version,
)
from server.names import erasure_name, memory_from, memory_name, person_from
from server.page_tokens import PageTokens, page_size
from server.policy import REVEAL, require_scope

DEFAULT_LIMIT: Final = 10
"""Hits of a recall that names no limit."""

DEFAULT_TOKENS: Final = 1_000
"""Budget of a context that names none."""

YEARS: Final = range(1900, 9999)
"""In which a query may be asked: what it counts back from stays within the calendar."""

_PURPOSE: Final = {"purpose": "access.purpose"}
_ONLY: Final = {
    f"requests[0].memory.{name}": f"memory.{name}" for name in ("sources", "supersedes")
}


Elsewhere = Callable[[Call, pb.RecallMemoriesRequest | pb.BuildContextRequest], bytes | None]
"""Another who may answer, see `server.beside`; None when it is to be done here."""


def nobody_else(
    _call: Call, _request: pb.RecallMemoriesRequest | pb.BuildContextRequest
) -> bytes | None:
    """All is done here."""
    return None


@dataclass(frozen=True, slots=True)
class Memories:
    """Translates between `memory.v1.MemoryService` and the use cases."""

    remember: Remember
    recall: Recall
    build_context: BuildContext
    profile: Profile
    build_handover: BuildHandover
    rectify: Rectify
    erase_memories: EraseMemories
    reveal: Reveal
    tokens: PageTokens
    elsewhere: Elsewhere = nobody_else

    def answers(self) -> Mapping[str, Answer]:
        """Every rpc of the service."""
        return {
            "StoreMemory": self._store,
            "BatchStoreMemories": self._batch_store,
            "RecallMemories": self._recall,
            "BuildContext": self._build_context,
            "GetProfile": self._profile,
            "BuildHandover": self._build_handover,
            "GetMemory": self._get,
            "ListMemories": self._list,
            "UpdateMemory": self._update,
            "DeleteMemory": self._delete,
        }

    def _store(self, call: Call, request: pb.StoreMemoryRequest) -> pb.StoreMemoryResponse:
        person = person_from(call.caller, request.parent, "parent")
        access = to_access(call.caller, person, request.access)
        draft = _draft(call, person, request)
        with fields_named(_PURPOSE | _ONLY):
            (stored,) = self.remember(access, [draft])
        return _stored(person, stored)

    def _batch_store(
        self, call: Call, request: pb.BatchStoreMemoriesRequest
    ) -> pb.BatchStoreMemoriesResponse:
        person = person_from(call.caller, request.parent, "parent")
        access = to_access(call.caller, person, request.access)
        drafts = [_element(call, person, request, i) for i in range(len(request.requests))]
        with fields_named(_PURPOSE):
            stored = self.remember(access, drafts)
        return pb.BatchStoreMemoriesResponse(responses=[_stored(person, one) for one in stored])

    def _recall(
        self, call: Call, request: pb.RecallMemoriesRequest
    ) -> pb.RecallMemoriesResponse | bytes:
        if (answer := self.elsewhere(call, request)) is not None:
            return answer
        person = person_from(call.caller, request.parent, "parent")
        access = to_access(call.caller, person, request.access)
        _may_reveal(call, request)
        if request.limit < 0:
            raise InvalidArgumentError("limit", "must not be negative")
        limit = min(request.limit or DEFAULT_LIMIT, MAX_LIMIT)
        narrow, asked = to_narrow(request.filter), _asked(request)
        with fields_named(_PURPOSE):
            found = self.recall.best(access, RawText(request.query), limit, narrow, asked=asked)
        hits = found.hits
        shown = {m.id: m for m in self._shown(access, request, [hit.memory for hit in hits])}
        return pb.RecallMemoriesResponse(
            hits=[
                _hit(person, hit, shown[hit.memory.id]) for hit in hits if hit.memory.id in shown
            ],
            recall_token=found.token(hits),
        )

    def _build_context(
        self, call: Call, request: pb.BuildContextRequest
    ) -> pb.BuildContextResponse | bytes:
        if (answer := self.elsewhere(call, request)) is not None:
            return answer
        person = person_from(call.caller, request.parent, "parent")
        access = to_access(call.caller, person, request.access)
        _may_reveal(call, request)
        budget = _budget(request.max_tokens)
        narrow, asked = to_narrow(request.filter), _asked(request)
        with fields_named(_PURPOSE):
            context = self.build_context(
                access, RawText(request.query), budget, narrow, revealed=request.reveal, asked=asked
            )
        return pb.BuildContextResponse(
            text=context.text,
            token_count=context.tokens,
            citations=_citations(person, context),
            recall_token=context.recall_token,
        )

    def _profile(self, call: Call, request: pb.GetProfileRequest) -> pb.GetProfileResponse:
        person = person_from(call.caller, request.parent, "parent")
        access = to_access(call.caller, person, request.access)
        with fields_named(_PURPOSE):
            known = self.profile(access)
        return pb.GetProfileResponse(entries=[_entry(person, one) for one in known])

    def _build_handover(
        self, call: Call, request: pb.BuildHandoverRequest
    ) -> pb.BuildHandoverResponse:
        person = person_from(call.caller, request.parent, "parent")
        access = to_access(call.caller, person, request.access)
        _may_reveal(call, request)
        budget, narrow = _budget(request.max_tokens), to_narrow(request.filter)
        with fields_named(_PURPOSE):
            brief = self.build_handover(access, budget, narrow, with_names=request.reveal)
        return pb.BuildHandoverResponse(
            text=brief.text,
            token_count=brief.tokens,
            citations=_citations(person, brief),
        )

    def _get(self, call: Call, request: pb.GetMemoryRequest) -> core_pb2.Memory:
        person, record = memory_from(call.caller, request.name, "name")
        access = to_access(call.caller, person, request.access)
        _may_reveal(call, request)
        with fields_named(_PURPOSE):
            memory = self.rectify.get(access, record)
        shown = self._shown(access, request, [memory])
        if not shown:
            raise NotFoundError("no such memory of this person", resource="memory")
        return from_memory(person, shown[0])

    def _list(self, call: Call, request: pb.ListMemoriesRequest) -> pb.ListMemoriesResponse:
        person = person_from(call.caller, request.parent, "parent")
        access = to_access(call.caller, person, request.access)
        _may_reveal(call, request)
        narrow = to_narrow(request.filter)
        after = self.tokens.position(call, request, first=-1)
        with fields_named(_PURPOSE):
            page, more = self.rectify.page(access, narrow, after, page_size(request.page_size))
        return pb.ListMemoriesResponse(
            memories=[from_memory(person, m) for m in self._shown(access, request, page)],
            next_page_token=self.tokens.next_token(call, request, more),
        )

    def _update(self, call: Call, request: pb.UpdateMemoryRequest) -> core_pb2.Memory:
        person, record = memory_from(call.caller, request.memory.name, "memory.name")
        access = to_access(call.caller, person, request.access)
        version = to_version(request.memory.etag, "memory.etag")
        change = _change(request)
        with fields_named(_PURPOSE):
            return from_memory(person, self.rectify.update(access, record, change, version))

    def _delete(self, call: Call, request: pb.DeleteMemoryRequest) -> pb.DeleteMemoryResponse:
        person, record = memory_from(call.caller, request.name, "name")
        version = to_version(request.etag, "etag")
        erasure = self.erase_memories.one(call.caller, person, record, version)
        return pb.DeleteMemoryResponse(
            deleted_count=erasure.memories, erasure=erasure_name(erasure.id)
        )

    def _shown(
        self, access: Access, request: _Revealing, memories: Sequence[Remembered]
    ) -> Sequence[Remembered]:
        """With real names if the request asks for them; what was deleted meanwhile is left out."""
        return self.reveal(access, memories) if request.reveal and memories else memories


_Revealing = (
    pb.RecallMemoriesRequest
    | pb.BuildContextRequest
    | pb.BuildHandoverRequest
    | pb.GetMemoryRequest
    | pb.ListMemoriesRequest
)


def _budget(asked: int) -> int:
    if asked < 0:
        raise InvalidArgumentError("max_tokens", "must not be negative")
    return min(asked or DEFAULT_TOKENS, MAX_TOKENS)


def _citations(person: PersonId, context: Context) -> list[pb.ContextCitation]:
    return [
        pb.ContextCitation(mark=f"[{number}]", memory=memory_name(person, record))
        for number, record in enumerate(context.cited, start=1)
    ]


def _asked(request: pb.RecallMemoriesRequest | pb.BuildContextRequest) -> datetime | None:
    if not request.HasField("reference_time"):
        return None
    asked = to_time(request.reference_time, "reference_time")
    if asked.year not in YEARS:
        raise InvalidArgumentError("reference_time", "must lie in the years 1900 to 9998")
    return asked


def _may_reveal(call: Call, request: _Revealing) -> None:
    if request.reveal:
        require_scope(call.caller, REVEAL)


def _stored(person: PersonId, stored: Acknowledged) -> pb.StoreMemoryResponse:
    return pb.StoreMemoryResponse(
        memory=from_memory(person, stored.memory),
        repeated_request=stored.repeated,
        derived=[from_memory(person, memory) for memory in stored.derived],
        merged=stored.merged,
        hidden_counts={kind.lower(): count for kind, count in stored.hidden.items()},
    )


def _draft(call: Call, person: PersonId, one: pb.StoreMemoryRequest) -> Draft:
    named = one.memory
    return to_draft(
        named,
        one.request_id,
        to_records(call.caller, person, named.sources, "memory.sources"),
        to_records(call.caller, person, named.supersedes, "memory.supersedes"),
        extract=one.extract,
    )


def _element(
    call: Call, person: PersonId, batch: pb.BatchStoreMemoriesRequest, index: int
) -> Draft:
    one = batch.requests[index]
    here = f"requests[{index}]"
    if one.parent and one.parent != batch.parent:
        raise InvalidArgumentError(f"{here}.parent", "must be empty or the batch's own")
    if one.HasField("access") and one.access != batch.access:
        raise InvalidArgumentError(f"{here}.access", "must be empty or the batch's own")
    try:
        return _draft(call, person, one)
    except InvalidArgumentError as error:
        raise type(error)(f"{here}.{error.field}", error.problem) from None


def _hit(person: PersonId, hit: Hit, shown: Remembered) -> pb.RecallHit:
    return pb.RecallHit(
        memory=from_memory(person, shown, hit.until, hit.superseded_by),
        score=hit.score,
        parts=[pb.ScorePart(name=name, points=points) for name, points in hit.parts if points],
    )


def _entry(person: PersonId, known: Known) -> pb.ProfileEntry:
    trait = known.trait
    return pb.ProfileEntry(
        kind=from_kind(known.kind),
        subject=trait.subject,
        slot=trait.slot,
        text=known.text,
        denied=not trait.holds,
        confidence=trait.confidence,
        first_time=to_timestamp(trait.said[0]),
        last_time=to_timestamp(trait.said[-1]),
        evidence=[memory_name(person, record) for record in trait.evidence],
    )


_UPDATABLE: Final = (
    *("text", "kind", "speaker", "session", "event_time", "labels", "expire_time", "importance"),
)


def _change(request: pb.UpdateMemoryRequest) -> Change:
    """The change that the mask and the new values describe."""
    memory = request.memory
    paths = list(request.update_mask.paths)
    if not paths:
        present = {descriptor.name for descriptor, _ in memory.ListFields()}
        paths = [path for path in _UPDATABLE if path in present]
    if not paths:
        raise InvalidArgumentError("update_mask", "no field is named, and none is set")
    if unknown := set(paths) - set(_UPDATABLE):
        raise InvalidArgumentError(
            "update_mask",
            f"{len(unknown)} path(s) cannot be updated; those that can: {', '.join(_UPDATABLE)}",
        )

    def change(draft: Draft) -> Draft:
        for path in paths:
            match path:
                case "text":
                    draft = replace(draft, text=RawText(memory.text))
                case "kind":
                    draft = replace(draft, kind=to_kind(memory.kind, "memory.kind"))
                case "speaker":
                    speaker = RawText(memory.speaker) if memory.speaker else None
                    draft = replace(draft, speaker=speaker)
                case "session":
                    draft = replace(draft, session=memory.session)
                case "event_time":
                    given = memory.HasField("event_time")
                    time = to_time(memory.event_time, "memory.event_time") if given else None
                    draft = replace(draft, event_time=time)
                case "expire_time":
                    given = memory.HasField("expire_time")
                    end = to_time(memory.expire_time, "memory.expire_time") if given else None
                    draft = replace(draft, expire_time=end)
                case "importance":
                    given = memory.HasField("importance")
                    draft = replace(draft, importance=memory.importance if given else None)
                case "labels":
                    draft = replace(draft, labels=dict(memory.labels))
        return draft

    return change
