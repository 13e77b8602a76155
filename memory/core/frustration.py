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
        r"\b(?:frustrat(?:ed|ing|ion)|annoy(?:ed|ing|s me)|fed up|(?:sick|tired) (?:and tired )?of"
        r"|irritat(?:ed|ing)|infuriat(?:ed|ing)|aggravat(?:ed|ing)|furious|fuming|livid"
        r"|exasperat(?:ed|ing)|angry|had enough|(?:losing|lost) (?:my |all )?patience"
        r"|driv(?:es|ing) me (?:crazy|mad|nuts|insane)|at my wits'? end|losing my mind"
        r"|can't (?:take|stand) (?:this|it)(?: any ?more)?|beyond a joke"
        r"|for (?:god|heaven|goodness|pete)'?s'? sake|for crying out loud|enough is enough)\b"
        r"|\b(?:u+gh+|a+rgh+|gr{2,})\b",
        negatable=True,
    ),
    _rule(
        "complaint",
        0.45,
        r"\b(?:ridiculous|unacceptable|useless|unhelpful|pathetic|a joke"
        r"|wast(?:e|ed|es|ing) (?:of )?(?:my )?(?:time|money)|rip-?off|rubbish|garbage|incompetent"
        r"|(?:terrible|horrible|awful|appalling) (?:service|support|experience|app|company)"
        r"|worst|outrageous|disgrace(?:ful)?|absurd|hopeless|not good enough|makes no sense"
        r"|(?:round|around) in circles|how hard (?:can|is) it)\b",
        negatable=True,
    ),
    _rule(
        "not-served",
        0.4,
        r"\b(?:(?:does|did|do|is|are|was|has|have|can|could|will|would|wo|ca)(?:n't|nt| not|not)"
        r"(?: \w+){0,2} (?:work(?:s|ing|ed)?|help(?:s|ing|ed|ful)?|answer(?:s|ed|ing)?"
        r"|repl(?:y|ied)|respond(?:s|ed|ing)?|load(?:s|ing)?|listen(?:ing)?|turn(?:ing)? on"
        r"|log in|sign in|connect|fix(?:ed)?|let me|open|start|accept|sync|go through|arrived?"
        r"|understand (?:me|a word))"
        r"|(?:nobody|no one|nothing) (?:\w+ )?(?:help(?:s|ed)?|work(?:s|ed)?|answer(?:s|ed)?"
        r"|repl(?:ies|ied)|respond(?:s|ed)?|cares)"
        r"|never (?:works?|worked|got|received|arrived|came|showed up|turned up)"
        r"|no (?:reply|response|answer) (?:yet|at all|so far)"
        r"|keeps? (?:on )?(?:crashing|failing|freezing|breaking|disconnecting|stopping|dropping"
        r"|rejecting|resetting|losing|forgetting|cutting out)"
        r"|stopped working|(?:charged|billed) (?:me )?twice|got (?:it|that|me) wrong"
        r"|broken|out of order)\b",
    ),
    _rule(
        "repetition",
        0.35,
        r"\b(?:still (?:waiting|nothing|no|not|don't|doesn't|haven't|hasn't|isn't|can't|won't"
        r"|broken|stuck)"
        r"|yet again|once again|not again|here we go again|over and over|again and again"
        r"|time and again|every (?:single )?time"
        r"|(?:second|third|fourth|fifth|sixth|tenth|\d+(?:nd|rd|th)|umpteenth|hundredth) time"
        r"|(?:three|four|five|six|ten|\d+) times"
        r"|same (?:problem|issue|error|mistake|answer|question|story) (?:again|every|as before)"
        r"|as i (?:already |just )?(?:said|told|mentioned|explained)"
        r"|i (?:told|asked) you|(?:already|keep|kept) (?:told|said|asked|tell|ask|explain)\w*"
        r"|(?:after|despite) (?:two|three|four|five|\d+) (?:calls|emails|messages|attempts|tries)"
        r"|tried everything|how many (?:more )?times)\b|\bagain\s*!{2,}",
    ),
    _rule(
        "waiting",
        0.3,
        r"\b(?:(?:wait(?:ed|ing)|on hold|been sitting here) (?:\w+ ){0,3}?"
        r"(?:hours?|days?|weeks?|months?|forever|ages)"
        r"|tak(?:es|en|ing) (?:forever|ages)|(?:hours|days|weeks|months) (?:late|overdue)"
        r"|how much longer)\b",
    ),
    _rule(
        "leaving",
        0.3,
        r"\b(?:cancel(?:l?ing)? (?:my|the|this)|want (?:a|my) (?:refund|money back)"
        r"|(?:speak|talk) to (?:a|your|the) (?:manager|supervisor|human|real person)"
        r"|never (?:using|buying) |close my account|done with you"
        r"|file a complaint|i give up)",
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
