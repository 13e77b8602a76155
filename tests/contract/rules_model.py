"""What the rules of consent and retention make of a person's memories, in plain dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from memory.core.values import RecordId

AGAIN_WITHIN: Final = timedelta(minutes=1)
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
    told_at: datetime
    version: int = 1
    sightings: int = 1
    findable: bool = True
    """Whether it is looked for when it is told again."""
    may_be_gone: bool = False
    """Whether retention may have erased it by now."""

    @property
    def said(self) -> tuple[str, str, str]:
        """What must agree for it to be the same."""
        return self.text, self.purpose, self.assistant

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

    def retention_ran(self, now: datetime) -> bool:
        """Whether what is over is gone: under a hold that came after its end, it may be there."""
        if self.held(now):
            return False
        self.memories = [m for m in self.memories if not m.may_be_gone]
        return True

    def covered(self, assistant: str, now: datetime) -> set[str]:
        """The purposes for which the last word that concerns this assistant is a valid yes."""
        last = {d.purpose: d for d in self.decisions if d.assistant in (None, assistant)}
        return {p for p, d in last.items() if d.given and (d.until is None or now < d.until)}

    def tell(
        self,
        told: Sequence[tuple[RecordId, str]],
        purpose: str,
        assistant: str,
        end: datetime | None,
        now: datetime,
    ) -> list[RecordId | None]:
        """A batch, each with the id it got: which memory it tells again, None for a new one."""
        new: list[Kept] = []
        again: list[RecordId | None] = []
        for id_, text in told:
            before = None if new else self._told_again(text, purpose, assistant, end, now)
            again.append(before and before.id)
            if before is None:
                new.append(Kept(id_, text, purpose, assistant, now, end, now))
        said = {memory.said: memory for memory in new}
        for memory in self.memories:
            memory.findable &= memory.said not in said or memory.over(now)
        for memory in new:
            memory.findable = said[memory.said] is memory
        self.memories += new
        return again

    def _told_again(
        self, text: str, purpose: str, assistant: str, end: datetime | None, now: datetime
    ) -> Kept | None:
        """The last one, if it is the same, was told within a minute, and ends no earlier for it."""
        last = self.memories[-1] if self.memories else None
        if last is None or last.said != (text, purpose, assistant) or not last.findable:
            return None
        shorter = end is not None and (last.ends_at is None or end < last.ends_at)
        if shorter or last.over(now) or now - last.told_at > AGAIN_WITHIN:
            return None
        last.told_at, last.ends_at, last.sightings = now, end, last.sightings + 1
        return last

    def visible(self, assistant: str, now: datetime) -> list[Kept]:
        covered = self.covered(assistant, now)
        return [m for m in self.memories if m.purpose in covered and not m.over(now)]
