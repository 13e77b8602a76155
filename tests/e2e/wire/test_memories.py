"""MemoryService over the wire: what is stored is found, corrected and gone, under pseudonyms."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from memory.v1 import memory_service_pb2 as pb
from memory.v1.core_pb2 import AccessContext, Memory, MemoryFilter
from memory.v1.subject_rights_service_pb2 import ForgetUserRequest

WHY = AccessContext(purpose="purposes/assistance")


@pytest.fixture
def person() -> str:
    return f"jane-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def helper(server: Any, person: str) -> Any:
    client = server.client()
    client.grant(person)
    return client


def _store(helper: Any, person: str, text: str, request_id: str = "", **memory: Any) -> Any:
    return helper.memory.StoreMemory(
        pb.StoreMemoryRequest(
            parent=f"people/{person}",
            access=WHY,
            memory=Memory(text=text, **memory),
            request_id=request_id,
        )
    )


def _recall(helper: Any, person: str, query: str, **request: Any) -> list[Any]:
    return list(
        helper.memory.RecallMemories(
            pb.RecallMemoriesRequest(parent=f"people/{person}", access=WHY, query=query, **request)
        ).hits
    )


def _code(error: pytest.ExceptionInfo[grpc.RpcError]) -> grpc.StatusCode:
    code: grpc.StatusCode = error.value.code()  # type: ignore[attr-defined]
    return code


def test_a_memory_is_stored_and_found_by_its_meaning(helper: Any, person: str) -> None:
    before = datetime.now(UTC)
    stored = _store(
        helper,
        person,
        "I adopted a grey kitten last weekend",
        kind=Memory.KIND_EVENT,
        session="s1",
        speaker="user",
        labels={"channel": "chat"},
    ).memory
    _store(helper, person, "The invoice for March is still open")
    assert stored.name.startswith(f"people/{person}/memories/")
    assert stored.kind == Memory.KIND_EVENT
    assert (stored.session, stored.speaker, dict(stored.labels)) == (
        "s1",
        "user",
        {"channel": "chat"},
    )
    assert (stored.purpose, stored.assistant) == ("purposes/assistance", "helper")
    assert before <= stored.create_time.ToDatetime(tzinfo=UTC) <= datetime.now(UTC)
    assert stored.version == 1
    hits = _recall(helper, person, "Which pet do I have?")
    assert hits[0].memory == stored
    assert hits[0].score > hits[1].score
    for hit in hits:
        assert sum(part.points for part in hit.parts) == pytest.approx(hit.score)


def test_what_identifies_people_goes_out_as_a_pseudonym(helper: Any, person: str) -> None:
    memory = _store(helper, person, "Write to margaret.holt@example.org", speaker="Margaret").memory
    assert "margaret" not in (memory.text + memory.speaker).lower()
    (hit,) = _recall(helper, person, "whom to write to")
    assert hit.memory.text == memory.text


def test_what_was_hidden_is_counted_by_type(helper: Any, person: str) -> None:
    text = "Write to marisol@example.org or tobias@example.org, or call +1 212 555 0143."
    requests = [
        pb.StoreMemoryRequest(memory=Memory(text=said, speaker=speaker), request_id=said)
        for said, speaker in ((text, "Priya Haddad"), ("I keep bees.", "user"))
    ]
    batch = pb.BatchStoreMemoriesRequest(parent=f"people/{person}", access=WHY, requests=requests)
    first, second = helper.memory.BatchStoreMemories(batch).responses
    assert first.hidden_counts == {"email_address": 2, "phone_number": 1, "person": 1}
    assert second.hidden_counts == {}
    again, _ = helper.memory.BatchStoreMemories(batch).responses
    assert (again.repeated_request, again.hidden_counts) == (True, {})


def test_real_names_are_shown_by_right_and_consent_only(
    server: Any, helper: Any, person: str
) -> None:
    text = "Write to margaret.holt@example.org"
    name = _store(helper, person, text).memory.name
    with pytest.raises(grpc.RpcError) as caught:
        _recall(helper, person, "mail", reveal=True)
    assert _code(caught) is grpc.StatusCode.PERMISSION_DENIED
    helper.grant(person, "reveal")
    (hit,) = _recall(helper, person, "mail", reveal=True)
    assert hit.memory.text == text
    get = pb.GetMemoryRequest(name=name, access=WHY, reveal=True)
    assert helper.memory.GetMemory(get).text == text
    with pytest.raises(grpc.RpcError) as caught:
        server.client(scopes=("memory.read",)).memory.GetMemory(get)
    assert "memory.reveal" in caught.value.details()  # type: ignore[attr-defined]


def test_a_request_repeated_stores_once(helper: Any, person: str) -> None:
    request_id = str(uuid.uuid4())
    first = _store(helper, person, "I like tea", request_id)
    second = _store(helper, person, "I like tea", request_id)
    assert (first.repeated_request, second.repeated_request) == (False, True)
    assert second.memory == first.memory
    assert len(_recall(helper, person, "tea")) == 1


def test_what_is_told_again_is_told_apart_from_a_repeated_request(helper: Any, person: str) -> None:
    first = _store(helper, person, "I like tea", str(uuid.uuid4()))
    again = _store(helper, person, "i like  tea!", str(uuid.uuid4()))
    assert (first.merged, again.merged, again.repeated_request) == (False, True, False)
    assert (again.memory.name, again.memory.text) == (first.memory.name, "I like tea")
    assert (first.memory.sighting_count, again.memory.sighting_count) == (1, 2)
    assert not first.memory.HasField("last_sighting_time")
    assert again.memory.last_sighting_time.ToDatetime() > again.memory.create_time.ToDatetime()
    (hit,) = _recall(helper, person, "tea")
    assert hit.memory.sighting_count == 2


def test_a_request_repeated_after_its_memory_was_deleted_stores_nothing(
    helper: Any, person: str
) -> None:
    request_id = str(uuid.uuid4())
    name = _store(helper, person, "I like tea", request_id).memory.name
    helper.memory.DeleteMemory(pb.DeleteMemoryRequest(name=name))
    with pytest.raises(grpc.RpcError) as caught:
        _store(helper, person, "I like tea", request_id)
    assert _code(caught) is grpc.StatusCode.ALREADY_EXISTS


def test_a_batch_is_stored_whole_or_not_at_all(helper: Any, person: str) -> None:
    def batch(*texts: str) -> Any:
        return helper.memory.BatchStoreMemories(
            pb.BatchStoreMemoriesRequest(
                parent=f"people/{person}",
                access=WHY,
                requests=[pb.StoreMemoryRequest(memory=Memory(text=text)) for text in texts],
            )
        )

    stored = batch("I like tea", "I like trains", "I live by the sea")
    assert [r.memory.text for r in stored.responses] == [
        "I like tea",
        "I like trains",
        "I live by the sea",
    ]
    with pytest.raises(grpc.RpcError) as caught:
        batch("I like snow", " ", "I like rain")
    assert _code(caught) is grpc.StatusCode.INVALID_ARGUMENT
    assert "requests[1].memory.text" in caught.value.details()  # type: ignore[attr-defined]
    assert len(_recall(helper, person, "what do I like")) == 3


def test_a_listing_pages_through_everything_once(helper: Any, person: str) -> None:
    texts = [f"Fact number {i}" for i in range(7)]
    for text in texts:
        _store(helper, person, text)
    seen: list[str] = []
    request = pb.ListMemoriesRequest(parent=f"people/{person}", access=WHY, page_size=3)
    sizes = []
    while True:
        page = helper.memory.ListMemories(request)
        seen += [memory.text for memory in page.memories]
        sizes.append(len(page.memories))
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert seen == texts
    assert sizes == [3, 3, 1]


def test_a_page_token_is_of_no_use_to_another_assistant(
    server: Any, helper: Any, person: str
) -> None:
    for i in range(3):
        _store(helper, person, f"Fact number {i}")
    request = pb.ListMemoriesRequest(parent=f"people/{person}", access=WHY, page_size=1)
    request.page_token = helper.memory.ListMemories(request).next_page_token
    assert len(helper.memory.ListMemories(request).memories) == 1
    with pytest.raises(grpc.RpcError) as caught:
        server.client(assistant="other").memory.ListMemories(request)
    assert "page_token" in caught.value.details()  # type: ignore[attr-defined]


def test_filters_narrow_what_is_recalled_and_listed(helper: Any, person: str) -> None:
    old, new = Timestamp(seconds=1_000_000_000), Timestamp(seconds=1_700_000_000)
    _store(helper, person, "I liked coffee", session="a", event_time=old)
    _store(helper, person, "I like tea", session="b", event_time=new, kind=Memory.KIND_PREFERENCE)
    for wanted, texts in [
        (MemoryFilter(sessions=["a"]), ["I liked coffee"]),
        (MemoryFilter(kinds=[Memory.KIND_PREFERENCE]), ["I like tea"]),
        (MemoryFilter(event_start_time=new), ["I like tea"]),
        (MemoryFilter(event_end_time=new), ["I liked coffee"]),
        (MemoryFilter(sessions=["none"]), []),
    ]:
        listed = helper.memory.ListMemories(
            pb.ListMemoriesRequest(parent=f"people/{person}", access=WHY, filter=wanted)
        )
        assert [memory.text for memory in listed.memories] == texts
        recalled = _recall(helper, person, "what do I drink", filter=wanted)
        assert [hit.memory.text for hit in recalled] == texts


def test_a_correction_makes_a_new_version(helper: Any, person: str) -> None:
    first = _store(helper, person, "I live in a flat", session="s1", labels={"a": "b"}).memory
    changed = helper.memory.UpdateMemory(
        pb.UpdateMemoryRequest(
            memory=Memory(name=first.name, text="I live in a house", session="dropped"),
            update_mask=FieldMask(paths=["text"]),
            access=WHY,
        )
    )
    assert (changed.text, changed.session, changed.version) == ("I live in a house", "s1", 2)
    assert changed.name == first.name
    assert dict(changed.labels) == {"a": "b"}
    (hit,) = _recall(helper, person, "where do I live")
    assert hit.memory == changed
    with pytest.raises(grpc.RpcError) as caught:
        helper.memory.UpdateMemory(
            pb.UpdateMemoryRequest(
                memory=Memory(name=first.name, text="I live in a tent", etag=first.etag),
                access=WHY,
            )
        )
    assert _code(caught) is grpc.StatusCode.ABORTED


@pytest.mark.parametrize("paths", [["name"], ["version"], ["text", "purpose"], ["*"], ["nothing"]])
def test_what_cannot_be_corrected_is_refused(helper: Any, person: str, paths: list[str]) -> None:
    first = _store(helper, person, "I live in a flat").memory
    with pytest.raises(grpc.RpcError) as caught:
        helper.memory.UpdateMemory(
            pb.UpdateMemoryRequest(memory=first, update_mask=FieldMask(paths=paths), access=WHY)
        )
    assert _code(caught) is grpc.StatusCode.INVALID_ARGUMENT


def test_a_correction_of_nothing_is_refused(helper: Any, person: str) -> None:
    name = _store(helper, person, "I live in a flat").memory.name
    with pytest.raises(grpc.RpcError) as caught:
        helper.memory.UpdateMemory(pb.UpdateMemoryRequest(memory=Memory(name=name), access=WHY))
    assert "update_mask" in caught.value.details()  # type: ignore[attr-defined]


def test_every_field_that_can_be_corrected_is(helper: Any, person: str) -> None:
    name = _store(helper, person, "I live in a flat", labels={"a": "b"}).memory.name
    wanted = Memory(
        name=name,
        text="I moved",
        kind=Memory.KIND_FACT,
        speaker="assistant",
        session="s2",
        event_time=Timestamp(seconds=1_700_000_000),
        labels={"c": "d"},
    )
    changed = helper.memory.UpdateMemory(pb.UpdateMemoryRequest(memory=wanted, access=WHY))
    for field in ("text", "kind", "speaker", "session", "event_time", "labels"):
        assert getattr(changed, field) == getattr(wanted, field), field


def test_a_deleted_memory_is_gone(helper: Any, person: str) -> None:
    memory = _store(helper, person, "I live in a flat").memory
    with pytest.raises(grpc.RpcError) as caught:
        helper.memory.DeleteMemory(pb.DeleteMemoryRequest(name=memory.name, etag="v2"))
    assert _code(caught) is grpc.StatusCode.ABORTED
    request = pb.DeleteMemoryRequest(name=memory.name, etag=memory.etag)
    assert helper.memory.DeleteMemory(request).deleted_count == 1
    assert _recall(helper, person, "where do I live") == []
    for again in (
        lambda: helper.memory.DeleteMemory(pb.DeleteMemoryRequest(name=memory.name)),
        lambda: helper.memory.GetMemory(pb.GetMemoryRequest(name=memory.name, access=WHY)),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            again()
        assert _code(caught) is grpc.StatusCode.NOT_FOUND


def test_a_person_uses_their_own_name_or_me(server: Any, helper: Any, person: str) -> None:
    name = _store(helper, person, "I like tea").memory.name
    own = server.client(person=person, assistant="helper")
    me = pb.ListMemoriesRequest(parent="people/me", access=WHY)
    assert [memory.name for memory in own.memory.ListMemories(me).memories] == [name]
    own.rights.ForgetUser(ForgetUserRequest(name="people/me"))
    with pytest.raises(grpc.RpcError) as caught:
        own.memory.ListMemories(me)
    assert _code(caught) is grpc.StatusCode.PERMISSION_DENIED


def test_a_context_is_a_text_within_a_budget_with_marks_for_its_memories(
    helper: Any, person: str
) -> None:
    stored = _store(helper, person, "I am allergic to peanuts.").memory
    request = pb.BuildContextRequest(parent=f"people/{person}", access=WHY, query="food?")
    built = helper.memory.BuildContext(request)
    assert "I am allergic to peanuts." in built.text
    assert 0 < built.token_count < 30
    assert [(c.mark, c.memory) for c in built.citations] == [("[1]", stored.name)]
    request.max_tokens = 3
    assert helper.memory.BuildContext(request) == pb.BuildContextResponse()
    request.max_tokens = -1
    with pytest.raises(grpc.RpcError) as error:
        helper.memory.BuildContext(request)
    assert _code(error) == grpc.StatusCode.INVALID_ARGUMENT
    request.max_tokens, request.reveal = 100, True
    with pytest.raises(grpc.RpcError) as error:
        helper.memory.BuildContext(request)
    assert _code(error) == grpc.StatusCode.PERMISSION_DENIED


def test_words_like_yesterday_count_from_the_reference_time(helper: Any, person: str) -> None:
    early, late = (Timestamp(seconds=1_683_000_000 + days * 86_400) for days in (0, 90))
    names = [
        _store(helper, person, "We went to the lake.", event_time=time).memory.name
        for time in (early, late)
    ]
    for name, time in zip(names, (early, late), strict=True):
        asked = Timestamp(seconds=time.seconds + 86_400)
        query = "Where did we go yesterday?"
        assert _recall(helper, person, query, reference_time=asked)[0].memory.name == name
        context = pb.BuildContextRequest(
            parent=f"people/{person}", access=WHY, query=query, reference_time=asked
        )
        assert name in {one.memory for one in helper.memory.BuildContext(context).citations}


def test_importance_is_told_back_and_counts_unless_it_is_taken_away(
    helper: Any, person: str
) -> None:
    stored = _store(helper, person, "The porter has the key.", importance=0.5).memory
    assert stored.importance == 0.5
    assert not _store(helper, person, "The key is blue.").memory.HasField("importance")
    parts = {hit.memory.name: hit.parts for hit in _recall(helper, person, "the key")}
    assert "important" in {part.name for part in parts[stored.name]}
    taken = pb.UpdateMemoryRequest(
        memory=Memory(name=stored.name),
        update_mask=FieldMask(paths=["importance"]),
        access=WHY,
    )
    assert not helper.memory.UpdateMemory(taken).HasField("importance")
    with pytest.raises(grpc.RpcError) as error:
        _store(helper, person, "x", importance=1.5)
    assert _code(error) is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("year", [1, 1899, 9999])
def test_a_reference_time_out_of_the_calendar_is_refused(
    helper: Any, person: str, year: int
) -> None:
    asked = Timestamp()
    asked.FromDatetime(datetime(year, 6, 1, tzinfo=UTC))
    with pytest.raises(grpc.RpcError) as error:
        _recall(helper, person, "yesterday", reference_time=asked)
    assert _code(error) is grpc.StatusCode.INVALID_ARGUMENT
