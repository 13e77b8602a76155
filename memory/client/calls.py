"""What each call sends and what it reads from the answer. No IO: `blocking` and `aio` make it.

Rules:
- Each call stands here once, for both clients.
- `repeatable` says that making it twice is as making it once; where it is not, a call is repeated
  only when the server says that nothing happened. Storing is repeatable by its `request_id`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar, Unpack

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from memory.client import values
from memory.client.connection import Stubs
from memory.client.messages import fill, read
from memory.v1 import core_pb2
from memory.v1 import memory_service_pb2 as pb

Out = TypeVar("Out")
Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True, slots=True)
class Call(Generic[Out]):
    """One call, ready to be made."""

    method: Callable[[Stubs], Any]
    request: Message
    read: Callable[[Any], Out]
    repeatable: bool


@dataclass(frozen=True, slots=True)
class Pages(Generic[Out]):
    """A list that comes in pages, and what is on one."""

    method: Callable[[Stubs], Any]
    request: Any
    read: Callable[[Any], Iterable[Out]]


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose data a call is about, and why it is used."""

    parent: str
    purpose: str

    @property
    def access(self) -> core_pb2.AccessContext:
        """The purpose, as requests carry it."""
        return core_pb2.AccessContext(purpose=self.purpose)


def call(
    method: Callable[[Stubs], grpc.UnaryUnaryMultiCallable[Request, Response]],
    request: Request,
    reader: Callable[[Response], Out],
    *,
    repeatable: bool = True,
) -> Call[Out]:
    """A call whose request and reader fit its method, as the type checker sees."""
    return Call(method, request, reader, repeatable)


def pages(
    method: Callable[[Stubs], grpc.UnaryUnaryMultiCallable[Request, Response]],
    request: Request,
    reader: Callable[[Response], Iterable[Out]],
) -> Pages[Out]:
    """The same for a list."""
    return Pages(method, request, reader)


def as_it_is(message: Response) -> Response:
    """The answer: proofs go to a verifier byte for byte, weights need no other form."""
    return message


def whose(person: str, purpose: str) -> Whose:
    """By the id under which the tenant knows a person; "me" with a person's own token."""
    return Whose(f"people/{person}", purpose_name(purpose))


def purpose_name(purpose: str) -> str:
    """`purposes/{purpose}`."""
    return f"purposes/{purpose.removeprefix('purposes/')}"


def name_of(memory: str | values.Memory) -> str:
    """The resource name of a memory, or of what names one."""
    return memory.name if isinstance(memory, values.Memory) else memory


def store(
    person: Whose, text: str, *, extract: bool = False, **about: Unpack[values.MemoryFields]
) -> Call[values.Stored]:
    """Stores one memory; `extract` stores the facts that it states beside it.

    Raises:
        ConsentMissing: no consent covers it; ask the person, then `grant`.
    """
    memory = core_pb2.Memory(text=text)
    fill(memory, about)
    request = pb.StoreMemoryRequest(
        parent=person.parent,
        access=person.access,
        memory=memory,
        request_id=str(uuid.uuid4()),
        extract=extract,
    )
    return call(lambda on: on.memory.StoreMemory, request, partial(read, values.Stored))


def store_many(
    person: Whose, memories: Iterable[values.NewMemory], *, extract: bool = False
) -> Call[tuple[values.Stored, ...]]:
    """Stores 1 to 256 memories, all of them or none: `[{"text": ..., "speaker": ...}, ...]`."""
    request = pb.BatchStoreMemoriesRequest(parent=person.parent, access=person.access)
    for memory in memories:
        one = request.requests.add(request_id=str(uuid.uuid4()), extract=extract)
        fill(one.memory, memory)
    return call(
        lambda on: on.memory.BatchStoreMemories,
        request,
        lambda answer: tuple(read(values.Stored, each) for each in answer.responses),
    )


def recall(
    person: Whose,
    query: str,
    *,
    limit: int = 10,
    reveal: bool = False,
    reference_time: datetime | None = None,
    **only: Unpack[values.Filter],
) -> Call[values.Recalled]:
    """Finds the memories that matter for a query, best first; `reveal` shows real names."""
    request = pb.RecallMemoriesRequest(
        parent=person.parent, access=person.access, query=query, limit=limit, reveal=reveal
    )
    fill(request, {"reference_time": reference_time})
    fill(request.filter, only)
    return call(lambda on: on.memory.RecallMemories, request, partial(read, values.Recalled))


