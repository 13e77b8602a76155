"""What a person says of themself, found by rules: a table of patterns, no language model.

    "I work at the library, and I no longer smoke."
    ▸ Claim(slot="work", value=("library",))  Claim(slot="habit", value=("smok",), holds=False)

A claim says that something holds of someone, or holds no more. `slot` is the rule that found it,
with its noun where it has one ("my:dentist"); `core.facts_rules` has the
table.

Rules:
- Reads pseudonymized text only. Nothing is inferred: a claim's words stand in the text.
- A clause tells of whoever its first subject is: the speaker ("I", "my"), someone of theirs ("my
  sister"), or someone with a pseudonym. Of "he", "you" and questions nothing is taken.
- A later claim replaces an earlier one of the same subject that it contradicts: another value where
  only one can hold, or the same value with the opposite sign. What ends something ("sold", "broke
  up", "cancelled") replaces the claims that it names.
- Bounded: of a text the first `MAX_SENTENCES` sentences are read and `MAX_CLAIMS` claims are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from memory.core.facts_rules import (
    CHANGE,
    ENDINGS,
    HINT,
    ONE_VALUE,
    PREFERENCES,
    RULES,
    Ending,
)
from memory.core.facts_words import (
    ANAPHOR,
    EVENT,
    HYPOTHETICAL,
    NEGATED,
    NUMBERS,
    OVER,
    SAME,
    SUBJECT,
    VALUE_END,
    WEAK,
)
from memory.core.lexical import terms
from memory.core.values import MemoryKind

MAX_SENTENCES: Final = 24
MAX_SENTENCE_CHARS: Final = 600
MAX_CLAIMS: Final = 16
MAX_VALUE_TERMS: Final = 8

_NAMING: Final = 3
"""What ends a claim names a third of its value at least."""


SAYS: Final = "says"
"""The slot of what a clause says, whatever it is."""

CHANGES: Final = "changes"
"""The slot of a sentence that says that something is another now: it may replace one `SAYS`."""

HINTS: Final = "hints"
"""The same of a sentence that only may say so."""

_ENDS: Final = "ends"
_ABBREVIATION: Final = re.compile(r"\b(?:dr|mr|mrs|ms|st|prof)\.$", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"[.!?;\n]+(?=\s|$)")
_CLAUSE: Final = re.compile(
    r":\s(?=(?:i|we|my|our|it)\b)"
    r"|,?\s+(?:and|but|so|because|since|while|though)\s+(?=(?:i|we|my|our|it)\b)"
    r"|,\s+(?=(?:i|we|my|our|it|now|these days|nowadays|instead)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that holds of `subject`, or with `holds` false, holds no more.

    `subject` is a pseudonym, a role of the speaker's people ("/sister", behind the speaker's
    pseudonym), or empty for a speaker without a name. `value` are terms (`core.lexical`).
    """

    subject: str
    slot: str
    value: tuple[str, ...]
    holds: bool = True

    @property
    def base(self) -> str:
        """The slot without its noun."""
        return self.slot.partition(":")[0]

    @property
    def ending(self) -> Ending | None:
        """How it ends others, if it only says that something is over."""
        return ENDINGS.get(self.slot.partition(":")[2]) if self.base == _ENDS else None

    @property
    def one_value(self) -> bool:
        """Whether only one value of its slot can hold at a time."""
        return self.base in ONE_VALUE

    def replaces(self, older: Claim) -> bool:
        """Whether the older claim does not hold any more if this one does."""
        if self.subject != older.subject or older.ending is not None:
            return False
        if self.is_topic:
            common = len(set(self.value) & set(older.value))
            return older.slot == SAYS and common > (self.slot == HINTS)
        if self.ending is not None:
            base, _, noun = older.slot.partition(":")
            common = len(set(older.value) & set(self.value)) * _NAMING
            named = self.ending.every or noun in self.value or common >= len(older.value)
            meant = not self.ending.slots or base in self.ending.slots
            return named and meant and base != SAYS and (older.holds or self.ending.denied)
        if self.slot != older.slot:
            return False
        if self.holds and older.holds:
            return self.one_value and _differ(self.value, older.value)
        if self.holds == older.holds:
            return False
        common = len(set(older.value) & set(self.value))
        return 2 * common > min(len(self.value), len(older.value))

    @property
    def is_fact(self) -> bool:
        """Whether it says by itself what holds, or holds no more."""
        return self.slot != SAYS and not self.is_topic and self.ending is None

    @property
    def is_topic(self) -> bool:
        """Whether it says only that something changed, and what that is about."""
        return self.slot in (CHANGES, HINTS)

    @property
    def kind(self) -> MemoryKind:
        """What a memory of it is."""
        return MemoryKind.PREFERENCE if self.base in PREFERENCES else MemoryKind.FACT


