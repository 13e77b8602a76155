"""What the rules of consent and retention make of a person's memories, in plain dictionaries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from memory.core.values import RecordId

RETENTION: Final = {"assistance": None, "care": timedelta(days=1)}


def latest_end(purpose: str, stored_at: datetime) -> datetime | None:
    """When a memory stored then is over at the latest."""
    kept = RETENTION[purpose]
    return None if kept is None else stored_at + kept


@dataclass
class Decision:
    """What a person said about a purpose, for one assistant or (None) for all."""

    purpose: str
    assistant: str | None
    given: bool
    until: datetime | None = None


@dataclass
class Kept:
    """A memory as the model has it."""

    id: RecordId
    text: str
    purpose: str
    assistant: str
    stored_at: datetime
    ends_at: datetime | None
    version: int = 1
    may_be_gone: bool = False
    """Whether retention may have erased it by now."""

    def over(self, now: datetime) -> bool:
        return self.ends_at is not None and self.ends_at <= now


@dataclass
class Person:
    """Everything the model knows of one person; forgetting makes a new one."""

    decisions: list[Decision] = field(default_factory=list)
    memories: list[Kept] = field(default_factory=list)
    restricted: bool = False
    held_until: datetime | None = None

    def held(self, now: datetime) -> bool:
        return self.held_until is not None and now < self.held_until

    def time_passed(self, now: datetime) -> None:
        """What is over goes from now on, but for what is held."""
        if not self.held(now):
            for memory in self.memories:
                memory.may_be_gone |= memory.over(now)

    def retention_ran(self) -> None:
        self.memories = [m for m in self.memories if not m.may_be_gone]

    def covered(self, assistant: str, now: datetime) -> set[str]:
        """The purposes for which the last word that concerns this assistant is a valid yes."""
        last = {d.purpose: d for d in self.decisions if d.assistant in (None, assistant)}
        return {p for p, d in last.items() if d.given and (d.until is None or now < d.until)}

    def visible(self, assistant: str, now: datetime) -> list[Kept]:
        covered = self.covered(assistant, now)
        return [m for m in self.memories if m.purpose in covered and not m.over(now)]
