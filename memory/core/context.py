"""A text for a prompt, made of memories, within a budget of tokens.

    8 May 2023
    [1] person_1: I went to the support group yesterday.
    [2] until 25 May 2023: person_2: I run every morning.

    25 May 2023
    [3] person_1: We ran the charity race.

Rules:
- Never over the budget, as counted on the finished text. Deterministic.
- Chosen by rank: the best that fits comes in, what is too long for the room left is passed over.
  Told in order: by day and session, and there as it was said.
- What was said twice by the same speaker comes in once: in the same words, or in nearly the same
  (`core.saying`).
- What holds no more says until when it did, and what was rated wrong that it was.
- A memory is one line. One that would take more than half the budget is cut.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Final

from memory.core.relative_dates import MONTHS
from memory.core.saying import said
from memory.core.values import RecordId

CountTokens = Callable[[str], int]

_CUT: Final = "…"
_SPACE: Final = re.compile(r"\s+")
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Told:
    """A memory to tell: `text` and `speaker` as they are to be read, `speaker` may be empty.

    `until` is when it stopped to hold, or will; `doubted` when it was rated wrong.
    """

    id: RecordId
    text: str
    speaker: str
    session: str
    time: datetime
    seq: int
    until: datetime | None = None
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """The finished text; the memory `cited[i]` stands behind the mark [i + 1]. `recall_token` is
    that with which these can be rated.
    """

    text: str = ""
    tokens: int = 0
    cited: tuple[RecordId, ...] = ()
    recall_token: str = ""


def pack(ranked: Sequence[Told], budget: int, count: CountTokens) -> Context:
    """As much as `budget` tokens hold of `ranked`, best first."""
    chosen: list[Told] = []
    seen: set[tuple[str, str]] = set()
    days: set[tuple[date, str]] = set()
    left = budget
    for memory in ranked:
        short = shortened(memory, budget // 2, count)
        heading = 0 if _group(short) in days else count(told_day(_group(short)[0]))
        needed = heading + count(_line(len(chosen) + 1, short))
        if needed <= left and (what := _what_is_said(memory)) not in seen:
            left -= needed
            seen.add(what)
            days.add(_group(short))
            chosen.append(short)
    while (context := _told(chosen, count)).tokens > budget:
        chosen.pop()
    return context


def _told(chosen: Sequence[Told], count: CountTokens) -> Context:
    first: dict[tuple[date, str], tuple[datetime, int]] = {}
    for memory in chosen:
        first[_group(memory)] = min(first.get(_group(memory), _said(memory)), _said(memory))
    ordered = sorted(chosen, key=lambda m: (_group(m)[0], first[_group(m)], *_said(m)))
    sections: list[str] = []
    number = 0
    for (day, _), members in groupby(ordered, key=_group):
        lines = [told_day(day)]
        for member in members:
            number += 1
            lines.append(_line(number, member))
        sections.append("\n".join(lines))
    text = "\n\n".join(sections)
    return Context(text, count(text), tuple(m.id for m in ordered))


def _what_is_said(memory: Told) -> tuple[str, str]:
    saying = said(memory.text, _group(memory)[0]).saying
    return memory.speaker, saying or " ".join(_WORD.findall(memory.text.casefold()))


def _group(memory: Told) -> tuple[date, str]:
    return memory.time.astimezone(UTC).date(), memory.session


def _said(memory: Told) -> tuple[datetime, int]:
    return memory.time, memory.seq


def told_day(day: date) -> str:
    """8 May 2023."""
    return f"{day.day} {MONTHS[day.month - 1].capitalize()} {day.year}"


def _line(number: int, memory: Told) -> str:
    until = f"until {told_day(memory.until.astimezone(UTC).date())}: " if memory.until else ""
    speaker = f"{memory.speaker}: " if memory.speaker else ""
    until += "said to be wrong: " if memory.doubted else ""
    return f"[{number}] {until}{speaker}{one_line(memory.text)}"


def one_line(text: str) -> str:
    """The text with single spaces for all white space."""
    return _SPACE.sub(" ", text).strip()


def shortened(memory: Told, most: int, count: CountTokens) -> Told:
    """The memory with as much of its beginning as `most` tokens hold, whole words if it has any."""
    if count(memory.text) <= most:
        return memory
    low, high = 0, len(memory.text)
    while low < high:
        middle = (low + high + 1) // 2
        if count(memory.text[:middle] + _CUT) <= most:
            low = middle
        else:
            high = middle - 1
    kept = memory.text[:low]
    whole = kept.rpartition(" ")[0] if memory.text[low : low + 1].strip() else kept
    return replace(memory, text=(whole or kept).rstrip() + _CUT)
