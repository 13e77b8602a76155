"""Exports as each product writes them, full of planted personal data, and what should come of them.

Rules:
- What stands in titles, metadata, ids and other fields that are not taken is planted too.
- Seeded: the same count gives the same file.
"""

from __future__ import annotations

import json
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

from tests.integration.planted import conversation

TALK = 20
"""What the person says in one conversation."""

START = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass
class Export:
    """A file, and what it holds. `shown` is how much is taken without options."""

    path: Path
    shown: int
    left: Counter[str] = field(default_factory=Counter)
    secrets: list[str] = field(default_factory=list)


@dataclass
class _Planted:
    """Texts, each with something in it that must not be found, and no two of them the same."""

    secrets: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)

    def texts(self) -> Iterator[str]:
        for number in count():
            one = conversation(number)
            for turn in one.turns:
                if turn in self.told:
                    continue
                self.told.add(turn)
                self.secrets.append(next(each for each in one.secrets if each in turn))
                yield turn

    def hide(self, number: int) -> str:
        """Personal data for a place that is not taken."""
        secret = f"hidden{number:06d}.marisol@example.org"
        self.secrets.append(secret)
        return secret


def _at(number: int) -> str:
    return (START + timedelta(minutes=number)).isoformat().replace("+00:00", "Z")


def _id(*parts: object) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(parts)))


def mem0(folder: Path, size: int) -> Export:
    planted = _Planted()
    results: list[dict[str, Any]] = [
        {
            "id": _id("mem0", number),
            "memory": text,
            "hash": "0",
            "user_id": "amara",
            "metadata": {"from": planted.hide(number)},
            "categories": ["family"],
            "created_at": _at(number),
            "updated_at": _at(number),
        }
        for number, text in enumerate(islice(planted.texts(), size))
    ]
    results.append({"id": "a", "memory": "I answer in French.", "agent_id": "helper"})
    path = folder / "mem0.json"
    path.write_text(json.dumps({"results": results, "count": len(results)}))
    return Export(path, size, Counter({"of the assistant": 1}), planted.secrets)


