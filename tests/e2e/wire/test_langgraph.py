"""`TacitStore` in a real server: what Tacit does beside what LangGraph's own store does."""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.store.base import (
    BaseStore,
    InvalidNamespaceError,
    ListNamespacesOp,
    PutOp,
    SearchOp,
)

from memory.client import Client, ConsentMissing, Person
from memory.integrations.items import Unreadable
from memory.integrations.langgraph import TacitStore, Unread

NASTY = {
    "text": "  My sister Priya Raman:\n\tkeeps bees, \r\n\x1b[1mmany\x1b[0m.\n",
    "nested": [{"who": "Priya Raman", "n": 3, "at": 1.5, "ok": True, "no": None}, [], {}, ""],
    "a: b\nc": "\u2014 \U0001f41d \ud800",
    "long": "I have heard of bees. " * 900,
    "wide": {f"key {n}": n for n in range(400)},
    "": "~1",
}


@pytest.fixture
def store(client: Client) -> TacitStore:
    return TacitStore(client, reveal=True)


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


def test_a_ttl_is_tacits_retention_which_no_read_renews(store: TacitStore, amara: Person) -> None:
    space = (_id(amara), "likes")
    store.put(space, "nut", {"food": "almonds"}, ttl=60)
    (before,) = amara.memories()
    assert store.get(space, "nut", refresh_ttl=True) is not None
    assert len(store.search(space, refresh_ttl=True)) == 1
    assert list(amara.memories()) == [before]


def test_of_puts_of_one_key_at_once_one_stays(store: TacitStore, amara: Person) -> None:
    space = (_id(amara), "likes")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.put(space, "k", {"n": n}), range(24)))
    (kept,) = amara.memories()
    (item,) = store.search(space)
    assert kept.text == f"n: {item.value['n']}"


def test_what_cannot_be_read_is_told_and_can_be_replaced(client: Client, amara: Person) -> None:
    store, space = TacitStore(client), (_id(amara), "notes")
    key = {
        "text": "-----BEGIN PRIVATE KEY-----\nMIIEvQ",
        "more": "AoIBAQ\n-----END PRIVATE KEY-----",
        "n": 2,
    }
    store.put(space, "fine", {"text": "figs", "n": 1})
    store.put(space, "key", key)
    with pytest.raises(Unreadable, match="reveal=True"):
        store.get(space, "key")
    for asked in ({}, {"filter": {"n": 2}}, {"query": "key"}):
        values = {each.key: each.value for each in store.search(space, **asked)}
        assert values.pop("fine", None) == (None if "filter" in asked else {"text": "figs", "n": 1})
        assert values == {"key": {"unreadable": "text: credential_1\n• n: 2"}}
        assert isinstance(values["key"], Unread)
        with pytest.raises(Unreadable):
            _ = values["key"]["text"]
    assert store.list_namespaces(prefix=(_id(amara),)) == [space]
    revealed = TacitStore(client, reveal=True).get(space, "key")
    assert revealed is not None
    assert revealed.value == key
    store.put(space, "key", {"n": 3})
    assert [each.value["n"] for each in store.search(space)] == [1, 3]
    store.put(space, "key", key)
    store.delete(space, "key")
    assert [each.text for each in amara.memories()] == ["text: figs\n• n: 1"]


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
        store.put((f"ben-{uuid.uuid4().hex[:8]}", "likes"), "k", {"food": "figs"})


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
