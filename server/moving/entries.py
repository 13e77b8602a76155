"""What a reader finds: entries, and the count of everything else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final, Literal

Kind = Literal["message", "fact", "preference", "event", "summary"]

MAX_REASON_CHARS: Final = 60
"""A reason may hold a word of the file: it is shown, so it is cut."""

MAX_REASONS: Final = 100
"""Different words for what was not taken; what comes after them is counted together."""


class By(Enum):
    """Whose words an entry is made of."""

    PERSON = "person"
    """The person said it."""
    PRODUCT = "product"
    """What the product remembers about the person."""
    ASSISTANT = "assistant"
    """The assistant said it, or remembers it about itself."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that could be remembered.

    `id` is the product's own, empty where it gives none; `session` the conversation's, as the
    product calls it; `owner` the person's, where the file says whose it is. `time` is when it was
    said or began to hold, `until` when it stopped.
    """

    text: str = field(repr=False)
    by: By
    kind: Kind = "message"
    id: str = ""
    speaker: str = field(default="", repr=False)
    session: str = field(default="", repr=False)
    owner: str = field(default="", repr=False)
    time: datetime | None = None
    until: datetime | None = None


@dataclass(slots=True)
class Found:
    """The count of what was read.

    entries = taken + sum(left.values()); memories = taken + split.
    """

    entries: int = 0
    taken: int = 0
    split: int = 0
    """Memories more than entries: what is too long for one becomes several."""
    left: Counter[str] = field(default_factory=Counter)
    """Entries that are not taken, by reason."""
    beside: Counter[str] = field(default_factory=Counter)
    """What else is in the file and not taken: attachments, fields, other files."""
    strange: int = 0
    """Of those that are not taken, how many are nothing that the format knows."""
    owners: set[str] = field(default_factory=set, repr=False)

    @property
    def memories(self) -> int:
        """How many memories it comes to."""
        return self.taken + self.split

    def leave(self, reason: str) -> None:
        """Counts an entry that is not taken."""
        self.entries += 1
        self.left[_named(reason, self.left)] += 1

    def miss(self, what: str) -> None:
        """Counts something where an entry should be and that is none."""
        self.leave(what)
        self.strange += 1

    def pass_over(self, what: str, count: int = 1) -> None:
        """Counts something that is no entry."""
        if count:
            self.beside[_named(what, self.beside)] += count


def _named(reason: str, known: Counter[str]) -> str:
    short = "".join(c if c.isprintable() else "?" for c in reason[:MAX_REASON_CHARS])
    return short if short in known or len(known) < MAX_REASONS else "other"
