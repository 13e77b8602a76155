"""Letta: an agent file (.af), and the passages of archival memory.

    {"agents": [{"id": …, "name": …, "messages": […]}], "blocks": [{"label": …, "value": …}], …}
and before version 0.8 one agent alone:
    {"agent_type": …, "core_memory": [{"label": …, "value": …}], "messages": […], …}

    message    {"role": …, "content": a text or [{"type": "text", "text": …}], "created_at": …,
               "tool_calls": […]}. What a person says may be wrapped in a text of JSON:
               {"type": "user_message", "message": …, "time": …}; what an agent of that kind says
               is the "message" of its call of "send_message", and its content is what it thinks
    block      facts, paragraph by paragraph. "persona" is about the agent, and so is what is
               read-only
    passage    {"id": …, "text": …, "created_at": …, "is_deleted": …}, in a list, as
               `passages.list` answers, or under "passages": an agent file has none

An agent file holds the latest messages alone. It does not say whose they are.

Source: https://github.com/letta-ai/letta/blob/main/letta/schemas/agent_file.py,
https://github.com/letta-ai/agent-file,
https://docs.letta.com/api-reference/agents/passages/list
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from server.moving.entries import By, Entry, Found, Kind
from server.moving.nodes import Node
from server.moving.prose import paragraphs

FILES: Final = re.compile(r".*\.(af|json)")
_UNTAKEN: Final = ("tools", "files", "sources", "groups", "mcp_servers", "tool_rules")
_FACT: Final[Kind] = "fact"


def read(elements: Iterator[Node], found: Found) -> Iterator[Entry]:
    """The blocks, then the messages of each agent; or the passages."""
    for node in elements:
        if not node.is_object:
            found.miss("not understood")
        elif node.has("agents") or node.has("blocks") or node.has("passages"):
            yield from _file(node, found)
        elif node.has("messages") or node.has("core_memory"):
            yield from _agent(node, found)
        elif node.has("text"):
            yield from _passage(node, found)
        else:
            found.miss("not understood")


def _file(node: Node, found: Found) -> Iterator[Entry]:
    for name in _UNTAKEN:
        found.pass_over(name, node.count(name))
    for block in node.list("blocks"):
        yield from _block(block, found)
    for agent in node.list("agents"):
        yield from _agent(agent, found)
    for passage in node.list("passages"):
        yield from _passage(passage, found)


def _agent(node: Node, found: Found) -> Iterator[Entry]:
    for name in ("core_memory", "memory_blocks"):
        for block in node.list(name):
            yield from _block(block, found)
    session = f"{node.text('name')}/{node.text('id')}"
    for message in node.list("messages"):
        yield from _message(message, session, found)


def _block(node: Node, found: Found) -> Iterator[Entry]:
    label = node.text("label")
    if label == "persona" or node.of("read_only").value is True:
        found.leave("block about the agent")
        return
    for text in paragraphs(node.text("value")):
        yield Entry(text=text, by=By.PRODUCT, kind=_FACT, id=f"block/{label}")


def _passage(node: Node, found: Found) -> Iterator[Entry]:
    if node.of("is_deleted").value is True:
        found.leave("deleted")
        return
    yield Entry(
        text=node.text("text"),
        by=By.PRODUCT,
        kind=_FACT,
        id=node.text("id"),
        time=node.time(found, "created_at"),
    )


def _message(node: Node, session: str, found: Found) -> Iterator[Entry]:
    role = node.text("role")
    if role not in {"user", "assistant"}:
        found.leave(f"role {role}")
        return
    calls = list(node.list("tool_calls")) if role == "assistant" else []
    text = _sent(calls, found) if calls else _content(node, found)
    if role == "user" and (event := _event(text)):
        if event.get("type") != "user_message" or not isinstance(event.get("message"), str):
            found.leave(f"event {event.get('type')}")
            return
        text = event["message"]
    if calls and not text:
        found.leave("call of a tool")
        return
    yield Entry(
        text=text,
        by=By.PERSON if role == "user" else By.ASSISTANT,
        id=node.text("id"),
        speaker=role,
        session=session,
        time=node.time(found, "created_at"),
    )


def _content(node: Node, found: Found) -> str:
    content = node.of("content")
    if not isinstance(content.value, list):
        return node.text("content")
    texts = []
    for part in node.list("content"):
        if part.has("text") and part.text("type") in {"", "text"}:
            texts.append(part.text("text"))
        else:
            found.pass_over(f"content {part.text('type')}" if part.is_object else "content")
    return "\n".join(texts)


def _sent(calls: list[Node], found: Found) -> str:
    """What the agent told the person by its tool."""
    texts = []
    for call in calls:
        function = call.object("function")
        said = _loaded(function.text("arguments")) if function.has("arguments") else None
        told = said.get("message") if isinstance(said, dict) else None
        if function.text("name") == "send_message" and isinstance(told, str):
            texts.append(told)
        else:
            found.pass_over("call of a tool")
    return "\n".join(texts)


def _event(text: str) -> dict[str, Any] | None:
    """What a text of JSON with a type says; None for any other text."""
    event = _loaded(text) if text.lstrip().startswith("{") else None
    return event if isinstance(event, dict) and isinstance(event.get("type"), str) else None


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
