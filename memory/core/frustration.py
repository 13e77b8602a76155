"""Frustration in an English text, by rules that a person can read.

Each rule that fires adds its weight once: `1 - (1 - w1)(1 - w2)…`, so that no one rule says all
and many together approach 1.

Rules:
- Transparent before clever: every rule is a pattern and a weight, and says what it found.
- What is negated does not count: "not annoyed" is no annoyance.
- The weights are set by hand, and not fitted to any data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from memory.core.affect import Cue

MAX_WORDS_CHARS: Final = 80
"""Of the words that a cue shows; bounds what is kept of a long run of capitals."""

_VERY_BAD: Final = -0.5
_VERY_GOOD: Final = 0.5
_BEFORE: Final = 32
"""Characters before a word in which its negation is looked for."""

_NEGATED: Final = re.compile(
    r"\b(?:not|never|no longer|isn't|wasn't|aren't|less)(?: \w+)? $", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    weight: float
    pattern: re.Pattern[str]
    negatable: bool = False


def _rule(name: str, weight: float, pattern: str, *, negatable: bool = False) -> _Rule:
    return _Rule(name, weight, re.compile(pattern, re.IGNORECASE), negatable)


_RULES: Final = (
    _rule(
        "said-so",
        0.6,
        r"\b(?:frustrat(?:ed|ing|ion)|annoy(?:ed|ing)|fed up|sick (?:and tired )?of"
        r"|irritat(?:ed|ing)|infuriat(?:ed|ing)|furious|exasperat(?:ed|ing)"
        r"|angry|had enough|losing (?:my )?patience"
        r"|driv(?:es|ing) me (?:crazy|mad|nuts|insane))\b",
        negatable=True,
    ),
    _rule(
        "complaint",
        0.45,
        r"\b(?:ridiculous|unacceptable|useless|pathetic|a joke|waste of (?:my )?(?:time|money)"
        r"|terrible (?:service|support)|worst|outrageous|absurd|hopeless)\b",
        negatable=True,
    ),
    _rule(
        "not-served",
        0.4,
        r"\b(?:(?:does|did|do|is|are|was|has|have|can|could|will|would|wo|ca)(?:n't|nt| not|not)"
        r"(?: \w+){0,2} (?:work(?:s|ing|ed)?|help(?:s|ing|ed|ful)?|answer(?:s|ed|ing)?"
        r"|repl(?:y|ied)|respond(?:s|ed|ing)?|load(?:s|ing)?|listen(?:ing)?"
        r"|log in|connect|fix(?:ed)?)"
        r"|(?:nobody|no one|nothing) (?:\w+ )?(?:help(?:s|ed)?|work(?:s|ed)?|answer(?:s|ed)?"
        r"|repl(?:ies|ied)|respond(?:s|ed)?|cares)"
        r"|never (?:works?|worked|got|received|arrived|came)"
        r"|keeps? (?:crashing|failing|freezing|breaking|disconnecting)|broken|out of order)\b",
    ),
    _rule(
        "repetition",
        0.35,
        r"\b(?:still (?:waiting|no|not|don't|doesn't|haven't|hasn't|isn't|can't|broken)"
        r"|yet again|over and over|again and again|time and again|every (?:single )?time"
        r"|(?:second|third|fourth|fifth|sixth|tenth|\d+(?:nd|rd|th)) time"
        r"|(?:three|four|five|ten|\d+) times"
        r"|(?:already|keep|kept) (?:told|said|asked|tell|ask|explain)\w*"
        r"|how many (?:more )?times)\b",
    ),
    _rule(
        "waiting",
        0.3,
        r"\b(?:wait(?:ed|ing)|on hold) (?:\w+ ){0,3}?"
        r"(?:hours?|days?|weeks?|months?|forever|ages)\b",
    ),
    _rule(
        "leaving",
        0.3,
        r"\b(?:cancel(?:l?ing)? (?:my|the|this)|want (?:a|my) (?:refund|money back)"
        r"|(?:speak|talk) to (?:a|your|the) (?:manager|supervisor|human|real person)"
        r"|never (?:using|buying) "
        r"|file a complaint)",
    ),
    _rule("exclamation", 0.2, r"!(?:\s*!)+"),
    _rule("disbelief", 0.2, r"(?:\?\s*){2,}|\?!|!\?|\b(?:seriously|come on|are you kidding)\b"),
)
_CAPITALS: Final = re.compile(r"\b[A-Z]{2,}(?:'[A-Z]+)?(?:\s+[A-Z]{2,}(?:'[A-Z]+)?)+\b")
_CAPITALS_WEIGHT: Final = 0.3
_VALENCE_WEIGHT: Final = 0.2


def frustration(text: str, valence: float) -> tuple[float, tuple[Cue, ...]]:
    """How frustrated the text sounds, 0..1, and by which cues.

    Args:
        valence: of the whole text, -1..1: a very bad one adds, a very good one halves.
    """
    plain = text.replace("’", "'")
    cues = [cue for rule in _RULES if (cue := _fires(rule, plain))]
    if found := _CAPITALS.search(plain):
        cues.append(_cue("capitals", found[0], _CAPITALS_WEIGHT))
    if not cues:
        return 0.0, ()
    if valence <= _VERY_BAD:
        cues.append(Cue("bad-words", "", _VALENCE_WEIGHT))
    calm = 1.0
    for cue in cues:
        calm *= 1 - cue.points
    score = (1 - calm) / 2 if valence >= _VERY_GOOD else 1 - calm
    return round(score, 4), tuple(cues)


def _fires(rule: _Rule, text: str) -> Cue | None:
    for found in rule.pattern.finditer(text):
        if not (
            rule.negatable and _NEGATED.search(text, max(0, found.start() - _BEFORE), found.start())
        ):
            return _cue(rule.name, found[0], rule.weight)
    return None


def _cue(rule: str, words: str, points: float) -> Cue:
    return Cue(rule, words.strip()[:MAX_WORDS_CHARS], points)
