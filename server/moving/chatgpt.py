"""ChatGPT: the data export, as a zip or its conversations.json.

    [{"id": …, "current_node": …, "mapping": {node: {"parent": node, "message": {
        "id": …, "author": {"role": …}, "recipient": …, "create_time": seconds,
        "content": {"content_type": "text", "parts": […]}, "metadata": {…}}}}}, …]

The mapping is a tree: an edited question and a regenerated answer are branches. The branch that
ends in current_node is what the person sees, and what is taken.

    role user          what the person said: the texts of "parts", and "audio_transcription"
    recipient "bio"    a memory that ChatGPT saved: a fact, from any branch
    about_user_message, about_model_message
                       of the metadata's user_context_message_data: the custom instructions, a
                       fact and a preference

A large export comes as conversations-000.json, conversations-001.json and so on. The format is
not documented by OpenAI; what is here is what people who read theirs describe.

Source: https://help.openai.com/articles/7260999,
https://github.com/mitkury/chatgpt-export-parser/blob/main/docs/chatgpt-data-export-format.md,
https://github.com/portable-ai-memory/python-sdk/blob/main/src/portable_ai_memory/converters/openai.py
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from server.moving.entries import By, Entry, Found, Kind
from server.moving.nodes import Node

FILES: Final = re.compile(r"(.*/)?conversations(-\d+)?\.json")
_TEXTS: Final = ("text", "multimodal_text", "user_editable_context", "")
_CUSTOM: Final[tuple[tuple[str, Kind], ...]] = (
    ("about_user_message", "fact"),
    ("about_model_message", "preference"),
)


def read(elements: Iterator[Node], found: Found) -> Iterator[Entry]:
    """The messages of each conversation, in the order they were said."""
    for node in elements:
        if node.has("mapping"):
            yield from _conversation(node, found)
        else:
            found.miss("not a conversation of ChatGPT's")


def _conversation(node: Node, found: Found) -> Iterator[Entry]:
    mapping = node.object("mapping")
    session = node.text("conversation_id") or node.text("id")
    branch = _branch(node, mapping)
    for name in branch:
        message = mapping.object(name).object("message")
        if message.value:
            yield from _message(message, session, found)
    shown = set(branch)
    for name in (each for each in mapping.value if each not in shown):
        message = mapping.object(name).object("message")
        if message.has("recipient") and message.text("recipient") == "bio":
            yield _saved(message, found)
        elif message.value:
            found.leave("other branch")


def _branch(node: Node, mapping: Node) -> list[str]:
    """The names of the nodes from the root to the current one, or to the last leaf."""
    name = node.text("current_node")
    if name not in mapping.value:
        leaves = (
            each
            for each in reversed(mapping.value)
            if not any(mapping.object(each).list("children"))
        )
        name = next(leaves, "")
    branch: dict[str, None] = {}
    while name in mapping.value and name not in branch:
        branch[name] = None
        name = mapping.object(name).text("parent")
    return list(reversed(branch))


def _message(message: Node, session: str, found: Found) -> Iterator[Entry]:
    role = message.object("author").text("role")
    metadata = message.object("metadata")
    own = metadata.object("user_context_message_data")
    for name, kind in _CUSTOM:
        if own.has(name):
            yield Entry(text=own.text(name), by=By.PERSON, kind=kind, id=name, speaker="user")
    if message.text("recipient") == "bio":
        yield _saved(message, found)
    elif own.value:
        return
    elif metadata.of("is_visually_hidden_from_conversation").value is True:
        found.leave("hidden")
    elif role not in {"user", "assistant"}:
        found.leave(f"role {role}")
    elif message.text("recipient") not in {"", "all"}:
        found.leave("call of a tool")
    else:
        content = message.object("content")
        if content.text("content_type") not in _TEXTS:
            found.leave(f"content {content.text('content_type')}")
            return
        found.pass_over("attachment", metadata.count("attachments"))
        yield Entry(
            text=_text(content, found),
            by=By.PERSON if role == "user" else By.ASSISTANT,
            id=message.text("id"),
            speaker=role,
            session=session,
            time=message.time(found, "create_time"),
        )


def _saved(message: Node, found: Found) -> Entry:
    return Entry(
        text=_text(message.object("content"), found),
        by=By.PRODUCT,
        kind="fact",
        id=message.text("id"),
        time=message.time(found, "create_time"),
    )


def _text(content: Node, found: Found) -> str:
    texts = []
    for part in content.list("parts"):
        if isinstance(part.value, str):
            texts.append(part.value)
        elif part.has("text") and part.text("content_type") == "audio_transcription":
            texts.append(part.text("text"))
        else:
            named = part.text("content_type") if part.is_object else ""
            found.pass_over(named or "content that is not understood")
    return "\n".join(filter(None, texts))
