"""Texts to be erased: each with a name that occurs in no other."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.conversations import Conversation
from benchmarks.made_texts import TextSource

_ONSETS: Final = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "br", "tr", "st")
_VOWELS: Final = ("a", "e", "i", "o", "u", "ai", "ou")


@dataclass(frozen=True, slots=True)
class Said:
    """A text, and whom it names."""

    text: str
    name: str


def made(seed: int) -> Iterator[Said]:
    """Made texts without end."""
    source = TextSource(seed)
    for name in _names(seed):
        (text,) = source.said(1)
        yield Said(f"{text} I told {name} about it.", name)


def of_conversations(conversations: Sequence[Conversation]) -> Iterator[Said]:
    """What was said in these, again from the start when it is used up; the names are added."""
    turns = [turn.text for conversation in conversations for turn in conversation.turns]
    for place, name in enumerate(_names(0)):
        yield Said(f"{turns[place % len(turns)]} I told {name} about it.", name)


def _names(seed: int) -> Iterator[str]:
    """First and family names that nobody bears; none comes twice."""
    choose, seen = random.Random(seed).choice, set[str]()
    while True:
        first, family = (
            "".join(choose(_ONSETS) + choose(_VOWELS) for _ in range(count)) for count in (3, 4)
        )
        name = f"{first.capitalize()} {family.capitalize()}"
        if name not in seen:
            seen.add(name)
            yield name
