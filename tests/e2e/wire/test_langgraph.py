"""`TacitStore` in a real server: what LangGraph's own store does, and what Tacit does beside."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.store.base import (
    BaseStore,
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    PutOp,
    SearchOp,
)
from langgraph.store.memory import InMemoryStore

from memory.client import Client, ConsentMissing, Person
from memory.integrations.langgraph import TacitStore

NASTY = {
    "text": "  My sister Priya Raman:\n\tkeeps bees, \r\n\x1b[1mmany\x1b[0m.\n",
    "nested": [{"who": "Priya Raman", "n": 3, "at": 1.5, "ok": True, "no": None}, [], {}, ""],
    "a: b\nc": "\u2014 \U0001f41d \ud800",
    "long": "I have heard of bees. " * 900,
    "wide": {f"key {n}": n for n in range(400)},
    "": "~1",
}


@pytest.fixture
def client(server: Any) -> Iterator[Client]:
    with Client(server.address, token=server.client().token, timeout=60) as client:
        yield client


@pytest.fixture
def amara(client: Client) -> Person:
    return _consented(client, _new("amara"))


@pytest.fixture
def store(client: Client) -> TacitStore:
    return TacitStore(client, reveal=True)


def _new(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


def _consented(client: Client, name: str) -> Person:
    person = client.person(name)
    person.grant("assistance")
    person.grant("reveal")
    return person


def _id(person: Person) -> str:
    return person._whose.parent.removeprefix("people/")


def test_a_value_comes_back_equal_and_is_anonymized(
    client: Client, store: TacitStore, amara: Person
) -> None:
    space = (_id(amara), "likes", "a/b%")
    store.put(space, "k", NASTY)
    item = store.get(space, "k")
    assert item is not None
    assert item.value == NASTY
    assert (item.namespace, item.key) == (space, "k")
    assert len(list(amara.memories())) > 1
    (found,) = store.search(space, query="bees")
    assert (found.value, found.namespace, found.key) == (NASTY, space, "k")
    store.put(space, "k", {"who": "Priya Raman", "n": 1})
    hidden = TacitStore(client).get(space, "k")
    assert hidden is not None
    assert hidden.value == {"who": "person_1", "n": 1}
    assert hidden.created_at == item.created_at < hidden.updated_at
    (kept,) = amara.memories()
    assert (kept.kind, kept.text) == ("fact", "who: person_1\n• n: 1")


def test_it_answers_as_langgraphs_own_store_does(client: Client, store: TacitStore) -> None:
    ann, bo = (_id(_consented(client, _new(name))) for name in ("ann", "bo"))
    own = InMemoryStore()
    puts: list[Any] = [
        PutOp((ann, "likes"), "fruit", {"food": "figs", "rank": 2, "of": {"a": [1, 2]}}),
        PutOp((ann, "likes"), "nut", {"food": "almonds", "rank": 5}),
        PutOp((ann, "likes", "old"), "fruit", {"food": "plums", "rank": 7}),
        PutOp((ann, "work"), "job", {"title": "nurse", "rank": 9}),
        PutOp((ann,), "root", {"rank": 0}),
        PutOp((bo, "likes"), "fruit", {"food": "pears", "rank": 1}),
        PutOp((bo, "likes"), "fruit", {"food": "limes", "rank": 3}),
    ]
    for each in (own, store):
        assert each.batch([*puts, GetOp((ann, "likes"), "fruit")]) == [None] * 8
        each.delete((ann, "work"), "nothing")
        each.put((ann, "likes"), "nut", {"food": "walnuts", "rank": 6})
    filters: list[dict[str, Any] | None] = [
        None,
        {"food": "figs"},
        {"rank": {"$gt": 2}},
        {"rank": {"$gte": 2, "$lt": 6}},
        {"rank": {"$lte": 2}},
        {"food": {"$ne": "figs"}},
        {"food": {"$eq": "figs"}, "rank": 2},
        {"of": {"a": [1, 2]}},
        {"of": {"a": [1]}},
        {"food": {"x": 1}},
    ]
    spaces = [(ann, "likes"), (ann, "likes", "old"), (ann, "work"), (bo,), (bo, "none")]
    for space in spaces:
        for only in filters:
            expected = _told(own.search(space, filter=only, limit=100))
            assert _told(store.search(space, filter=only, limit=100)) == expected
            assert _told(store.search(space, filter=only, query="food", limit=100)) == expected
        for key in ("fruit", "nut", "job", "none"):
            theirs, ours = own.get(space, key), store.get(space, key)
            assert (ours and ours.value) == (theirs and theirs.value)
    for depth in (None, 1, 2):
        for suffix in (None, ("likes",), ("*", "old"), ("fruit",)):
            asked = {"prefix": (ann,), "suffix": suffix, "max_depth": depth}
            assert store.list_namespaces(**asked) == own.list_namespaces(**asked)
    pages = [store.search((ann,), limit=2, offset=at) for at in (0, 2, 4)]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len(_told(item for page in pages for item in page)) == 5
    assert store.list_namespaces(prefix=(ann, "likes"), limit=1, offset=1) == [
        (ann, "likes", "old")
    ]


def _told(found: Any) -> list[Any]:
    """The order is the store's own."""
    return sorted((each.namespace, each.key, str(each.value)) for each in found)


