"""By right: what a person's own token may do without a consent, and what it may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from memory.v1 import memory_service_pb2 as pb
from memory.v1.core_pb2 import AccessContext, Memory
from tests.e2e.wire.browser import Page
from tests.e2e.wire.requests import reason

RIGHTS = AccessContext(purpose="purposes/rights")


def _why(call: Callable[[Any], Any], request: Any) -> str:
    try:
        call(request)
    except grpc.RpcError as error:
        return reason(error)
    return ""


@pytest.fixture(scope="module")
def person(page: Page) -> str:
    """Consented to one assistant, which is not theirs here."""
    return page.someone("I live in York", "I prefer tea to coffee")


def test_the_person_reads_and_corrects_what_any_assistant_keeps(page: Page, person: str) -> None:
    own = page.running.client(person=person, assistant="my-app").memory
    me = "people/me"
    (first, *_) = own.ListMemories(pb.ListMemoriesRequest(parent=me, access=RIGHTS)).memories
    assert first.text == "I live in York"
    assert first.assistant == "helper"
    change = pb.UpdateMemoryRequest(
        memory=Memory(name=first.name, text="I live in Leeds"),
        update_mask=FieldMask(paths=["text"]),
        access=RIGHTS,
    )
    assert own.UpdateMemory(change).assistant == "helper"
    ask = pb.RecallMemoriesRequest(parent=me, access=RIGHTS, query="Where do I live?", reveal=True)
    found = own.RecallMemories(ask)
    assert "I live in Leeds" in {hit.memory.text for hit in found.hits}
    assert found.recall_token == "", "ratings teach by consent alone"
    assert own.GetProfile(pb.GetProfileRequest(parent=me, access=RIGHTS)).entries


def test_the_right_stores_nothing_and_tells_nobody_else(page: Page, person: str) -> None:
    own = page.running.client(person=person, assistant="my-app").memory
    store = pb.StoreMemoryRequest(parent="people/me", access=RIGHTS, memory=Memory(text="x"))
    assert _why(own.StoreMemory, store) == "PURPOSE_UNKNOWN"
    brief = pb.BuildHandoverRequest(parent="people/me", access=RIGHTS)
    assert _why(own.BuildHandover, brief) == "PURPOSE_UNKNOWN"


def test_the_right_is_the_persons_alone(page: Page, person: str) -> None:
    listing = pb.ListMemoriesRequest(parent=f"people/{person}", access=RIGHTS)
    helper = page.running.client()
    assert _why(helper.memory.ListMemories, listing) == "PURPOSE_UNKNOWN"
    other = page.running.client(person=f"{person}-not")
    assert _why(other.memory.ListMemories, listing) == "PERSON_MISMATCH"
    theirs = pb.ListMemoriesRequest(parent="people/me", access=RIGHTS)
    assert _why(other.memory.ListMemories, theirs) == "CONSENT_MISSING"
