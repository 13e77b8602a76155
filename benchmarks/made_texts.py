"""Texts for measuring speed: chat made from templates by a seed, as many as are asked for.

Rules:
- Every text is different, so that no cache on any side answers for the work.
- Names, places, numbers and dates are in them as in chat, so that there is something to detect.
  They are made up: no text is anyone's.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

_NAMES: Final = (
    "Ana", "Bilal", "Chiara", "Dmitri", "Esra", "Farid", "Greta", "Hugo", "Ines", "Jonas",
    "Keiko", "Lars", "Marta", "Noor", "Olek", "Priya", "Rosa", "Samir", "Tove", "Yusuf",
)  # fmt: skip
_RELATIONS: Final = ("my sister", "my neighbour", "a colleague", "my coach", "an old friend")
_PLACES: Final = ("Lisbon", "Graz", "Utrecht", "Turku", "Leeds", "Gdansk", "Porto", "Aarhus")
_THINGS: Final = (
    "a sourdough starter", "the blue bicycle", "a pottery class", "my passport", "the violin",
    "a ukulele", "the garden shed", "some hiking boots", "a chess set", "the old camera",
    "a rescue dog", "the kitchen tiles", "a sewing machine", "the telescope", "a canoe",
)  # fmt: skip
_DOINGS: Final = (
    "practising every evening", "repairing it bit by bit", "reading about it all week",
    "saving up for a new one", "showing it to the children", "thinking of giving it away",
    "planning a weekend around it", "taking far too many pictures of it",
)  # fmt: skip
_FEELINGS: Final = ("so happy", "a bit nervous", "really tired", "quite proud", "not so sure")
_DAYS: Final = ("last Monday", "on 3 May", "two weeks ago", "yesterday", "in October", "tonight")

_SAID: Final = (
    "{name}, {relation}, came to {place} {day} and brought {thing}. I'm {feeling}!",
    "I started looking after {thing} {day}, and I've been {doing} since then.",
    "Did I tell you about {thing}? {name} found it in {place} {day}.",
    "We talked about {thing} for {number} minutes; {name} is {feeling} about it.",
    "{day} I met {name} near the station in {place}, and we ended up {doing}.",
    "Honestly I'm {feeling}. {thing} cost me {number} euros and I am still {doing}.",
    "You can write to {handle}{number}@example.org about {thing}, that's {relation} {name}.",
    "my plan for {place}: {number} days, {thing}, and {doing}",
)
_ASKED: Final = (
    "What did {name} bring from {place}?",
    "When did I start looking after {thing}, before or after the {number} days in {place}?",
    "Who found {thing} {day}?",
    "How did {name} feel about {thing} after {number} minutes?",
    "What am I planning for {place} with {thing}?",
    "How much did {thing} cost, was it {number} euros?",
    "Where did I meet {name} {day}, and were we {doing}?",
)


class TextSource:
    """Said and asked texts, each different from all before it."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._seen: set[str] = set()

    def said(self, count: int) -> list[str]:
        """Things a person may say."""
        return [self._next(_SAID) for _ in range(count)]

    def asked(self, count: int) -> list[str]:
        """Things an assistant may look for."""
        return [self._next(_ASKED) for _ in range(count)]

    def speakers(self) -> Iterator[str]:
        """Two who take turns, without end."""
        first, second = self._random.sample(_NAMES, 2)
        while True:
            yield from (first, second)

    def _next(self, templates: tuple[str, ...]) -> str:
        choose = self._random.choice
        while True:
            text = choose(templates).format(
                name=choose(_NAMES),
                relation=choose(_RELATIONS),
                place=choose(_PLACES),
                thing=choose(_THINGS),
                doing=choose(_DOINGS),
                feeling=choose(_FEELINGS),
                day=choose(_DAYS),
                handle=choose(_NAMES).lower(),
                number=self._random.randint(2, 999),
            )
            if text not in self._seen:
                self._seen.add(text)
                return text