def test_a_search_finds_what_is_meant_among_many(store: TacitStore, amara: Person) -> None:
    space = (_id(amara), "notes")
    store.batch([PutOp(space, f"n{n}", {"note": f"Number {n} of the weather"}) for n in range(120)])
    store.put((_id(amara), "diet"), "nuts", {"allergy": "My sister Priya can't have peanuts."})
    first, *_ = store.search((_id(amara),), query="Which food is dangerous to Priya?")
    assert (first.namespace, first.key) == ((_id(amara), "diet"), "nuts")
    assert first.score is not None
    assert len(store.search(space, query="weather", limit=120)) == 120
    (found,) = store.search((_id(amara), "diet"), query="weather")
    assert found.key == "nuts"
    (found,) = store.search(space, query="weather", filter={"note": "Number 77 of the weather"})
    assert found.key == "n77"


def test_what_is_deleted_is_erased_and_what_expires_too(store: TacitStore, amara: Person) -> None:
    space = (_id(amara), "likes")
    store.put(space, "fruit", {"food": "figs"})
    store.put(space, "nut", {"food": "almonds"}, ttl=60)
    end = {each.text: each.expire_time for each in amara.memories()}
    assert abs(end["food: almonds"] - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=5)
    store.delete(space, "fruit")
    assert store.get(space, "fruit") is None
    assert [each.action for each in amara.access_events(actions=["erase"])] == ["erase"]
    store.put(space, "nut", {"food": "walnuts"})
    assert [each.text for each in amara.memories()] == ["food: walnuts"]


def test_what_cannot_be_kept_is_refused(store: TacitStore, amara: Person) -> None:
    space = (_id(amara), "likes")
    for index in (False, ["food"]):
        with pytest.raises(NotImplementedError, match="indexes a value whole"):
            store.put(space, "k", {"food": "figs"}, index=index)
    with pytest.raises(ValueError, match="names a person at position 1"):
        TacitStore(store._client, person_at=1).put(("likes",), "k", {"food": "figs"})
    with pytest.raises(ValueError, match="names a person at position 0"):
        store.search(())
    with pytest.raises(ValueError, match="one person at position 0"):
        store.batch([ListNamespacesOp()])
    with pytest.raises(TypeError, match="JSON has no bytes"):
        store.put(space, "k", {"food": b"figs"})
    with pytest.raises(InvalidNamespaceError):
        store.batch([SearchOp((_id(amara), "a.b"))])
    store.put(space, "k", {"food": "figs"})
    assert store.search(space, filter={"food": {"$gt": 1}}) == []  # LangGraph's own raises
    with pytest.raises(ValueError, match="a filter knows"):
        store.search(space, filter={"food": {"$in": ["figs"]}})
    with pytest.raises(ConsentMissing):
        store.put((_new("ben"), "likes"), "k", {"food": "figs"})


class State(TypedDict):
    said: str
    answer: str


def test_a_graph_remembers_from_one_thread_to_the_next(client: Client, amara: Person) -> None:
    def listen(state: State, *, store: BaseStore) -> State:
        space = ("memories", _id(amara))
        found = store.search(space, query=state["said"], limit=1)
        store.put(space, str(uuid.uuid4()), {"said": state["said"]})
        return {"said": state["said"], "answer": found[0].value["said"] if found else "nothing"}

    async def alisten(state: State, *, store: BaseStore) -> State:
        found = await store.asearch(("memories", _id(amara)), query=state["said"], limit=1)
        return {"said": state["said"], "answer": found[0].value["said"]}

    store = TacitStore(client, person_at=1, reveal=True)

    def graph(node: Any) -> Any:
        building = StateGraph(State).add_node("listen", node)
        return building.add_edge(START, "listen").add_edge("listen", END).compile(store=store)

    told = "My sister Priya Raman keeps bees."
    assert graph(listen).invoke({"said": told})["answer"] == "nothing"
    assert graph(listen).invoke({"said": "Who keeps bees?"})["answer"] == told
    answer = asyncio.run(graph(alisten).ainvoke({"said": "My sister's bees"}))["answer"]
    assert answer == told
    assert store.list_namespaces(prefix=("memories", _id(amara))) == [("memories", _id(amara))]
