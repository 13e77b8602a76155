"""What a caller wants a search or a listing narrowed to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from memory.app.gate import Admission
from memory.app.prepare import session_tag
from memory.core.erasure import Scope
from memory.core.keys import PersonKeys
from memory.core.values import AssistantId, MemoryKind, PurposeId
from memory.ports import MemoryFilter


@dataclass(frozen=True, slots=True)
class Narrow:
    """What the caller wants the search narrowed to; empty means no narrowing.

    Event times are aware; the start is in, the end is out.
    """

    kinds: frozenset[MemoryKind] = frozenset()
    sessions: frozenset[str] = frozenset()
    event_start: datetime | None = None
    event_end: datetime | None = None

    @property
    def by_time(self) -> bool:
        """Whether event times narrow the search; they are sealed, so SQL cannot decide it."""
        return self.event_start is not None or self.event_end is not None

    def covers(self, time: datetime) -> bool:
        """Whether `time` lies in the interval asked for."""
        return (self.event_start is None or self.event_start <= time) and (
            self.event_end is None or time < self.event_end
        )

    def to_filter(self, keys: PersonKeys, admission: Admission) -> MemoryFilter:
        """The part that SQL decides, together with what consent lets the caller see."""
        return MemoryFilter(
            purposes=admission.visible,
            kinds=self.kinds,
            session_tags=frozenset(session_tag(keys, s) for s in self.sessions),
            alive_at=admission.at,
        )


@dataclass(frozen=True, slots=True)
class Which:
    """The memories meant: all that fit every part that is given."""

    narrow: Narrow = Narrow()
    purposes: frozenset[PurposeId] = frozenset()
    source: AssistantId | None = None
    """The assistant that stored them."""

    def scope(self) -> Scope:
        """What of it may stand in a certificate."""
        parts = {
            "session": bool(self.narrow.sessions),
            "time": self.narrow.by_time,
            "source": self.source is not None,
        }
        return Scope(
            whole=False,
            purposes=tuple(sorted(p.value for p in self.purposes)),
            kinds=tuple(sorted(k.value for k in self.narrow.kinds)),
            narrowed_by=tuple(sorted(name for name, given in parts.items() if given)),
        )
