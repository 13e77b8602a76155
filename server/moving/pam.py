"""Portable AI Memory (PAM) 1.0: memory stores and conversations, alone or in a zip.

    {"schema": "portable-ai-memory", "owner": {"id": …}, "memories": [{"id": …, "type": …,
     "custom_type": …, "status": …, "content": …, "temporal": {"created_at": …, "valid_from": …,
     "valid_until": …}, "provenance": {"conversation_ref": …}, "metadata": {…}}]}
    {"schema": "portable-ai-memory-conversation", "id": …, "messages": [{"id": …, "role": …,
     "content": {"type": "text", "text": …, "parts": […]}, "created_at": …, "is_thought": …}]}

    type       preference and instruction ▸ preference; custom ▸ the kind of that name, where there
               is one; any other ▸ fact
    status     retracted is left out; superseded and deprecated held until valid_until, else
               updated_at, else created_at
    metadata   its speaker, as `server.pam` writes it

Relations, confidence, embeddings and the index of conversations are not taken, hashes and
signatures not checked: nothing depends on where it came from.

Source: https://portable-ai-memory.org/spec/v1.0,
https://github.com/portable-ai-memory/portable-ai-memory/blob/main/spec.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from server.moving.entries import By, Entry, Found, Kind
from server.moving.nodes import Node

FILES: Final = re.compile(r".*\.json")
_KINDS: Final[dict[str, Kind]] = {
    "preference": "preference",
    "instruction": "preference",
    "message": "message",
    "event": "event",
    "summary": "summary",
}
_PAST: Final = ("superseded", "deprecated")
_UNTAKEN: Final = ("relations", "conversations_index")


def read(elements: Iterator[Node], found: Found) -> Iterator[Entry]:
    """The memories and the messages, in the order of the files."""
    for node in elements:
        if node.has("memories"):
            for name in _UNTAKEN:
                found.pass_over(name, node.count(name))
            owner = node.object("owner").text("id")
            for memory in node.list("memories"):
                yield from _memory(memory, owner, found)
        elif node.has("messages"):
            for message in node.list("messages"):
                yield from _message(message, node.text("id"), found)
        else:
            found.miss("neither a memory store nor a conversation of PAM's")


def _memory(node: Node, owner: str, found: Found) -> Iterator[Entry]:
    status, temporal = node.text("status"), node.object("temporal")
    if status == "retracted":
        found.leave("retracted")
        return
    until = temporal.time(found, "valid_until")
    if until is None and status in _PAST:
        until = temporal.time(found, "updated_at", "created_at")
    found.pass_over("tags", bool(node.of("tags").value))
    kind = node.text("type")
    kind = node.text("custom_type") if kind == "custom" else kind
    speaker = node.object("metadata").of("speaker").value
    said = speaker if isinstance(speaker, str) else ""
    yield Entry(
        text=node.text("content"),
        by=By.ASSISTANT if said == "assistant" else By.PRODUCT,
        kind=_KINDS.get(kind, "fact"),
        id=node.text("id"),
        speaker=said,
        session=node.object("provenance").text("conversation_ref"),
        owner=owner,
        time=temporal.time(found, "valid_from", "created_at"),
        until=until,
    )


def _message(node: Node, session: str, found: Found) -> Iterator[Entry]:
    role = node.text("role")
    if role not in {"user", "assistant"}:
        found.leave(f"role {role}")
        return
    if node.of("is_thought").value is True:
        found.leave("thought")
        return
    found.pass_over("attachment", node.count("attachments"))
    content = node.object("content")
    texts = [content.text("text")]
    for part in content.list("parts"):
        if part.text("type") == "text":
            texts.append(part.text("text"))
        else:
            found.pass_over(f"content {part.text('type')}")
    yield Entry(
        text="\n".join(filter(None, texts)),
        by=By.PERSON if role == "user" else By.ASSISTANT,
        id=node.text("id"),
        speaker=role,
        session=session,
        time=node.time(found, "created_at"),
    )