def zep(folder: Path, size: int) -> Export:
    planted = _Planted()
    texts = list(islice(planted.texts(), size))
    facts = [
        {
            "uuid": _id("edge", number),
            "name": "KNOWS",
            "fact": text,
            "created_at": _at(number),
            "valid_at": _at(number),
            "invalid_at": _at(number + 60) if number % 3 == 0 else None,
        }
        for number, text in enumerate(texts[: size // 2])
    ]
    threads = []
    for start in range(size // 2, size, TALK):
        messages = []
        for number in range(start, min(start + TALK, size)):
            said = {"uuid": _id("zep", number), "content": texts[number], "created_at": _at(number)}
            messages.append(said | {"role": "user", "name": "Ingrid Vasquez-Moreau"})
            messages.append({"uuid": _id("a", number), "role": "assistant", "content": "Noted."})
        messages.append({"uuid": _id("s", start), "role": "system", "content": "Be kind."})
        name = planted.hide(start)
        threads.append({"thread_id": name, "user_id": "amara", "messages": messages})
    planted.secrets.append("Ingrid Vasquez-Moreau")
    path = folder / "zep.json"
    path.write_text(json.dumps({"threads": threads, "edges": facts, "nodes": [{"name": "x"}]}))
    spoken = size - size // 2
    left = Counter({"of the assistant": spoken, "role system": len(threads)})
    return Export(path, size, left, planted.secrets)


def letta(folder: Path, size: int) -> Export:
    planted = _Planted()
    texts = list(islice(planted.texts(), size))
    half = size // 2
    messages: list[dict[str, Any]] = [{"id": "message-s", "role": "system", "content": "Be kind."}]
    for number, text in enumerate(texts[:half]):
        said = {"type": "user_message", "message": text, "time": _at(number)}
        content = json.dumps(said) if number % 2 else text
        messages.append(
            {
                "id": f"message-{number}",
                "role": "user",
                "content": [{"type": "text", "text": content}],
                "created_at": _at(number),
            }
        )
        call = {"name": "send_message", "arguments": json.dumps({"message": f"Yes, {number}."})}
        messages.append(
            {"id": f"answer-{number}", "role": "assistant", "tool_calls": [{"function": call}]}
        )
    agent = {"id": "agent-0", "name": planted.hide(0), "messages": messages}
    human = "\n\n".join(texts[half:])
    blocks = [{"label": "human", "value": human}, {"label": "persona", "value": "I am kind."}]
    path = folder / "agent.af"
    path.write_text(json.dumps({"agents": [agent], "blocks": blocks, "tools": [{"name": "x"}]}))
    left = Counter({"role system": 1, "of the assistant": half, "block about the agent": 1})
    return Export(path, size, left, planted.secrets)


def chatgpt(folder: Path, size: int) -> Export:
    planted = _Planted()
    texts = list(islice(planted.texts(), size))
    conversations = []
    for start in range(0, size, TALK):
        mapping: dict[str, Any] = {"root": {"parent": None, "message": None, "children": []}}
        parent = "root"
        for number in range(start, min(start + TALK, size)):
            seconds = (START + timedelta(minutes=number)).timestamp()
            for role, text in (("user", texts[number]), ("assistant", f"Noted, {number}.")):
                name = _id(role, number)
                content = {"content_type": "text", "parts": [text]}
                message = {"id": name, "author": {"role": role}, "create_time": seconds}
                message |= {"content": content, "recipient": "all", "metadata": {}}
                mapping[parent]["children"] = [name]
                mapping[name] = {"parent": parent, "message": message, "children": []}
                parent = name
        other = {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["No."]}}
        mapping["other"] = {"parent": "root", "message": other, "children": []}
        conversations.append(
            {
                "id": _id("chat", start),
                "title": planted.hide(start),
                "mapping": mapping,
                "current_node": parent,
            }
        )
    path = folder / "chatgpt.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("user.json", json.dumps({"email": planted.hide(999_999)}))
        archive.writestr("chat.html", "<html></html>")
        archive.writestr("conversations.json", json.dumps(conversations))
    left = Counter({"of the assistant": size, "other branch": len(conversations)})
    return Export(path, size, left, planted.secrets)


def claude(folder: Path, size: int) -> Export:
    planted = _Planted()
    texts = list(islice(planted.texts(), size))
    remembered = size // 10
    talks = []
    for start in range(remembered, size, TALK):
        messages = []
        for number in range(start, min(start + TALK, size)):
            for sender, text in (("human", texts[number]), ("assistant", "Noted.")):
                said = {"uuid": _id(sender, number), "sender": sender, "text": text}
                content = [{"type": "text", "text": text}] if number % 2 else []
                messages.append(said | {"content": content, "created_at": _at(number)})
        name = planted.hide(start)
        talk = {"uuid": _id("talk", start), "name": name, "account": {"uuid": "a-1"}}
        talks.append(talk | {"chat_messages": messages})
    memory = "\n\n".join(texts[:remembered])
    path = folder / "claude.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.json", json.dumps([{"email_address": planted.hide(999_999)}]))
        archive.writestr("conversations.json", json.dumps(talks))
        archive.writestr(
            "memories.json", json.dumps([{"conversations_memory": memory, "account_uuid": "a-1"}])
        )
    return Export(path, size, Counter({"of the assistant": size - remembered}), planted.secrets)


def pam(folder: Path, size: int) -> Export:
    planted = _Planted()
    memories = [
        {
            "id": _id("pam", number),
            "type": ("fact", "preference", "goal")[number % 3],
            "status": "superseded" if number % 5 == 0 else "active",
            "content": text,
            "tags": ["family"],
            "temporal": {"created_at": _at(number), "updated_at": _at(number + 1)},
            "provenance": {"platform": "other", "conversation_ref": planted.hide(number)},
        }
        for number, text in enumerate(islice(planted.texts(), size))
    ]
    memories.append({"id": "gone", "status": "retracted", "content": "I like figs."})
    store = {"schema": "portable-ai-memory", "schema_version": "1.0", "owner": {"id": "amara"}}
    path = folder / "pam.json"
    path.write_text(json.dumps(store | {"memories": memories}))
    return Export(path, size, Counter({"retracted": 1}), planted.secrets)


EXPORTS: dict[str, Callable[[Path, int], Export]] = {
    each.__name__: each for each in (mem0, zep, letta, chatgpt, claude, pam)
}
