"""Questions and remarks made of templates and words, as people ask an assistant what it remembers.

Half of them have gaps where a name was, because that is what the encoder gets to read.

    {n} a noun   {v} a verb   {ing} its -ing form   {a} an adjective   {x} a piece of some text
    {who} a pronoun, or nothing   {whose} the same with 's or its like
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import Final

TEMPLATES: Final = (
    "when did {who} {v} the {n}?",
    "when did {who} go {ing}?",
    "when did {who} first {v} {n}?",
    "when is {whose} {n}?",
    "when is {who} planning on {ing} the {n}?",
    "when did {who} get {whose} {a} {n}?",
    "when did {who} start {ing}?",
    "when does the {n} {n} begin?",
    "what day was the {n}?",
    "which month did {who} {v} the {n} in?",
    "where did {who} {v} the {n}?",
    "where does {who} {v}?",
    "where is {whose} {n} from?",
    "where was {who} when the {n} was {a}?",
    "where do {who} keep the {n}?",
    "what did {who} {v}?",
    "what did {who} {v} at the {n}?",
    "what did {who} say about {ing}?",
    "what does {who} do to {v}?",
    "what does {who} think about the {a} {n}?",
    "what kind of {n} does {who} {v}?",
    "what kind of {n} is it?",
    "what type of {n} did {who} {v} for the {n}?",
    "what is {whose} {n}?",
    "what is {whose} favorite {n}?",
    "what's {whose} favourite {n} to {v}",
    "what was {whose} {n} about?",
    "what are {whose} plans for the {n}?",
    "what {n} has {who} been {ing}?",
    "what {n} would {who} be likely to {v}?",
    "what {a} {n} did {who} {v} last {n}?",
    "what activities does {who} do with {whose} {n}?",
    "what items did {who} {v}?",
    "what made {who} {v} the {n}?",
    "what motivated {who} to {v}?",
    "what inspired {whose} {n}?",
    "what advice did {who} get about {n}?",
    "what happened to {whose} {n}?",
    "what happened at the {n} {n}?",
    "what time is the {n}",
    "what did i tell you about the {n}",
    "what do you know about my {n}",
    "what was the name of the {n} where i {v}",
    "which {n} did {who} {v}?",
    "which {n} does {who} like to {v}?",
    "which of {whose} {n} is {a}?",
    "which {a} {n} have {who} tried?",
    "who {v} the {n}?",
    "who did {who} {v} with?",
    "who gave {who} the {n}?",
    "who is {a} with {n}?",
    "who supports {who} when {who} {v}?",
    "whose {n} is {a}?",
    "why did {who} {v}?",
    "why did {who} decide to {v} a {n}?",
    "why is {who} {a} about the {n}?",
    "why doesn't {who} {v} {n} anymore?",
    "how did {who} feel about {ing} the {n}?",
    "how did {who} feel when {x}?",
    "how does {who} {v} {whose} {n}?",
    "how long has {who} been {ing}?",
    "how long did the {n} last?",
    "how many {n} does {who} have?",
    "how many times has {who} been to the {n}?",
    "how much did the {n} cost?",
    "how often does {who} {v} the {n}?",
    "how old is {whose} {n}?",
    "how is {whose} {n} doing?",
    "how do {who} usually {v}",
    "did {who} {v} the {n}?",
    "did {who} ever {v} a {a} {n}?",
    "did {who} like the {n}?",
    "does {who} have a {n}?",
    "does {who} like {ing}?",
    "does {who} have any {a} {n}?",
    "has {who} ever {v} {n}?",
    "is {who} {a}?",
    "is {who} {a} about {ing}?",
    "is {whose} {n} {a}?",
    "are {who} still {ing} the {n}?",
    "was the {n} {a}?",
    "would {who} be considered a {n}?",
    "would {who} {v} a {n} or a {n}?",
    "would {who} still want to {v} if {x}?",
    "could {who} be {a} of {n}?",
    "can {who} {v} {n}?",
    "do {who} have a {n} for {ing}?",
    "do you remember {whose} {n}",
    "remind me what {who} said about {n}",
    "remind me when {x}",
    "tell me about {whose} {n}",
    "tell me everything about the {n} and the {n}",
    "i need to {v} a {n} for {who}",
    "i want to {v} something {a}",
    "find the {n} {who} {v}",
    "anything about {n} or {n}?",
    "something about {ing} and {n}",
    "any {n} {who} should avoid?",
    "recommend me a {a} {n}",
    "suggest a {n} for {whose} {n}",
    "help me {v} {whose} {n}",
    "{n}",
    "{a} {n}",
    "{n} and {n}",
    "{whose} {n}",
    "{n} {ing}",
    "{whose} {a} {n} {n}",
    "{x}",
    "{x}?",
    "when {x}?",
    "what {x}?",
    "where {x}?",
    "who {x}?",
    "why {x}?",
    "how {x}?",
    "did {who} {x}?",
    "did {who} say that {x}?",
    "what did {who} mean by {x}",
    "what about {x}",
    "{who} {v} the {n} last week",
    "{who} {v} {whose} {n} yesterday and it was {a}",
    "i'm {ing} {whose} {n} this weekend",
    "we should {v} the {n} together",
    "i love {ing} and {n}",
    "i don't like {a} {n}",
    "{whose} {n} was so {a}!",
    "thanks, {x}",
    "wow, {a} {n}! {x}",
)

_WHO: Final = ("", "", "", "", "i", "you", "he", "she", "they", "we", "my {n}", "the {n}")
_WHOSE: Final = ("'s", "'s", "my", "your", "his", "her", "their", "our", "the")
_GAP: Final = re.compile(r"\{(\w+)\}")
_SPACE: Final = re.compile(r"\s+")
_COMMON: Final = 0.5
_RARE: Final = 0.01
"""A word is drawn by its count, and a bit for those never met, to this power."""


class Asker:
    """Draws questions; the same seed gives the same ones."""

    def __init__(
        self, words: Mapping[str, Mapping[str, int]], pieces: Sequence[str], seed: int
    ) -> None:
        self._random = random.Random(seed)
        self._words = {part: list(counts) for part, counts in words.items()}
        self._weights = {
            part: _cumulative([(count + _RARE) ** _COMMON for count in counts.values()])
            for part, counts in words.items()
        }
        self._pieces = pieces

    def ask(self) -> str:
        """One question or remark."""
        text = self._random.choice(TEMPLATES)
        while _GAP.search(text):
            text = _GAP.sub(lambda gap: self._fill(gap[1]), text)
        text = _SPACE.sub(" ", text).strip()
        return text[:1].upper() + text[1:] if self._random.random() < 0.6 else text

    def _fill(self, gap: str) -> str:
        match gap:
            case "who":
                return self._random.choice(_WHO)
            case "whose":
                return self._random.choice(_WHOSE)
            case "x":
                return self._random.choice(self._pieces)
            case "n":
                return self._word("noun")
            case "v":
                return self._word("verb")
            case "ing":
                return _ing(self._word("verb"))
            case _:
                return self._word("adj")

    def _word(self, part: str) -> str:
        (word,) = self._random.choices(self._words[part], cum_weights=self._weights[part])
        return word


def _ing(verb: str) -> str:
    first, _, rest = verb.partition(" ")
    if first.endswith("e") and not first.endswith(("ee", "oe", "ye")):
        first = first[:-1]
    return f"{first}ing {rest}".strip()


def _cumulative(weights: Sequence[float]) -> list[float]:
    total, sums = 0.0, []
    for weight in weights:
        total += weight
        sums.append(total)
    return sums
