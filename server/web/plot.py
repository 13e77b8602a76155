"""Who read what, as a picture: one bar a day, drawn on the server as SVG without scripts or styles.

Rules:
- A picture says nothing that the list below it does not: it has a title, and its bars have texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from memory.ports import AccessAction, AccessEvent

DAYS: Final = 30
WIDTH: Final = 620
HEIGHT: Final = 150
_FLOOR: Final = 122
_STEP: Final = WIDTH / DAYS
_GAP: Final = 4.0

_READING: Final = frozenset({AccessAction.READ, AccessAction.REVEAL, AccessAction.EXPORT})
KINDS: Final = ("told", "read", "denied")
"""From the bottom up: stored or changed, read, and refused."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One kind of event on one day, as a rectangle."""

    kind: str
    day: date
    count: int
    x: float
    y: float
    width: float
    height: float


def bars(events: Iterable[AccessEvent], now: datetime) -> Sequence[Bar]:
    """The bars of the last `DAYS` days, the last of which is that of `now`."""
    first = now.date() - timedelta(days=DAYS - 1)
    counts = Counter((event.at.date(), kind_of(event)) for event in events)
    days = [first + timedelta(days=i) for i in range(DAYS)]
    most = max((sum(counts[day, kind] for kind in KINDS) for day in days), default=0)
    made = []
    for i, day in enumerate(days):
        top = float(_FLOOR)
        for kind in KINDS:
            if count := counts[day, kind]:
                height = (_FLOOR - 8) * count / most
                top -= height
                x = i * _STEP + _GAP / 2
                made.append(Bar(kind, day, count, x, top, _STEP - _GAP, height))
    return made


def kind_of(event: AccessEvent) -> str:
    """Which of `KINDS` an event is."""
    return "denied" if event.denied else wanted(event)


def wanted(event: AccessEvent) -> str:
    """The same, had it not been refused."""
    return "read" if event.action in _READING else "told"
