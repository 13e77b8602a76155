"""Zep: sessions or threads with their messages, and the facts of its graph.

Zep has no export of its own: a file holds what its API answers, as it is or put together under
"threads" or "sessions" and "edges" or "facts".

    message   {"uuid": …, "role": "user", "name": …, "content": …, "created_at": …}; of version 2
              {"role_type": "user", "role": the name, …}
    thread    {"thread_id" or "session_id": …, "user_id": …, "messages": […]}
    edge      {"uuid": …, "fact": …, "valid_at": …, "invalid_at": …, "expired_at": …,
              "created_at": …}: a fact that holds from valid_at until invalid_at
    page      {"messages": […]}, {"edges": […]}, {"facts": […]}, {"items": […]}

Nodes of the graph (summaries of people and things) and episodes (copies of the messages) are not
taken.

Source: https://help.getzep.com/sdk-reference/thread/get-messages-of-a-thread,
https://help.getzep.com/v2/sdk-reference/graph/edge/get-edge, https://help.getzep.com/v4/facts
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from server.moving.entries import By, Entry, Found
from server.moving.nodes import Node

FILES: Final = re.compile(r".*\.json")
_WITHIN: Final = ("sessions", "threads", "messages", "edges", "facts", "relevant_facts", "items")
_UNTAKEN: Final = ("nodes", "episodes", "summary", "context", "metadata", "attributes")
_SESSIONS: Final = ("thread_id", "session_id", "thread_uuid")
_SIDES: Final = {
    "user": By.PERSON,
    "human": By.PERSON,
    "assistant": By.ASSISTANT,
    "ai": By.ASSISTANT,
}
_DEEPEST: Final = 8


@dataclass(frozen=True, slots=True)
class _Context:
    """What is said further out in the file."""

    session: str = ""
    owner: str = ""
    depth: int = 0

    def inside(self, node: Node) -> _Context:
        session = next(filter(None, map(node.text, _SESSIONS)), self.session)
        return _Context(session, node.text("user_id") or self.owner, self.depth + 1)


def read(elements: Iterator[Node], found: Found) -> Iterator[Entry]:
    """The messages and the facts, in the order of the file."""
    for node in elements:
        yield from _any(node, _Context(), found)


def _any(node: Node, context: _Context, found: Found) -> Iterator[Entry]:
    if isinstance(node.value, str):
        yield Entry(text=node.value, by=By.PRODUCT, kind="fact", owner=context.owner)
        return
    if not node.is_object or context.depth > _DEEPEST:
        found.miss("not understood")
        return
    inside = context.inside(node)
    for name in _UNTAKEN:
        value = node.of(name).value
        found.pass_over(name, len(value) if isinstance(value, list) else bool(value))
    if node.has("fact"):
        yield _fact(node, inside, found)
    elif node.has("content") and (node.has("role") or node.has("role_type")):
        yield from _message(node, inside, found)
    elif any(node.has(name) for name in _WITHIN):
        for name in _WITHIN:
            for each in node.list(name):
                yield from _any(each, inside, found)
    elif not any(node.has(name) for name in (*_UNTAKEN, *_SESSIONS)):
        found.miss("not understood")


def _fact(node: Node, inside: _Context, found: Found) -> Entry:
    return Entry(
        text=node.text("fact"),
        by=By.PRODUCT,
        kind="fact",
        id=node.text("uuid"),
        owner=inside.owner,
        time=node.time(found, "valid_at", "created_at"),
        until=node.time(found, "invalid_at", "expired_at"),
    )


def _message(node: Node, inside: _Context, found: Found) -> Iterator[Entry]:
    if node.has("role_type"):
        role, name = node.text("role_type"), node.text("role")
    else:
        role, name = node.text("role"), node.text("name")
    side = _SIDES.get(role.casefold())
    if side is None:
        found.leave(f"role {role}")
        return
    yield Entry(
        text=node.text("content"),
        by=side,
        id=node.text("uuid"),
        speaker=(name or "user") if side is By.PERSON else "assistant",
        session=inside.session,
        owner=inside.owner,
        time=node.time(found, "reference_time", "created_at"),
    )
