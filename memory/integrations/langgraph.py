"""LangGraph's long-term store in Tacit: `TacitStore`, a `BaseStore`.

    store = TacitStore(client, reveal=True)
    graph = builder.compile(store=store)
    store.put(("amara", "likes"), "fruit", {"food": "figs"})

Rules:
- A namespace names a person, at position `person_at`; the rest of it is a session of theirs,
  "langgraph:likes". A namespace without a person is refused: Tacit lists no people.
- An item is a fact of that person. Its strings, with their keys, are its text; the item's own key
  and the session come back as they were given, so that they are no place for names.
- `put` stores the new item and then erases what it replaces, also what was put at the same time;
  `delete` erases. `get` and `put` read the item's namespace, as the wire looks nothing up by key; a
  batch reads each namespace once, and once more where it put something.
- `ttl` is Tacit's own retention: an item is erased that many minutes after it was put. More than
  the purpose allows is refused, and reading renews nothing: `ttl_config` says so, and `refresh_ttl`
  changes nothing. `index` is refused: a value is indexed whole.
- What pseudonyms made unreadable raises where it is asked for by its key, and is in a search as
  `Unread`, whatever the filter: nobody can say that it does not fit.
- Batches read first and then write, the last put of a key alone, as LangGraph's own stores do.
- The async methods are the others in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any, Final

from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
    validate_op_namespace,
)

from memory.client import Client, Memory, Person, RecallHit
from memory.client.values import NewMemory
from memory.integrations import items
from memory.integrations.conversation import erase, store

_KEY: Final = "store.key"
_MADE: Final = "store.made"
_SESSION: Final = "langgraph:"
_MOST_HITS: Final = 100
_MOST_SESSIONS: Final = 100

Namespace = tuple[str, ...]


class Unread(dict[str, Any]):
    """Stands in a search for a value that cannot be read: its words, as `{"unreadable": "..."}`.

    Another key raises `items.Unreadable`, which says how to read it.
    """

    def __missing__(self, key: str) -> Any:
        raise items.Unreadable


class TacitStore(BaseStore):
    """Items of people, by namespace and key.

    Args:
        client: The connection.
        purpose: Why the items are used; the client's own where it is not given.
        person_at: Where a namespace names the person: 0 for ("amara", "likes").
        reveal: Whether to read real names in place of pseudonyms; needs the scope and the consent.
    """

    supports_ttl = True

    def __init__(
        self,
        client: Client,
        *,
        purpose: str | None = None,
        person_at: int = 0,
        reveal: bool = False,
    ) -> None:
        self.ttl_config = TTLConfig(refresh_on_read=False, omit_expired=True)
        self._client = client
        self._purpose = purpose
        self._at = person_at
        self._reveal = reveal

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """What each operation comes to, in their order.

        Raises:
            ValueError: a namespace names no person.
            Unreadable: what is got by its key; with `reveal` it can be read.
            NotImplementedError: a put says how to index.
            ClientError: the server refused; what was put before that stays.
        """
        asked = list(ops)
        for op in asked:
            validate_op_namespace(op)
        within = cache(self._within)
        results = [self._read(op, within) for op in asked]
        puts = {(op.namespace, op.key): op for op in asked if isinstance(op, PutOp)}
        by_namespace: dict[Namespace, list[PutOp]] = {}
        for op in puts.values():
            by_namespace.setdefault(op.namespace, []).append(op)
        for namespace, several in by_namespace.items():
            self._put(namespace, several, within(namespace))
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """`batch`, in a thread."""
        return await asyncio.to_thread(self.batch, list(ops))

    def _read(self, op: Op, within: Callable[[Namespace], list[Memory]]) -> Result:
        match op:
            case GetOp():
                mine = [m for m in within(op.namespace) if m.labels.get(_KEY) == op.key]
                for it in _newest_first(mine)[:1]:
                    return Item(
                        value=it.value,
                        key=op.key,
                        namespace=op.namespace,
                        created_at=_made(it),
                        updated_at=_stored(it),
                    )
                return None
            case SearchOp():
                return self._search(op)
            case ListNamespacesOp():
                return self._namespaces(op)
            case PutOp():
                if op.index is not None:
                    raise NotImplementedError("Tacit indexes a value whole: leave index out")
                self._person(op.namespace)
                return None

    def _put(self, namespace: Namespace, puts: Sequence[PutOp], there: Iterable[Memory]) -> None:
        """New items first: what breaks in between leaves one too many, and the newest counts."""
        made: dict[str, datetime] = {}
        for old in items.unpack(there, label=_KEY, named=True):
            key = old.first.labels[_KEY]
            made[key] = min(_made(old), made.get(key, _made(old)))
        person = self._person(namespace)
        now = datetime.now(UTC)
        batches = []
        for op in puts:
            if op.value is not None:
                about: NewMemory = {"text": "", "kind": "fact", "session": self._session(namespace)}
                if op.ttl is not None:
                    about["expire_time"] = now + timedelta(minutes=op.ttl)
                labels = {_KEY: op.key, _MADE: made.get(op.key, now).isoformat()}
                batches.append(items.pack(op.value, about, labels, named=True))
        store(person, batches)
        # Read again, so that of puts of one key at once the last to look leaves one.
        stays = {op.key: op.value is not None for op in puts}
        gone = []
        for item in _newest_first(self._within(namespace) if batches else there):
            key = item.first.labels[_KEY]
            if stays.get(key):
                stays[key] = False
            elif key in stays:
                gone.append(item)
        erase(person, gone)

    def _search(self, op: SearchOp) -> list[SearchItem]:
        scores: dict[str, float] = {}
        person = self._person(op.namespace_prefix)
        wanted = op.offset + op.limit
        query = (op.query or "").strip()
        if query:
            hits = self._recall(person, query)
            found = [hit for hit in hits if self._below(hit.memory, op.namespace_prefix)]
            scores = _scores(found)
            if all(items.alone(hit.memory) for hit in found):
                fit = self._fitting(op, [hit.memory for hit in found])
                if len(fit) >= wanted or len(hits) < _MOST_HITS:
                    return self._told(fit, scores, op)
        listed = [each for each in self._listed(person) if self._below(each, op.namespace_prefix)]
        fit = self._fitting(op, listed)
        sessions = sorted({each.session for each in listed})
        if query and 0 < len(sessions) <= _MOST_SESSIONS:
            scores |= _scores(self._recall(person, query, sessions))
        if query:
            fit.sort(key=lambda it: -max(scores.get(m.name, float("-inf")) for m in it.memories))
        return self._told(fit, scores, op)

    def _recall(
        self, person: Person, query: str, sessions: Sequence[str] = ()
    ) -> Sequence[RecallHit]:
        return person.recall(
            query, limit=_MOST_HITS, reveal=self._reveal, kinds=["fact"], sessions=sessions
        ).hits

    def _listed(self, person: Person, sessions: Sequence[str] = ()) -> Iterable[Memory]:
        return person.memories(reveal=self._reveal, kinds=["fact"], sessions=sessions)

    def _within(self, namespace: Namespace) -> list[Memory]:
        """The memories of one namespace, the oldest first."""
        return list(self._listed(self._person(namespace), [self._session(namespace)]))

    def _fitting(self, op: SearchOp, memories: Iterable[Memory]) -> list[items.Item]:
        """The items that the filter lets through; of one key the newest."""
        newest: dict[tuple[str, str], items.Item] = {}
        for item in items.unpack(memories, label=_KEY, named=True):
            place = (item.first.session, item.first.labels[_KEY])
            if place not in newest or _stored(newest[place]) <= _stored(item):
                newest[place] = item
        return [item for item in newest.values() if _fits(_readable(item), op.filter or {})]

    def _told(
        self, fit: Sequence[items.Item], scores: Mapping[str, float], op: SearchOp
    ) -> list[SearchItem]:
        told = []
        for it in islice(fit, op.offset, op.offset + op.limit):
            namespace = self._namespace(op.namespace_prefix[self._at], it.first.session)
            key = it.first.labels[_KEY]
            score = max((scores[m.name] for m in it.memories if m.name in scores), default=None)
            told.append(SearchItem(namespace, key, _readable(it), _made(it), _stored(it), score))
        return told

    def _namespaces(self, op: ListNamespacesOp) -> list[Namespace]:
        conditions = op.match_conditions or ()
        people = {
            each.path[self._at]
            for each in conditions
            if each.match_type == "prefix" and len(each.path) > self._at
        } - {"*"}
        if len(people) != 1:
            raise ValueError(
                f"give a prefix with one person at position {self._at}: no list of all"
            )
        person = people.pop()
        found = {
            self._namespace(person, each.session)
            for each in self._listed(self._client.person(person, purpose=self._purpose))
            if _KEY in each.labels
        }
        fit = {name[: op.max_depth] for name in found if all(_matches(c, name) for c in conditions)}
        return sorted(fit)[op.offset : op.offset + op.limit]

    def _person(self, namespace: Namespace) -> Person:
        if len(namespace) <= self._at:
            raise ValueError(f"a namespace names a person at position {self._at}")
        return self._client.person(namespace[self._at], purpose=self._purpose)

    def _session(self, namespace: Namespace) -> str:
        rest = namespace[: self._at] + namespace[self._at + 1 :]
        return _SESSION + "/".join(p.replace("%", "%25").replace("/", "%2F") for p in rest)

    def _namespace(self, person: str, session: str) -> Namespace:
        told = session.removeprefix(_SESSION)
        rest = [p.replace("%2F", "/").replace("%25", "%") for p in told.split("/")] if told else []
        return (*rest[: self._at], person, *rest[self._at :])

    def _below(self, memory: Memory, prefix: Namespace) -> bool:
        if _KEY not in memory.labels:
            return False
        return self._namespace(prefix[self._at], memory.session)[: len(prefix)] == prefix


def _newest_first(memories: Iterable[Memory]) -> list[items.Item]:
    return list(items.unpack(memories, label=_KEY, named=True))[::-1]


def _scores(hits: Iterable[RecallHit]) -> dict[str, float]:
    return {hit.memory.name: hit.score for hit in hits}


def _stored(item: items.Item) -> datetime:
    return item.first.create_time or datetime.min.replace(tzinfo=UTC)


def _made(item: items.Item) -> datetime:
    return datetime.fromisoformat(item.first.labels[_MADE])


def _readable(item: items.Item) -> Any:
    try:
        return item.value
    except items.Unreadable:
        return Unread(unreadable=item.words)


def _matches(condition: MatchCondition, namespace: Namespace) -> bool:
    path = condition.path
    if len(namespace) < len(path):
        return False
    part = namespace[: len(path)] if condition.match_type == "prefix" else namespace[-len(path) :]
    return all(wanted in ("*", is_) for wanted, is_ in zip(path, part, strict=True))


def _fits(value: Any, wanted: Any) -> bool:
    """Whether a value is as a filter asks: equal, or by its operators, in each of its keys."""
    if isinstance(value, Unread):
        return True
    if isinstance(wanted, Mapping):
        if any(key.startswith("$") for key in wanted):
            return all(_compares(value, sign, to) for sign, to in wanted.items())
        return isinstance(value, Mapping) and all(
            _fits(value.get(key), each) for key, each in wanted.items()
        )
    if isinstance(wanted, list | tuple):
        return (
            isinstance(value, list) and len(value) == len(wanted) and all(map(_fits, value, wanted))
        )
    return bool(value == wanted)


def _compares(value: Any, sign: str, to: Any) -> bool:
    match sign:
        case "$eq":
            return bool(value == to)
        case "$ne":
            return bool(value != to)
        case "$gt" | "$gte" | "$lt" | "$lte":
            try:
                left, right = float(value), float(to)
            except (TypeError, ValueError):
                return False
            over = left > right if "g" in sign else left < right
            return over or (sign.endswith("e") and left == right)
    raise ValueError("a filter knows $eq, $ne, $gt, $gte, $lt and $lte")
