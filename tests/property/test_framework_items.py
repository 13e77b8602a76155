"""A JSON value that an agent framework keeps as memories is that value again, or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.client.messages import fill, read
from memory.client.values import Memory, NewMemory
from memory.core.draft import Draft
from memory.core.values import RawText
from memory.integrations.items import MOST_MEMORIES, Unreadable, pack, unpack
from memory.v1 import core_pb2

ANY_TEXT = st.text(st.characters(exclude_categories=()))
NAMES = st.sampled_from(["type", "id", "role", "content", "args", "output", "name", "a: b", ""])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | ANY_TEXT
    | st.sampled_from(
        [
            "\n",
            "a\n• b: c",
            "\n• ",
            "~",
            "=x",
            "1",
            "…",
            "x" * 25_000,
            " " * 12_000,
            "a \\u0000",
            "␛\x1b␦\x7f␡",
            "␦d800\ud800\\",
        ]
    ),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES | ANY_TEXT, inner),
    max_leaves=12,
)


def _kept(drafts: list[NewMemory]) -> list[Memory]:
    """What the server takes and gives back, through the wire's own message."""
    kept = []
    for number, draft in enumerate(drafts):
        Draft(RawText(draft["text"]), labels=draft["labels"])  # raises where a limit is passed
        message = core_pb2.Memory()
        fill(message, {**draft, "name": f"people/a/memories/{number}"})
        kept.append(read(Memory, core_pb2.Memory.FromString(message.SerializeToString())))
    return kept


@given(VALUES, st.booleans())
def test_a_value_comes_back_equal(value: Any, named: bool) -> None:
    labels = {"store.key": "k" * 256, "store.made": "2026-03-01"}
    kept = _kept(pack(value, {"text": "", "session": "s"}, labels, named=named))
    (item,) = unpack(kept, named=named)
    assert json.dumps(item.value) == json.dumps(value)  # 1 is not True, and -0.0 not 0.0
    assert {each.labels["store.key"] for each in item.memories} == {"k" * 256}


@given(st.lists(VALUES, min_size=2, max_size=4))
def test_values_come_back_in_their_order_and_only_whole(several: list[Any]) -> None:
    kept = [_kept(pack(value, {"text": ""})) for value in several]
    flat = [each for one in kept for each in one]
    assert [item.value for item in unpack(flat)] == several
    short = [each for one in kept for each in one[1:]]
    assert list(unpack(short)) == []


def test_what_is_said_is_text_and_what_a_framework_made_is_not() -> None:
    call = {"type": "function_call", "call_id": "call_1", "arguments": '{"id": "Priya"}'}
    (draft,) = pack(call, {"text": ""})
    assert draft["text"] == '{"id": "Priya"}'
    assert "Priya" not in str(draft["labels"])
    (draft,) = pack({"role": "tool", "args": {"id": "Priya"}}, {"text": ""})
    assert draft["text"] == "Priya"
    (draft,) = pack({"of": {"Priya": "bees", "n": 3}}, {"text": ""}, named=True)
    assert draft["text"] == "of Priya: bees\n• of n: 3"


def test_a_name_that_runs_over_two_strings_is_told_and_not_guessed() -> None:
    for named in (False, True):
        (draft,) = pack({"a": "Priya", "b": "Bell"}, {"text": ""}, named=named)
        draft["text"] = "person_1"
        (item,) = unpack(_kept([draft]), named=named)
        with pytest.raises(Unreadable, match="reveal=True"):
            _ = item.value
        assert item.words == "person_1"


@pytest.mark.parametrize("value", [b"x", {1: 2}, {"a": {1, 2}}, object()])
def test_what_json_has_not_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="JSON has no"):
        pack(value, {"text": ""})


def test_a_file_is_no_memory() -> None:
    with pytest.raises(ValueError, match="keep files elsewhere"):
        pack("x" * 10_000 * MOST_MEMORIES, {"text": ""})
