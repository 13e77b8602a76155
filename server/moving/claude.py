"""Claude: the data export, as a zip or one of its JSON files.

    conversations.json   [{"uuid": …, "account": {"uuid": …}, "chat_messages": [{"uuid": …,
                         "sender": "human" or "assistant", "text": …, "content": [{"type": "text",
                         "text": …}], "created_at": …, "attachments": […], "files": […]}]}, …]
    memories.json        [{"account_uuid": …, "conversations_memory": a text, "project_memories":
                         {project: a text}}]; also as memories/….json, one for each account

    sender human         what the person said: the texts of "content", else "text"
    …_memory, …_memories what Claude remembers of the person: facts, paragraph by paragraph

Projects, attachments and what Claude thought or did with tools are not taken. The format is not
documented by Anthropic; what is here is what people who read theirs describe.

Source: https://support.claude.com/en/articles/9450526-export-your-claude-data,
https://github.com/portable-ai-memory/python-sdk/blob/main/src/portable_ai_memory/converters/anthropic.py,
https://github.com/Sinity/polylogue/blob/main/docs/providers/claude-ai.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from server.moving.entries import By, Entry, Found
from server.moving.nodes import Node
from server.moving.prose import paragraphs

FILES: Final = re.compile(
    r"(.*/)?(conversations|memories)([-_][^/]*)?\.json|(.*/)?memories/[^/]+\.json"
)
_SIDES: Final = {"human": By.PERSON, "user": By.PERSON, "assistant": By.ASSISTANT}


def read(elements: Iterator[Node], found: Found) -> Iterator[Entry]:
    """The messages and what is remembered, in the order of the files."""
    for node in elements:
        if node.has("chat_messages"):
            yield from _conversation(node, found)
        elif node.has("conversations_memory") or node.has("project_memories"):
            yield from _memories(node)
        else:
            found.miss("neither a conversation nor a memory of Claude's")


def _conversation(node: Node, found: Found) -> Iterator[Entry]:
    session, owner = node.text("uuid"), node.object("account").text("uuid")
    found.pass_over("summary of a conversation", bool(node.text("summary")))
    for message in node.list("chat_messages"):
        sender = message.text("sender")
        side = _SIDES.get(sender)
        if side is None:
            found.leave(f"sender {sender}")
            continue
        found.pass_over("attachment", message.count("attachments"))
        found.pass_over("file", message.count("files"))
        yield Entry(
            text=_text(message, found),
            by=side,
            id=message.text("uuid"),
            speaker="user" if side is By.PERSON else "assistant",
            session=session,
            owner=owner,
            time=message.time(found, "created_at"),
        )


def _text(message: Node, found: Found) -> str:
    texts = []
    for part in message.list("content"):
        kind = part.text("type") if part.is_object else ""
        if kind == "text":
            texts.append(part.text("text"))
        else:
            found.pass_over(f"content {kind}")
    return "\n".join(filter(None, texts)) or message.text("text")


def _memories(node: Node) -> Iterator[Entry]:
    owner, projects = node.text("account_uuid"), node.object("project_memories")
    texts = [node.text("conversations_memory"), *map(projects.text, projects.value)]
    for text in texts:
        for paragraph in paragraphs(text):
            yield Entry(text=paragraph, by=By.PRODUCT, kind="fact", owner=owner)
