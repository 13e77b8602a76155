"""What each product's export comes to, by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from memory.errors import ConfigurationError
from server.moving import chatgpt, claude, letta, mem0, pam, zep
from server.moving.entries import MAX_REASON_CHARS, MAX_REASONS, By, Entry, Found
from server.moving.nodes import Node

MAY, JUNE = datetime(2026, 5, 4, 10, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


def read(reader: ModuleType, *elements: Any) -> tuple[list[Entry], Found]:
    found = Found()
    nodes = (Node(value, f"file[{index}]") for index, value in enumerate(elements))
    return list(reader.read(nodes, found)), found


def texts(entries: Sequence[Entry]) -> list[str]:
    return [entry.text for entry in entries]


def test_mem0_memories_are_facts_and_preferences() -> None:
    memory = {
        "id": "m1", "memory": "Keeps bees.", "user_id": "amara", "run_id": "r1",
        "created_at": "2026-05-01T00:00:00-07:00", "updated_at": "2026-05-04T03:00:00-07:00",
        "expiration_date": "2026-06-01", "metadata": {"a": 1}, "categories": ["hobbies"],
    }  # fmt: skip
    likes = {"memory": "Likes tea.", "categories": ["user_preferences"]}
    own = {"memory": "Speaks kindly.", "agent_id": "helper"}
    entries, found = read(mem0, memory, {"results": [likes, own, {"id": "x"}], "next": None})
    assert entries[0] == Entry(
        "Keeps bees.", By.PRODUCT, "fact", "m1", "", "r1", "amara", MAY, JUNE
    )
    assert [(entry.kind, entry.by) for entry in entries[1:]] == [
        ("preference", By.PRODUCT),
        ("fact", By.ASSISTANT),
    ]
    assert (found.left, found.strange) == ({"not a memory of mem0's": 1}, 1)
    assert found.beside == {"metadata": 1, "categories": 2}


def test_zep_threads_and_facts() -> None:
    new = {"uuid": "1", "role": "user", "name": "Amara", "content": "Hi."}
    thread = {
        "thread_id": "t1", "user_id": "amara",
        "messages": [
            new | {"created_at": "2026-05-04T10:00:00Z"},
            {"role": "assistant", "name": "Helper", "content": "Hello."},
            {"role": "tool", "content": "42"},
        ],
    }  # fmt: skip
    edge = {"uuid": "e", "fact": "Amara lives in Leeds.", "valid_at": "2026-05-04T10:00:00Z"}
    page = {"edges": [edge | {"invalid_at": "2026-06-01T00:00:00Z"}], "nodes": [{}, {}]}
    old = {"session_id": "s", "messages": [{"role_type": "user", "role": "Ben", "content": "Yo."}]}
    entries, found = read(zep, thread, page, {"sessions": [old]}, {"facts": ["Has a cat."]}, 7)
    assert entries == [
        Entry("Hi.", By.PERSON, "message", "1", "Amara", "t1", "amara", MAY),
        Entry("Hello.", By.ASSISTANT, "message", "", "assistant", "t1", "amara"),
        Entry("Amara lives in Leeds.", By.PRODUCT, "fact", "e", time=MAY, until=JUNE),
        Entry("Yo.", By.PERSON, "message", "", "Ben", "s"),
        Entry("Has a cat.", By.PRODUCT, "fact"),
    ]
    assert found.left == {"role tool": 1, "not understood": 1}
    assert found.beside == {"nodes": 2}


def test_letta_agents_of_both_formats() -> None:
    wrapped = json.dumps({"type": "user_message", "message": "I keep bees.", "time": "x"})
    beat = json.dumps({"type": "heartbeat", "reason": "x"})
    send = {"name": "send_message", "arguments": json.dumps({"message": "How lovely."})}
    search = {"name": "archival_memory_search", "arguments": "{}"}
    messages = [
        {"id": "m0", "role": "system", "content": [{"type": "text", "text": "Be kind."}]},
        {"id": "m1", "role": "user", "content": [{"type": "text", "text": wrapped}],
         "created_at": "2026-05-04T10:00:00+00:00"},
        {"id": "m2", "role": "user", "content": beat},
        {"id": "m3", "role": "assistant", "content": [{"type": "text", "text": "thinking"}],
         "tool_calls": [{"function": send}, {"function": search}]},
        {"id": "m4", "role": "assistant", "tool_calls": [{"function": search}]},
        {"id": "m5", "role": "assistant", "content": [
            {"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "And honey?"}]},
        {"id": "m6", "role": "user", "content": "{not JSON}"},
    ]  # fmt: skip
    human = "First name: Chad\nAge: ?\n\nInterests:\n\nSailing"
    blocks = [
        {"label": "human", "value": human},
        {"label": "persona", "value": "I am Sam."},
        {"label": "policy", "value": "Be brief.", "read_only": True},
    ]
    agents = [{"id": "agent-0", "name": "sam", "messages": messages}]
    entries, found = read(letta, {"agents": agents, "blocks": blocks, "tools": [{}, {}]})
    assert texts(entries) == [
        "First name: Chad\nAge: ?", "Interests:\nSailing", "I keep bees.", "How lovely.",
        "And honey?", "{not JSON}",
    ]  # fmt: skip
    assert entries[2] == Entry(
        "I keep bees.", By.PERSON, "message", "m1", "user", "sam/agent-0", time=MAY
    )
    assert [entry.by for entry in entries[3:5]] == [By.ASSISTANT, By.ASSISTANT]
    assert found.left == {
        "role system": 1, "event heartbeat": 1, "call of a tool": 1, "block about the agent": 2,
    }  # fmt: skip
    assert found.beside == {"tools": 2, "call of a tool": 2, "content reasoning": 1}
    old, _ = read(letta, {"agent_type": "memgpt", "core_memory": blocks, "messages": messages})
    assert texts(old) == texts(entries)


def test_letta_passages() -> None:
    passage = {"id": "p", "text": "Keeps bees.", "created_at": "2026-05-04T10:00:00Z"}
    entries, found = read(letta, passage, {"passages": [passage | {"is_deleted": True}]}, "x", {})
    assert entries == [Entry("Keeps bees.", By.PRODUCT, "fact", "p", time=MAY)]
    assert found.left == {"deleted": 1, "not understood": 2}


def _said(role: str, *parts: Any, **more: Any) -> dict[str, Any]:
    kind = more.pop("content_type", "text")
    content = {"content_type": kind, "parts": list(parts)}
    return {"id": "i", "author": {"role": role}, "content": content, "recipient": "all"} | more


def _chat(current: str | None, **nodes: tuple[str | None, Any]) -> dict[str, Any]:
    children: dict[str | None, list[str]] = {}
    for name, (parent, _) in nodes.items():
        children.setdefault(parent, []).append(name)
    mapping = {
        name: {"id": name, "parent": parent, "message": message, "children": children.get(name, [])}
        for name, (parent, message) in nodes.items()
    }
    return {"conversation_id": "c", "title": "Bees", "current_node": current, "mapping": mapping}


def test_chatgpt_takes_the_branch_that_is_shown() -> None:
    own = {"user_context_message_data": {"about_user_message": "I am a nurse."}}
    chat = _chat(
        "d",
        root=(None, None),
        custom=("root", _said("user", content_type="user_editable_context", metadata=own)),
        a=("custom", _said("user", "I keep bees.", create_time=MAY.timestamp())),
        b=("a", _said("assistant", "I will remember.", recipient="bio")),
        t=("b", _said("tool", "Model set context updated.")),
        c=("t", _said("assistant", "Lovely.")),
        d=("c", _said(
            "user", {"content_type": "audio_transcription", "text": "Two hives."},
            {"content_type": "image_asset_pointer"}, content_type="multimodal_text",
            metadata={"attachments": [{}]},
        )),
        e=("c", _said("user", "Three hives.")),
        f=("e", _said("assistant", "Has three hives.", recipient="bio")),
    )  # fmt: skip
    entries, found = read(chatgpt, chat)
    assert texts(entries) == [
        "I am a nurse.", "I keep bees.", "I will remember.", "Lovely.", "Two hives.",
        "Has three hives.",
    ]  # fmt: skip
    assert entries[1] == Entry("I keep bees.", By.PERSON, "message", "i", "user", "c", time=MAY)
    assert [entry.kind for entry in entries if entry.by is By.PRODUCT] == ["fact", "fact"]
    assert (entries[0].kind, entries[0].session) == ("fact", "")
    assert found.left == {"role tool": 1, "other branch": 1}
    assert found.beside == {"image_asset_pointer": 1, "attachment": 1}


def test_chatgpt_without_a_current_node_ends_at_the_last_leaf() -> None:
    nodes = {
        "a": (None, _said("user", "One.")),
        "b": ("a", _said("user", "Two.")),
        "c": ("a", _said("user", "Three.")),
    }
    entries, _ = read(chatgpt, _chat(None, **nodes))
    assert texts(entries) == ["One.", "Three."]
    hidden = {"metadata": {"is_visually_hidden_from_conversation": True}}
    circle = _chat("b", a=("b", _said("user", "One.", **hidden)), b=("a", _said("system", "Two.")))
    entries, found = read(chatgpt, circle, _chat("x"), {"other": 1})
    assert entries == []
    assert found.left == {"hidden": 1, "role system": 1, "not a conversation of ChatGPT's": 1}


def test_chatgpt_names_what_is_no_text() -> None:
    code = _said("assistant", content_type="code")
    call = _said("assistant", "search()", recipient="python")
    entries, found = read(chatgpt, _chat("b", a=(None, code), b=("a", call)))
    assert entries == []
    assert found.left == {"content code": 1, "call of a tool": 1}


def test_claude_conversations_and_memories() -> None:
    talk = {
        "uuid": "t", "name": "Bees", "summary": "About bees.", "account": {"uuid": "acc"},
        "chat_messages": [
            {"uuid": "1", "sender": "human", "text": "old", "created_at": "2026-05-04T10:00:00Z",
             "content": [{"type": "text", "text": "I keep bees."}], "attachments": [{}]},
            {"uuid": "2", "sender": "assistant", "text": "", "content": [
                {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Lovely."}]},
            {"uuid": "3", "sender": "human", "text": "Two hives.", "content": None},
            {"uuid": "4", "sender": "system", "text": "x"},
        ],
    }  # fmt: skip
    memory = {
        "conversations_memory": "**Work**\n\nIs a nurse.\n\nLives in Leeds.",
        "project_memories": {"p": "Builds a hive.", "q": ""},
        "account_uuid": "acc",
    }
    entries, found = read(claude, talk, memory, {"docs": []})
    assert entries[0] == Entry("I keep bees.", By.PERSON, "message", "1", "user", "t", "acc", MAY)
    assert texts(entries[1:]) == [
        "Lovely.", "Two hives.", "**Work**\nIs a nurse.", "Lives in Leeds.", "Builds a hive.",
    ]  # fmt: skip
    assert entries[3] == Entry("**Work**\nIs a nurse.", By.PRODUCT, "fact", owner="acc")
    assert found.left == {"sender system": 1, "neither a conversation nor a memory of Claude's": 1}
    assert found.beside == {"summary of a conversation": 1, "attachment": 1, "content thinking": 1}


def test_pam_stores_and_conversations() -> None:
    when = {"created_at": "2026-05-04T10:00:00Z"}
    store = {
        "schema": "portable-ai-memory", "owner": {"id": "amara"}, "relations": [{}],
        "memories": [
            {"id": "1", "type": "skill", "content": "Cooks.", "tags": ["x"],
             "temporal": when | {"valid_until": "2026-06-01T00:00:00Z"},
             "provenance": {"conversation_ref": "c"}},
            {"id": "2", "type": "instruction", "content": "Be brief.", "temporal": when},
            {"id": "3", "type": "fact", "status": "superseded", "content": "Is ten.",
             "temporal": when | {"updated_at": "2026-06-01T00:00:00Z"}},
            {"id": "4", "type": "custom", "custom_type": "message", "content": "Noted.",
             "metadata": {"speaker": "assistant"}},
            {"id": "5", "status": "retracted", "content": "Is a spy."},
        ],
    }  # fmt: skip
    parts = [{"type": "text", "text": "Two."}, {"type": "image", "ref": "x"}]
    talk = {
        "id": "conv", "messages": [
            {"id": "m1", "role": "user", "content": {"type": "text", "text": "Hi."}} | when,
            {"id": "m2", "role": "user", "content": {"type": "multipart", "parts": parts}},
            {"id": "m3", "role": "assistant", "is_thought": True, "content": {"text": "hm"}},
            {"id": "m4", "role": "tool", "content": None},
        ],
    }  # fmt: skip
    entries, found = read(pam, store, talk, [])
    assert entries[0] == Entry("Cooks.", By.PRODUCT, "fact", "1", "", "c", "amara", MAY, JUNE)
    assert [(e.kind, e.by, e.until) for e in entries[1:4]] == [
        ("preference", By.PRODUCT, None),
        ("fact", By.PRODUCT, JUNE),
        ("message", By.ASSISTANT, None),
    ]
    assert entries[4] == Entry("Hi.", By.PERSON, "message", "m1", "user", "conv", time=MAY)
    assert entries[5].text == "Two."
    assert found.left == {
        "retracted": 1, "thought": 1, "role tool": 1,
        "neither a memory store nor a conversation of PAM's": 1,
    }  # fmt: skip
    assert found.beside == {"relations": 1, "tags": 1, "content image": 1}


@pytest.mark.parametrize(
    ("source", "element", "problem"),
    [
        ("mem0", {"results": 5}, r"file\[0\].results must be a list"),
        ("zep", {"messages": [{"role": "user", "content": []}]}, r"messages\[0\].content must be"),
        ("letta", {"agents": [{"messages": {}}]}, r"agents\[0\].messages must be a list"),
        ("chatgpt", {"mapping": []}, r"file\[0\].mapping must be an object"),
        ("claude", {"chat_messages": [5]}, r"chat_messages\[0\] must be an object"),
        ("pam", {"memories": [{"temporal": 1}]}, r"memories\[0\].temporal must be an object"),
    ],
)
def test_a_shape_that_no_export_has_is_named_with_its_place(
    source: str, element: Any, problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        read(import_module(f"server.moving.{source}"), element)


@pytest.mark.parametrize(
    ("value", "when"),
    [
        ("2026-05-04T10:00:00", MAY),
        ("2026-05-04T12:00:00+02:00", MAY),
        (MAY.timestamp(), MAY),
        (int(MAY.timestamp() * 1000), MAY),
        ("", None),
        (None, None),
    ],
)
def test_instants_come_in_several_forms(value: Any, when: datetime | None) -> None:
    found = Found()
    assert Node({"at": value}, "x").time(found, "at") == when
    assert found.beside == {}


@pytest.mark.parametrize("value", ["soon", True, 1e300, "0001-01-01T00:00:00+09:00", [1], -6e10])
def test_what_is_no_instant_is_counted(value: Any) -> None:
    found = Found()
    assert Node({"at": value}, "x").time(found, "at") is None
    assert found.beside == {"at that is no time": 1}


def test_reasons_from_the_file_are_short_and_few() -> None:
    found = Found()
    for number in range(MAX_REASONS + 5):
        found.leave(f"role {number:03d}\n" + "x" * 200)
    assert found.left["other"] == 5
    assert all(len(reason) <= MAX_REASON_CHARS and reason.isprintable() for reason in found.left)
