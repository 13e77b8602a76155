"""Whatever a file holds, it comes to entries or to one error of ours that quotes nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.draft import MAX_NAME_CHARS, MAX_TEXT_CHARS, check_text
from memory.errors import ConfigurationError
from server.moving.entries import Found
from server.moving.files import elements
from server.moving.nodes import Node
from server.moving.pieces import Choice, Piece, pieces
from tests.e2e.exports import EXPORTS

SECRET = "Marisol Okonkwo"

_KEYS = """
    memory results memories id uuid user_id agent_id run_id metadata categories created_at text
    content role role_type name messages sessions threads edges facts items fact valid_at agents
    blocks passages core_memory label value tool_calls function arguments is_deleted mapping
    current_node message author recipient parts content_type create_time parent children
    user_context_message_data about_user_message chat_messages sender account conversations_memory
    project_memories type status custom_type temporal valid_until provenance owner relations
""".split()
_WORDS = st.sampled_from(
    ["user", "assistant", "human", "text", "bio", "all", "message", "custom", "superseded", SECRET,
     "2026-05-04T10:00:00Z", "I keep bees.", '{"type": "user_message", "message": 5}', "a\n\nb:"]
)  # fmt: skip
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), _WORDS, _WORDS
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(_KEYS), inner, max_size=6)
    ),
    max_leaves=40,
)


def _pieces(source: str, nodes: Iterator[Node], found: Found) -> list[Piece]:
    reader = import_module(f"server.moving.{source}")
    choice = Choice(source, "assistance", with_assistant=True)
    return list(pieces(reader.read(nodes, found), choice, found))


def _check(source: str, nodes: Iterator[Node], found: Found) -> bool:
    """Whether it came to entries."""
    try:
        taken = _pieces(source, nodes, found)
    except ConfigurationError as error:
        problem = error.message
    else:
        _check_taken(taken, found)
        return True
    assert SECRET not in problem
    return False


def _check_taken(taken: list[Piece], found: Found) -> None:
    assert len(taken) == found.memories
    assert found.entries == found.taken + found.left.total()
    for piece in taken:
        check_text("memory.text", piece.text)
        assert len(piece.text) <= MAX_TEXT_CHARS
        assert len(piece.speaker) <= MAX_NAME_CHARS
    assert len({piece.request_id for piece in taken}) == len(taken)


@pytest.mark.parametrize("source", EXPORTS)
@given(values=st.lists(_VALUES, max_size=3))
def test_any_json_is_entries_or_an_error(source: str, values: list[Any]) -> None:
    _check(source, (Node(value, f"[{i}]") for i, value in enumerate(values)), Found())


@pytest.mark.parametrize("source", EXPORTS)
def test_an_export_with_changes_is_entries_or_an_error(
    source: str, tmp_path: Path, stress: bool
) -> None:
    good = EXPORTS[source](tmp_path, 20).path
    data = good.read_bytes()
    matters = import_module(f"server.moving.{source}").FILES
    chance = random.Random(source)
    path = tmp_path / f"changed{good.suffix}"
    whole = 0
    for _ in range(5_000 if stress else 100):
        changed = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 8))):
            at = chance.randrange(len(changed))
            match chance.randrange(4):
                case 0:
                    changed[at] = chance.randrange(256)
                case 1:
                    del changed[at : at + chance.randrange(1, 40)]
                case 2:
                    changed[at:at] = changed[at : at + chance.randrange(1, 40)]
                case 3:
                    changed[at:at] = chance.choice((b'"', b"[", b"}", b"null", b",", b"1e999"))
        path.write_bytes(changed)
        found = Found()
        whole += _check(source, elements(path, matters, found), found)
    print(f"{source}: {whole} still came to entries")


@pytest.mark.parametrize("source", EXPORTS)
def test_an_export_of_another_product_is_never_a_traceback(source: str, tmp_path: Path) -> None:
    for other in EXPORTS.values():
        found = Found()
        path = other(tmp_path, 20).path
        matters = import_module(f"server.moving.{source}").FILES
        _check(source, elements(path, matters, found), found)


@given(value=_VALUES)
def test_what_is_streamed_is_what_is_there(value: Any, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("json") / "a.json"
    text = json.dumps(value)
    path.write_text(text)
    streamed = [
        node.value for node in elements(path, import_module("server.moving.pam").FILES, Found())
    ]
    expected = value if isinstance(value, list) else [value]
    assert json.dumps(streamed) == json.dumps(expected)
