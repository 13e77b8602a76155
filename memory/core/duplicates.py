"""What is the same memory told again, and not another one.

    "I like tea."  ·  " i like  TEA!"     told twice: one memory, seen twice
    "I like tea?"                         a question: another memory

Rules:
- The same is what agrees in everything that is kept: purpose, assistant, kind, speaker, event time,
  labels, sources, what it supersedes, until when it holds, and importance. Text and speaker are
  compared without case, white space and what ends a sentence; a question stays one.
- What holds (a fact, a preference) is the same in any session and at any time, unless it names days
  that are others by then ("tomorrow"). What happens (all else) belongs to its session, and people
  say "yes" twice: it is the same at the same event time; without one, only right after itself and
  within `AGAIN_WITHIN`.
- A memory told again ends as if it were stored now. It never ends earlier than before: what is to,
  is kept apart.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from memory.core.canonical import canonical
from memory.core.content import Features
from memory.core.micros import to_micros
from memory.core.relative_dates import days_meant
from memory.core.values import AssistantId, MemoryContent, MemoryKind, PurposeId, RawText

AGAIN_WITHIN: Final = timedelta(minutes=1)
"""How long after itself a message without an event time is taken for a call that was repeated."""

HOLDING: Final = frozenset({MemoryKind.FACT, MemoryKind.PREFERENCE})
"""Kinds that tell what holds, and not what happened."""

_END: Final = re.compile(r"[\s.!?…,;:。]+$")


def plain(text: str) -> str:
    """The text as it is compared: NFKC, case-folded, single spaces, no end of sentence but "?"."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    spaced = " ".join(folded.split())
    end = _END.search(spaced)
    if end is None or end.start() == 0:
        return spaced
    return spaced[: end.start()] + ("?" if "?" in end[0] else "")


def sameness(
    content: MemoryContent,
    text: RawText,
    speaker: RawText | None,
    kind: MemoryKind,
    purpose: PurposeId,
    assistant: AssistantId,
) -> str:
    """Equal for what may be one memory. Holds the text: only a keyed hash of it is kept.

    Args:
        text, speaker: `content`'s, in the person's own words.
    """
    return canonical(
        [
            kind.value,
            purpose.value,
            assistant.value,
            plain(text.value),
            plain(speaker.value) if speaker else "",
            "" if kind in HOLDING else content.session,
            None if content.event_time is None else to_micros(content.event_time),
            content.labels,
            sorted(str(source) for source in content.sources),
            sorted(str(older) for older in content.supersedes),
            None if content.until is None else to_micros(content.until),
            content.importance,
        ]
    ).decode()


def needs_closeness(kind: MemoryKind, event_time: datetime | None) -> bool:
    """Whether being the same is not enough: it must have come right after, too."""
    return kind not in HOLDING and event_time is None


def means_the_same_days(text: RawText, before: datetime, now: datetime) -> bool:
    """Whether a text says the same told `before` and now: "tomorrow" is another day by then."""
    return days_meant(text.value, before.date())[0] == days_meant(text.value, now.date())[0]


def close(before: datetime, now: datetime) -> bool:
    """Whether what was told `before` may be the same call as what is told now."""
    return now - before <= AGAIN_WITHIN


def ends_no_earlier(end: datetime | None, before: datetime | None) -> bool:
    """Whether a memory that would end then may take in one that ends `before`; None is never."""
    return end is None or (before is not None and before <= end)


def told_again(
    features: Features, kind: MemoryKind, event_time: datetime | None, at: datetime
) -> Features:
    """The features of a memory that was told again: what holds counts as said then, as to what it
    replaces and what replaces it; of all else the time stays.
    """
    if kind not in HOLDING or event_time is not None:
        return features
    return replace(features, time=at, since=features.since or features.time)
