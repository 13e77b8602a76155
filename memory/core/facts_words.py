"""What the rules of `core.facts` are made of: fragments of patterns, and words that tell nothing.

Rules:
- A pattern is looked for in one clause or sentence, whatever its case, but where it says otherwise.
- In the tables, `{value}` and its like stand for the fragments of `FRAGMENTS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from memory.core.lexical import terms

_NUMBER_WORDS: Final = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
)
_NO_VALUE: Final = (
    "it this that these those them him her you how what when if as so and or but about into up out "
    "off over to more hard again together"
)
_FAMILY: Final = (
    "mother|mom|mum|father|dad|parents?|sister|brother|daughter|son|kids?|child|children|baby|"
    "husband|wife|partner|girlfriend|boyfriend|fiancee?|fiancée?|aunt|uncle|cousin|niece|nephew|"
    "grandmother|grandma|granny|grandfather|grandpa|grandson|granddaughter|in-laws?|family"
)
_OTHERS: Final = (
    "friends?|mate|roommates?|flatmates?|housemates?|neighbou?rs?|colleagues?|coworkers?|boss|"
    "manager|teacher|tutor|coach|doctor|dentist|therapist|landlord|landlady|ex|team|company|class"
)
_NAME: Final = r"(?:(?!I\b)(?-i:[A-Z])\w+|(?:person|location|organization)_\d+)"

FRAGMENTS: Final[Mapping[str, str]] = {
    "value": rf"(?P<value>(?!(?:{_NO_VALUE.replace(' ', '|')}|a lot)\b)[^,]{{1,80}})",
    "name": _NAME,
    "named": rf"(?P<value>{_NAME}[^,]{{0,60}})",
    "number": rf"(?:\d{{1,3}}|{_NUMBER_WORDS.replace(' ', '|')})(?:-\w+)?",
    "family": _FAMILY,
    "others": _OTHERS,
    "thing": rf"(?P<noun>(?:(?!(?:{_FAMILY}|{_OTHERS}|favou?rite|is|are)\b)[\w-]+ ){{1,2}}?)",
    "diet": "vegan|vegetarian|pescatarian|keto|ketogenic|paleo|gluten-free|dairy-free|plant-based|"
    "flexitarian|carnivore|halal|kosher|low-carb",
    "status": "single|engaged|married|divorced|widowed|separated|dating|seeing someone|"
    "in a relationship",
    "health": "injured|healed|broken|fractured|sprained|swollen|sore|recovered|better|worse|fine|"
    "okay|perfect|repaired|fixed|gone|ready|finished|done",
    "job": "nurse|teacher|paramedic|doctor|chef|cook|pilot|engineer|developer|programmer|designer|"
    "artist|writer|editor|lawyer|accountant|librarian|mechanic|electrician|plumber|carpenter|baker|"
    "barista|waiter|waitress|driver|student|professor|scientist|researcher|journalist|photographer|"
    "musician|actor|actress|architect|dentist|vet|pharmacist|therapist|psychologist|social worker|"
    "police officer|firefighter|soldier|farmer|gardener|manager|consultant|analyst|salesperson|"
    "cashier|receptionist|secretary|translator|freelancer|counsell?or|coach|trainer|tour guide|"
    "surgeon|midwife|tailor|painter|builder|postman|clerk",
    "doing": "commute|volunteer|teach|coach|sing|dance|swim|run|jog|cycle|bike|walk|attend|train|"
    "meditate|rent|share|subscribe|pay|save|sleep|cook|bake|paint|write|read|watch|meet|visit|call|"
    "babysit",
}

NUMBERS: Final = frozenset(
    term
    for word in f"{_NUMBER_WORDS} monday tuesday wednesday thursday friday saturday sunday".split()
    for term in terms(f"{word} {word}s")
)
"""Terms that tell two values apart although they begin alike."""

WEAK: Final = frozenset(
    term
    for word in "way lot thing things stuff one some all much many get good great new old really "
    "up off out back around bit kind sort time next last week month year other others such own "
    "something anything mine called named like make know day days hey hi hello thanks thank bye "
    "talk talking chat hope sure yeah yes well think feel mr mrs ms dr prof".split()
    for term in terms(word)
)
"""Terms that tell nothing of what is meant."""

SAME: Final[Mapping[str, str]] = {
    terms(word)[0]: terms(kept)[0]
    for kept, words in (
        ("boss", "manager supervisor"),
        ("colour", "color"),
        ("food", "dish meal"),
        ("movie", "film"),
        ("phone", "mobile smartphone"),
        ("doctor", "gp physician"),
    )
    for word in words.split()
}
"""Nouns that make one slot."""


def pattern(text: str) -> re.Pattern[str]:
    """With the fragments in it, and blind to case."""
    for name, fragment in FRAGMENTS.items():
        text = text.replace(f"{{{name}}}", fragment)
    return re.compile(text, re.IGNORECASE)


def rows(table: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Of a table of `head: pattern`; an indented line goes on with the one before."""
    for row in re.split(r"\n(?=\S)", table.strip("\n")):
        head, _, rest = "".join(line.strip() for line in row.splitlines()).partition(":")
        yield head, pattern(rest.lstrip())


SUBJECT: Final = pattern(
    r"(?P<us>\b(?:(?:[a-z]\w+ and|me and) i|i and [a-z]\w+)\b)"
    r"|\b(?:my|our) (?:[\w-]+ ){0,2}?(?P<kin>{family}|{others})\b"
    r"|\b(?P<named>person_\d+)\b"
    r"|\b(?:he|she|they|his|her|their|you|your|you're|he's|she's|they're|who|what|how)\b"
    r"|(?P<me>\b(?:i|i'm|i've|we|we're|we've|my|our|me)\b)"
)
"""The first match says of whom a clause tells."""

NEGATED: Final = pattern(
    r"\b(?:not(?! only| just| sure)|no longer|never|used to|stopped|quit|without|gave up|given up|"
    r"(?:lost|losing|left|leaving) (?=my|our|a)|former|previous|ex)\b"
    r"|(?:n't|\bcannot)(?! stand| bear| wait| help)\b"
)
"""Denies what comes behind it."""

OVER: Final = pattern(r"\bany ?more\b(?! than)|\bafter all\b(?=\W*$|,)")
"""Denies what stands before it."""

HYPOTHETICAL: Final = pattern(
    r"\b(?:if|would|could|might|maybe|perhaps|wish|should|wonder|imagine|let's)\b|\b(?:i|we)'d\b"
)
"""What such a clause says does not hold."""

EVENT: Final = pattern(
    r"\b(?:yesterday|ago|last (?:night|week|month|year|time|weekend)|was|were|went|did|took|made|"
    r"saw|came|found|felt)\b|\b(?:i|we) \w+ed\b"
)
"""A clause that tells of something that happened once: nothing replaces that."""

VALUE_END: Final = pattern(
    r"\b(?:and|but|because|since|so|who|which|that|when|where|while|after|before|until|though|"
    r"although|now|any ?more|these days|at the moment|currently|lately|again|too|as well|instead|"
    r"for now|last|thanks|from now|all day)\b|[\"()—–]"
)

ANAPHOR: Final = pattern(
    r"\s*(?:now |these days |nowadays |currently |instead )*(?:it's|it is|it was)"
    r" (?!been)(?:now |all |actually |more )*{value}"
)
"""Goes on with what the clause before was about."""
