"""Which texts say the same, told by a digest that is kept with each.

    "I love hiking in the mountains."    "i really LOVE hiking in mountains!!"     the same
    "I love hiking in the mountains."    "I don't love hiking in the mountains."   not the same
    "My left knee hurts."                "My right knee hurts."                    not the same

Rules:
- The same are texts with the same words in the same order but for case, punctuation, endings and
  words that carry nothing; with as many negations; and that mean the same days.
- No likeness of vectors: those of the pairs above that are not the same lie nearer to each other
  than those of many that are.
- Texts with fewer than `FEW` words that carry something ("No, thanks.") say nothing without what
  they answer: they are the same as nothing.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date
from typing import Final, NamedTuple

from memory.core.dates import days_said
from memory.core.lexical import terms
from memory.core.relative_dates import Days

FEW: Final = 2

_DIGEST_BYTES: Final = 8
_NOT: Final = re.compile(r"\b(?:no|not|cannot|\w+n[’']t)\b", re.IGNORECASE)
_FILLERS: Final = frozenset(
    terms(
        "please pls really just quite hey hi hello oh well ok okay lol haha um uh actually "
        "basically btw thanks thank lot much"
    )
)


class Said(NamedTuple):
    """What a text tells of time (`core.dates`), and what it says: 16 hex digits, or nothing."""

    days: tuple[Days, ...]
    saying: str


def said(text: str, day: date) -> Said:
    """Of a text that was said on `day`."""
    days, rest = days_said(text, day)
    words = [term for term in terms(rest) if term not in _FILLERS]
    if len(words) + len(days) < FEW:
        return Said(days, "")
    whole = (*words, str(len(_NOT.findall(rest))), *(f"{one.first}/{one.last}" for one in days))
    digest = hashlib.blake2b(" ".join(whole).encode(), digest_size=_DIGEST_BYTES)
    return Said(days, digest.hexdigest())
