"""`TacitStore` in a real server, beside LangGraph's own `InMemoryStore`.

LangGraph packages no tests for stores, only for checkpointers; the rows here ask what it asks its
own stores. Each runs on both, by the plain methods and by the async ones. Left out is where its
stores differ among themselves: the order of a search without a query, when something was made that
is put again, and namespaces with nothing in them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from langgraph.store.base import (
    BaseStore,
    GetOp,
    InvalidNamespaceError,
    Item,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)
from langgraph.store.memory import InMemoryStore

from memory.client import Client, Person
from memory.integrations.langgraph import TacitStore

Row = tuple[str, tuple[Any, ...], dict[str, Any]]
Newcomer = Callable[[str], Person]

FILTERS: list[dict[str, Any]] = [
    {"food": "figs"},
    {"food": "FIGS"},
    {"rank": 2.0},
    {"ripe": False},
    {"ripe": None},
    {"rank": {"$gt": 2}},
    {"rank": {"$gte": 2, "$lt": 6}},
    {"rank": {"$lte": 2.5}},
    {"food": {"$ne": "figs"}},
    {"food": {"$eq": "figs"}, "rank": 2},
    {"of": {"a": [1, {"b": None}]}},
    {"of": {"a": [1]}},
    {"of": {"a": {"$ne": [1]}}},
    {"food": {"x": 1}},
]


@pytest.fixture
def store(client: Client) -> TacitStore:
    return TacitStore(client, reveal=True)


def _id(person: Person) -> str:
    return person._whose.parent.removeprefix("people/")


def _rows(ann: str, bo: str) -> Iterator[Row]:
    """What both stores are asked, in this order."""

    def row(method: str, *args: Any, **kwargs: Any) -> Row:
        return method, args, kwargs

    likes, old, work = (ann, "likes"), (ann, "likes", "old"), (ann, "work")
    yield row("put", likes, "fruit", {"food": "figs", "rank": 2, "of": {"a": [1, {"b": None}]}})
    yield row("put", likes, "nut", {"food": "almonds", "rank": 5.5, "ripe": True})
    yield row("put", likes, "nut", {"food": "walnuts", "rank": 6, "ripe": False})
    yield row("put", old, "fruit", {"food": "plums", "rank": 7, "": "~1"})
    yield row("put", work, 7, {"title": "nurse \U0001f41d", "rank": 9, "food": ""})
    yield row("put", (ann,), "a/b %2F", {"rank": 0})
    yield row("put", (ann, "langgraph", "a/b%", "*:"), "fruit", {"rank": -1})
    yield row("put", (ann, "likesome"), "fruit", {"rank": 1})
    yield row("put", (bo, "likes"), "fruit", {"food": "pears", "rank": 1})

    prefixes = [(ann,), likes, (ann, "*"), (ann, "*", "old"), (ann, "none")]
    suffixes = [None, ("likes",), ("*", "old"), ("*",), ("fruit",)]
    for prefix, suffix, depth in product(prefixes, suffixes, (None, 1, 2)):
        yield row("list_namespaces", prefix=prefix, suffix=suffix, max_depth=depth)
    for limit, offset in product((0, 1, 3), (0, 2, 9)):
        yield row("list_namespaces", prefix=(ann,), max_depth=2, limit=limit, offset=offset)

    for prefix in ((ann,), likes, old, work, (bo,), (bo, "none")):
        yield row("search", prefix, limit=100)
        yield row("search", prefix, limit=100, filter={"food": {"$ne": "figs"}}, query="food")
    for only in FILTERS:
        yield row("search", (ann,), limit=100, filter=only)
        yield row("search", (ann,), limit=1, filter=only, offset=100)
    for limit, offset in product((0, 1, 3, 6), (0, 2, 6)):
        yield row("search", (ann,), limit=limit, offset=offset, filter={"rank": {"$gte": 0}})

    for space in (likes, old, work, (ann,), (ann, "langgraph", "a/b%", "*:"), (bo, "likes")):
        for key in ("fruit", "nut", "7", "a/b %2F", "none"):
            yield row("get", space, key)

    under = MatchCondition("prefix", likes)
    yield row(
        "batch",
        [
            PutOp(likes, "nut", {"food": "pecans", "rank": 1}),
            GetOp(likes, "nut"),
            PutOp(likes, "fruit", None),
            PutOp(likes, "seed", {"food": "sesame", "rank": 1}),
            PutOp(likes, "seed", {"food": "poppy", "rank": 2}),
            PutOp(work, "twice", {"rank": 1}),
            PutOp(work, "twice", None),
            SearchOp(likes, filter={"food": "walnuts"}),
            ListNamespacesOp((under,), max_depth=2),
            PutOp((bo, "likes"), "fruit", {"food": "limes", "rank": 3}),
            GetOp((bo, "likes"), "fruit"),
            GetOp(likes, "none"),
        ],
    )
    yield row("search", (ann,), limit=100)
    yield row("search", (bo,), limit=100)
    yield row("batch", [])
    yield row("delete", likes, "nut")
    yield row("delete", likes, "none")
    yield row("delete", (ann, "none"), "none")
    yield row("search", (ann,), limit=100)
    yield row("put", likes, "nut", {"food": "again", "rank": 1})
    yield row("get", likes, "nut")

    for space in ((), (ann, "a.b"), (ann, ""), (ann, 3), (ann, "\0"), ("langgraph", ann)):
        yield row("put", space, "fruit", {"rank": 1})
    for space in ((ann, "a.b"), (ann, ""), (ann, 3), (ann, "\0")):
        yield row("get", space, "fruit")
        yield row("delete", space, "fruit")
        yield row("search", space)
        yield row("list_namespaces", prefix=space)
        yield row("list_namespaces", prefix=(ann,), suffix=space)


def _plain(answer: Any) -> Any:
    """An answer without times and scores, and without an order that is the store's own."""
    if isinstance(answer, Item):
        return answer.namespace, answer.key, answer.value
    if isinstance(answer, list):
        told = [_plain(each) for each in answer]
        found = all(isinstance(each, Item) for each in answer)
        return sorted(told, key=repr) if found else told
    return answer


