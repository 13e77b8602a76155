"""The demo's conversation, and what of it must never lie readable on a disk."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import as_file, files
from typing import Final

from server.cli.conversation import Conversation, read_conversation

_FILE: Final = files("server.demo") / "conversation.json"
_RUN_WORDS: Final = 5


def load() -> Conversation:
    """Thirty-one turns between a person and her assistant."""
    with as_file(_FILE) as path:
        return read_conversation(path)


def secrets() -> list[str]:
    """Its names, addresses and numbers, its sentences, and every run of five words."""
    content = json.loads(_FILE.read_text(encoding="utf-8"))
    return sorted({*content["names"], *_passages(load())})


def _passages(conversation: Conversation) -> Iterator[str]:
    for turn in conversation.turns:
        yield turn.text
        yield from (s for s in re.split(r"(?<=[.!?])\s+", turn.text) if len(s.split()) > 2)
        words = turn.text.split()
        for start in range(0, max(1, len(words) - _RUN_WORDS + 1), _RUN_WORDS):
            yield " ".join(words[start : start + _RUN_WORDS])