def build_context(
    person: Whose,
    query: str,
    *,
    max_tokens: int = 1_000,
    reveal: bool = False,
    reference_time: datetime | None = None,
    **only: Unpack[values.Filter],
) -> Call[values.Context]:
    """Packs the memories that matter into a text for a prompt, within a budget of tokens."""
    request = pb.BuildContextRequest(
        parent=person.parent,
        access=person.access,
        query=query,
        max_tokens=max_tokens,
        reveal=reveal,
    )
    fill(request, {"reference_time": reference_time})
    fill(request.filter, only)
    return call(lambda on: on.memory.BuildContext, request, partial(read, values.Context))


def profile(person: Whose) -> Call[tuple[values.ProfileEntry, ...]]:
    """The facts and preferences that hold; needs a consent for the purpose profile beside."""
    request = pb.GetProfileRequest(parent=person.parent, access=person.access)
    return call(
        lambda on: on.memory.GetProfile,
        request,
        lambda answer: tuple(read(values.ProfileEntry, each) for each in answer.entries),
    )


def handover(
    person: Whose,
    *,
    max_tokens: int = 1_000,
    reveal: bool = False,
    **only: Unpack[values.Filter],
) -> Call[values.Brief]:
    """Briefs the human who takes over; needs a consent for the purpose handover beside."""
    request = pb.BuildHandoverRequest(
        parent=person.parent, access=person.access, max_tokens=max_tokens, reveal=reveal
    )
    fill(request.filter, only)
    return call(lambda on: on.memory.BuildHandover, request, partial(read, values.Brief))


def rate(
    person: Whose,
    memory: str | values.Memory,
    rating: values.Rating,
    *,
    recall_token: str = "",
) -> Call[bool]:
    """Keeps what the person says of a memory; whether it counts in their weights.

    `recall_token` is that of the answer that the memory was in; "wrong" needs none.
    """
    request = pb.RateMemoryRequest(
        name=name_of(memory), access=person.access, recall_token=recall_token
    )
    fill(request, {"rating": rating})
    return call(lambda on: on.memory.RateMemory, request, lambda answer: answer.learned)


def personalization(person: Whose) -> Call[pb.GetPersonalizationResponse]:
    """What a person's ratings have come to; needs a consent for the purpose tuning beside."""
    request = pb.GetPersonalizationRequest(parent=person.parent, access=person.access)
    return call(lambda on: on.memory.GetPersonalization, request, as_it_is)


def reset_personalization(person: Whose) -> Call[int]:
    """Takes every rating back; how many there were."""
    request = pb.ResetPersonalizationRequest(parent=person.parent)
    return call(
        lambda on: on.memory.ResetPersonalization, request, lambda answer: answer.rating_count
    )


def get(person: Whose, memory: str | values.Memory, *, reveal: bool = False) -> Call[values.Memory]:
    """Reads one memory, by its name or as it was.

    Raises:
        NotFound: there is none, or it is not for this caller.
    """
    request = pb.GetMemoryRequest(name=name_of(memory), access=person.access, reveal=reveal)
    return call(lambda on: on.memory.GetMemory, request, partial(read, values.Memory))


def memories(
    person: Whose, *, reveal: bool = False, **only: Unpack[values.Filter]
) -> Pages[values.Memory]:
    """Every memory, in the order they were stored; pages are fetched as they are needed."""
    request = pb.ListMemoriesRequest(
        parent=person.parent, access=person.access, page_size=100, reveal=reveal
    )
    fill(request.filter, only)
    return pages(
        lambda on: on.memory.ListMemories,
        request,
        lambda page: (read(values.Memory, each) for each in page.memories),
    )


def update(
    person: Whose, memory: str | values.Memory, **changes: Unpack[values.Changes]
) -> Call[values.Memory]:
    """Corrects a memory. Given as it was read, it must be unchanged since.

    Raises:
        VersionConflict: it was changed since it was read; read it again.
    """
    etag = memory.etag if isinstance(memory, values.Memory) else ""
    changed = core_pb2.Memory(name=name_of(memory), etag=etag)
    fill(changed, changes)
    request = pb.UpdateMemoryRequest(
        memory=changed, access=person.access, update_mask=FieldMask(paths=list(changes))
    )
    return call(
        lambda on: on.memory.UpdateMemory,
        request,
        partial(read, values.Memory),
        repeatable=False,
    )


def delete(_person: Whose, memory: str | values.Memory) -> Call[int]:
    """Erases a memory and what was derived from it; how many went.

    Raises:
        VersionConflict: given as it was read, it was changed since.
    """
    etag = memory.etag if isinstance(memory, values.Memory) else ""
    request = pb.DeleteMemoryRequest(name=name_of(memory), etag=etag)
    return call(
        lambda on: on.memory.DeleteMemory,
        request,
        lambda answer: answer.deleted_count,
        repeatable=False,
    )