def _alike(row: Row, theirs: Any, ours: Any) -> bool:
    """Whether both say the same; which items are on a page is the order's matter."""
    if isinstance(theirs, list) and row[0] == "search" and row[2].get("limit", 0) < 100:
        return isinstance(ours, list) and len(ours) == len(theirs)
    return bool(ours == theirs)


def _ask(store: BaseStore, row: Row) -> Any:
    method, args, kwargs = row
    try:
        return _plain(getattr(store, method)(*args, **kwargs))
    except InvalidNamespaceError:
        return InvalidNamespaceError


async def _aask(store: BaseStore, row: Row) -> Any:
    method, args, kwargs = row
    try:
        return _plain(await getattr(store, f"a{method}")(*args, **kwargs))
    except InvalidNamespaceError:
        return InvalidNamespaceError


def test_it_answers_as_langgraphs_own_store_does(store: TacitStore, newcomer: Newcomer) -> None:
    own = InMemoryStore()
    for row in _rows(_id(newcomer("ann")), _id(newcomer("bo"))):
        theirs, ours = _ask(own, row), _ask(store, row)
        assert _alike(row, theirs, ours), (row, theirs, ours)


def test_its_async_methods_do_too(store: TacitStore, newcomer: Newcomer) -> None:
    own = InMemoryStore()
    rows = list(_rows(_id(newcomer("ann")), _id(newcomer("bo"))))

    async def run() -> None:
        for row in rows:
            theirs, ours = await _aask(own, row), await _aask(store, row)
            assert _alike(row, theirs, ours), (row, theirs, ours)

    asyncio.run(run())


def test_many_async_calls_at_once_are_each_done(store: TacitStore, amara: Person) -> None:
    space, own = (_id(amara), "notes"), InMemoryStore()

    async def run(on: BaseStore) -> list[Any]:
        await asyncio.gather(*(on.aput(space, f"k{n}", {"n": n}) for n in range(24)))
        await asyncio.gather(*(on.adelete(space, f"k{n}") for n in range(0, 24, 2)))
        await asyncio.gather(*(on.aput(space, f"k{n}", {"n": -n}) for n in range(0, 24, 3)))
        few = on.asearch(space, filter={"n": {"$lt": 9}}, limit=100)
        got = asyncio.gather(*(on.aget(space, f"k{n}") for n in range(24)))
        return [_plain(each) for each in (await few, await got)]

    assert asyncio.run(run(store)) == asyncio.run(run(own))


def test_pages_hold_each_item_once(store: TacitStore, amara: Person) -> None:
    space = (_id(amara), "notes")
    store.batch([PutOp(space, f"k{n}", {"note": f"Number {n} of the weather"}) for n in range(11)])
    for query in (None, "weather"):
        pages = [store.search(space, query=query, limit=4, offset=at) for at in (0, 4, 8, 12)]
        assert [len(page) for page in pages] == [4, 4, 3, 0]
        assert len({item.key for page in pages for item in page}) == 11
    assert len(store.search(space)) == 10  # the default


def test_a_query_ranks_and_filters_what_holds_now(store: TacitStore, amara: Person) -> None:
    space = (_id(amara), "notes")
    animals, stones = {"text": "zebras and horses", "n": 1}, {"text": "granite and marble", "n": 2}
    store.put(space, "first", animals)
    store.put(space, "second", stones)
    (best, _) = found = store.search(space, query="which animals?")
    assert best.key == "first"
    scores = [item.score for item in found]
    assert None not in scores
    assert scores == sorted(scores, reverse=True)
    (only,) = store.search(space, query="which animals?", filter={"n": {"$gt": 1}})
    assert only.key == "second"
    store.put(space, "first", stones)
    store.put(space, "second", animals)
    assert store.search(space, query="which animals?", limit=1)[0].key == "second"
    for query in ("", "  ", "\n", "animals!@#$%^&*()", "animals " * 100):
        assert len(store.search(space, query=query)) == 2


def test_what_is_put_again_keeps_when_it_was_made(store: TacitStore, amara: Person) -> None:
    space = (_id(amara), "notes")
    store.put(space, "k", {"n": 1})
    before = store.get(space, "k")
    store.put(space, "k", {"n": 2})
    after = store.get(space, "k")
    assert before is not None
    assert after is not None
    assert before.created_at <= before.updated_at < after.updated_at
    assert after.created_at == before.created_at
    (found,) = store.search(space)
    assert (found.created_at, found.updated_at) == (after.created_at, after.updated_at)
