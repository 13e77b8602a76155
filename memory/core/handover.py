"""A brief for a human colleague who takes over from an assistant, within a budget of tokens.

    Open
    [1] 8 May 2023, asked: person_1: When does the warranty end?
    [2] 8 May 2023, to do: assistant: I'll send you the contract.

    What holds
    [3] 3 March 2023: person_1: I live in Leeds.

    Mood, guessed from the last 5 messages that tell one: rather bad (-0.41), frustration up to 0.72

    Last said
    [4] 8 May 2023: person_1: I have been waiting for three weeks.

Rules:
- Never over the budget, as counted on the finished text. Deterministic.
- Filled in turns, the best of each section first, so that a small budget has some of each.
- Each memory is told once, under the first of its sections. What was said twice in the same words
  by the same speaker comes in once. "Ok, thanks" tells nothing by itself, and is not what was said
  last.
- What holds no more says until when it did, wholly or in part. A memory is one line, cut at a
  quarter of the budget.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain, zip_longest
from typing import Final

from memory.core.affect import Affect
from memory.core.context import Context, CountTokens, Told, one_line, shortened, told_day
from memory.core.threads import Lack, telling
from memory.core.values import RecordId

MOODS: Final = 5
"""Of so many of the last messages that tell a mood it is summed up."""

_CLEAR: Final = 0.3
"""From this valence on a mood is called good or bad; a rule of thumb."""

_WORD: Final = re.compile(r"\w+")


class Section(StrEnum):
    """The parts of a brief, by their headings; in their order."""

    OPEN = "Open"
    HOLDS = "What holds"
    SAID = "Last said"


@dataclass(frozen=True, slots=True)
class Brief:
    """What may be told, each section the best first: what is open with what it lacks, what holds,
    and what was said last; `mood` is a line or empty.
    """

    open: Sequence[tuple[Told, Lack]]
    holds: Sequence[Told]
    said: Sequence[Told]
    mood: str = ""


@dataclass(frozen=True, slots=True)
class _Item:
    section: Section
    told: Told
    lack: Lack | None = None

    def line(self, number: int) -> str:
        told = self.told
        day = _day(told.time)
        if told.until is not None:
            partly = "partly " if self.section is Section.HOLDS else ""
            day += f", {partly}until {_day(told.until)}"
        lack = f", {self.lack}" if self.lack else ""
        speaker = f"{told.speaker}: " if told.speaker else ""
        return f"[{number}] {day}{lack}: {speaker}{one_line(told.text)}"


def mood(moods: Sequence[Affect]) -> str:
    """A line on how the person felt in the last `MOODS` of these; empty for none."""
    last = moods[-MOODS:]
    if not last:
        return ""
    valence = sum(one.valence for one in last) / len(last)
    word = "neither good nor bad"
    if abs(valence) >= _CLEAR:
        word = "rather good" if valence > 0 else "rather bad"
    most = max(one.frustration for one in last)
    many = f"{len(last)} messages that tell" if len(last) > 1 else "message that tells"
    return (
        f"Mood, guessed from the last {many} one: {word} ({valence:.2f}), "
        f"frustration up to {most:.2f}"
    )


def brief(of: Brief, budget: int, count: CountTokens) -> Context:
    """As much of it as `budget` tokens hold."""
    feeling = of.mood if count(of.mood) <= budget // 4 else ""
    chosen: list[_Item] = []
    seen: set[RecordId | tuple[str, ...]] = set()
    left = budget - count(feeling)
    for item in _in_turns(of):
        words = (item.told.speaker, *_WORD.findall(item.told.text.casefold()))
        if item.told.id in seen or words in seen:
            continue
        short = _Item(item.section, shortened(item.told, budget // 4, count), item.lack)
        new = item.section not in {one.section for one in chosen}
        needed = count(short.line(len(chosen) + 1)) + (count(item.section) if new else 0)
        if needed <= left:
            left -= needed
            seen |= {item.told.id, words}
            chosen.append(short)
    while (told := _told(chosen, feeling, count)).tokens > budget:
        if chosen:
            chosen.pop()
        else:
            feeling = ""
    return told


def _in_turns(of: Brief) -> list[_Item]:
    sections = (
        [_Item(Section.OPEN, told, lack) for told, lack in of.open],
        [_Item(Section.HOLDS, told) for told in of.holds],
        [_Item(Section.SAID, told) for told in of.said if _tells(told.text)],
    )
    return [item for item in chain(*zip_longest(*sections)) if item is not None]


def _told(chosen: Sequence[_Item], feeling: str, count: CountTokens) -> Context:
    parts: dict[Section, list[_Item]] = {section: [] for section in Section}
    for item in chosen:
        parts[item.section].append(item)
    parts[Section.SAID].sort(key=lambda item: (item.told.time, item.told.seq))
    blocks: list[str] = []
    cited: list[RecordId] = []
    for section, items in parts.items():
        if section is Section.SAID and feeling:
            blocks.append(feeling)
        if items:
            lines = [item.line(len(cited) + place) for place, item in enumerate(items, start=1)]
            blocks.append("\n".join([section.value, *lines]))
            cited += [item.told.id for item in items]
    text = "\n\n".join(blocks)
    return Context(text, count(text), tuple(cited))


def revealed(of: Brief, shown: Mapping[RecordId, Told]) -> Brief:
    """The same of those that are shown, in the words they are shown in."""
    return Brief(
        [(shown[told.id], lack) for told, lack in of.open if told.id in shown],
        [shown[told.id] for told in of.holds if told.id in shown],
        [shown[told.id] for told in of.said if told.id in shown],
        of.mood,
    )


def _tells(text: str) -> bool:
    return any(not term.startswith("person_") for term in telling(text))


def _day(time: datetime) -> str:
    return told_day(time.astimezone(UTC).date())
