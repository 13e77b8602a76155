"""What ranking needs of recently recalled memories, kept open in memory.

Opening the candidates costs more than ranking them, and the next recall of the same person wants
mostly the same ones.

Rules:
- An entry is good for one version of one record; a correction simply misses.
- Whole people go at once: the least recently recalled first, past `limit` entries; at once when
  they are forgotten.
- It holds vectors and terms in the clear, in this process only; nothing of it is ever written.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from memory.app.sealing import open_features
from memory.core.content import Features
from memory.core.keys import PersonKeys
from memory.core.values import RecordId, SubjectId
from memory.ports import MemoryHead, MemoryRow

MAX_ENTRIES: Final = 20_000
"""Bounds what lies open in memory."""

_Person: TypeAlias = dict[RecordId, tuple[int, Features]]


class OpenedFeatures:
    """Safe to use from several threads."""

    def __init__(self, limit: int = MAX_ENTRIES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._people: OrderedDict[SubjectId, _Person] = OrderedDict()
        self._count = 0

    def open(
        self,
        keys: PersonKeys,
        heads: Sequence[MemoryHead],
        load: Callable[[list[RecordId]], Sequence[MemoryRow]],
    ) -> list[Features]:
        """The features of each head, in order; `load` fetches the rows of those not held."""
        with self._lock:
            held = self._people.get(keys.subject, {})
            known = {h.id: held[h.id][1] for h in heads if held.get(h.id, (0,))[0] == h.version}
        missing = [h.id for h in heads if h.id not in known]
        if missing:
            rows = load(missing)
            fresh = {row.id: (row.version, open_features(keys, row)) for row in rows}
            known |= {record: features for record, (_, features) in fresh.items()}
            self._keep(keys.subject, fresh)
        return [known[h.id] for h in heads]

    def forget(self, subject: SubjectId) -> None:
        """Drops what is held of this person."""
        with self._lock:
            self._count -= len(self._people.pop(subject, {}))

    def _keep(self, subject: SubjectId, fresh: _Person) -> None:
        with self._lock:
            person = self._people.setdefault(subject, {})
            before = len(person)
            person |= fresh
            self._count += len(person) - before
            self._people.move_to_end(subject)
            while self._count > self._limit and self._people:
                _, dropped = self._people.popitem(last=False)
                self._count -= len(dropped)