@dataclass(frozen=True, slots=True)
class Found:
    """A claim, and the characters [start, end) of the clause that makes it."""

    claim: Claim
    start: int
    end: int


def claims(text: str, speaker: str = "") -> tuple[Claim, ...]:
    """The claims of a pseudonymized text; `speaker` is a pseudonym or empty."""
    return tuple(dict.fromkeys(found.claim for found in find(text, speaker)))[:MAX_CLAIMS]


def find(text: str, speaker: str = "") -> Iterator[Found]:
    """The same with where each stands, in order."""
    for sentence in islice(_pieces(_SENTENCE, text.replace("’", "'"), 0), MAX_SENTENCES):
        if "?" not in sentence.text:
            yield from _find(sentence, speaker)


def _find(sentence: _Piece, speaker: str) -> Iterator[Found]:
    before: Claim | None = None
    whose: list[str] = []
    for clause in _pieces(_CLAUSE, sentence.text, sentence.start):
        subject = _subject(clause.text, speaker)
        if subject is None or HYPOTHETICAL.search(clause.text):
            continue
        whose.append(subject)
        made = list(_made(clause.text, subject, before))
        said = _topic(clause.text)
        if said and SUBJECT.search(clause.text) and not EVENT.search(clause.text):
            made.append(Claim(subject, SAYS, said))
        for claim in made:
            yield Found(claim, clause.start, clause.end)
        before = next((claim for claim in made if claim.is_fact), before)
    if not whose and any(match["me"] for match in SUBJECT.finditer(sentence.text)):
        whose.append(speaker)
    for slot, cue in ((CHANGES, CHANGE), (HINTS, HINT)):
        if whose and cue.search(sentence.text):
            topic = Claim(min(whose), slot, _topic(sentence.text), holds=False)
            yield Found(topic, sentence.start, sentence.end)
            return


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    start: int
    end: int


def _pieces(mark: re.Pattern[str], text: str, offset: int) -> Iterator[_Piece]:
    """What stands before each mark, with the mark where it is a question's."""
    start = 0
    for match in mark.finditer(text):
        end = match.end() if "?" in match[0] else match.start()
        if _ABBREVIATION.search(text[start : match.end()]):
            continue
        if text[start:end].strip():
            yield _piece(text, start, end, offset)
        start = match.end()
    if text[start:].strip():
        yield _piece(text, start, len(text), offset)


def _piece(text: str, start: int, end: int, offset: int) -> _Piece:
    return _Piece(text[start:end][:MAX_SENTENCE_CHARS], offset + start, offset + end)


def _subject(clause: str, speaker: str) -> str | None:
    """Of whom it tells; None where that is not known."""
    match = SUBJECT.search(clause)
    if match is None or match["us"] or match["me"]:
        return speaker
    if match["kin"]:
        return f"{speaker}/{match['kin'].lower()}"
    return match["named"].lower() if match["named"] else None


def _made(clause: str, subject: str, before: Claim | None) -> Iterator[Claim]:
    for name, ending in ENDINGS.items():
        if match := ending.pattern.search(clause):
            whole = match["value"] if "value" in match.groupdict() else OVER.sub("", clause)
            if named := _telling(whole):
                yield Claim(subject, f"{_ENDS}:{name}", named, holds=False)
    anaphor = ANAPHOR.match(clause)
    if anaphor and before is not None and not before.holds:
        yield Claim(before.subject, before.slot, _value(anaphor["value"]))
    for rule in RULES:
        if match := rule.pattern.search(clause):
            groups = match.groupdict()
            noun = _noun(groups.get("noun") or "")
            slot = f"{rule.slot}:{noun}" if noun else rule.slot
            value = _value(groups.get("value") or clause[: match.start()])
            whose = subject.partition("/")[0] if rule.own else subject
            if value:
                yield Claim(whose, slot, value, rule.denies == _negated(clause, match))


def _negated(clause: str, match: re.Match[str]) -> bool:
    start = match.start("value") if "value" in match.groupdict() else match.end()
    return bool(NEGATED.search(clause[: max(start, match.end())]) or OVER.search(clause, start))


def _value(text: str) -> tuple[str, ...]:
    return _telling(VALUE_END.split(text, maxsplit=1)[0])


def _topic(text: str) -> tuple[str, ...]:
    """What it is about, but for whom."""
    return tuple(term for term in _telling(text) if not term.startswith("person_"))


def _telling(text: str) -> tuple[str, ...]:
    return tuple(term for term in terms(text) if term not in WEAK)[:MAX_VALUE_TERMS]


def _noun(text: str) -> str:
    last = (terms(text) or ("",))[-1]
    return SAME.get(last, last)


def _differ(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether they cannot both be the one value: each has something the other has not."""
    if not one or not other:
        return False
    left, right = set(one), set(other)
    if left <= right or right <= left:
        return False
    return one[0] != other[0] or left & NUMBERS != right & NUMBERS
