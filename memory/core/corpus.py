"""Memories laid out for ranking: a query touches arrays, not memories.

    made = corpus(heads, features)          all at once
    layout = Layout(room=128)               with room behind
    made = layout.add(heads, features)      and as much again for what is stored later

Rules:
- Made of what the caller may see, and of nothing else: what is not in it plays no part.
- Rows stand by number. Neighbours are memories of one session that were stored one right after
  the other. A memory without a session is a session of its own.
- A corpus never changes. One made from another by adding shares its arrays, so that laying out one
  more memory costs no more than a little for each one that was there.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memory.core.content import Features
from memory.core.lexical import Postings, postings
from memory.core.rows import MemoryHead
from memory.core.saying import FEW
from memory.core.validity import Validity, validity
from memory.core.values import RecordId, Vector

_NONE: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """n memories; row i of everything is `heads[i]`.

    `matrix` holds their unit vectors, shape (n, d). `seqs`, `said_by` (numbers of `speakers`, -1
    for none), `day` (proleptic Gregorian ordinals), `importance` (0..1), `session` (one of so many
    `sessions`), `before` (the row of the neighbour before, -1 for none) and `answers` (it asks a
    question) have shape (n,). `told` are the times that memories tell of, shape (m, 3): row, first
    and last day. `kin` and `says`, shape (n,), are the same for memories of the same speaker and
    names, and for those of them that say the same (`core.saying`). `validity` tells what holds no
    more. `doubted`, shape (n,), are those that were rated wrong.
    """

    heads: Sequence[MemoryHead]
    times: Sequence[datetime]
    matrix: Vector
    words: Postings
    entities: Postings
    speakers: Mapping[str, int]
    seqs: NDArray[np.int64]
    said_by: NDArray[np.int64]
    day: NDArray[np.int64]
    told: NDArray[np.int64]
    importance: NDArray[np.float64]
    kin: NDArray[np.int64]
    says: NDArray[np.int64]
    sessions: int
    session: NDArray[np.int64]
    before: NDArray[np.int64]
    answers: NDArray[np.bool_]
    validity: Validity
    doubted: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.heads)

    def ended(self, row: int) -> tuple[datetime | None, RecordId | None]:
        """When it ends or ended to hold, and which memory replaced it."""
        by, ends = int(self.validity.by[row]), float(self.validity.ends[row])
        return (
            None if np.isinf(ends) else datetime.fromtimestamp(ends, UTC),
            None if by < 0 else self.heads[by].id,
        )


def in_order(heads: Sequence[MemoryHead]) -> list[MemoryHead]:
    """As the rows of a corpus have to stand."""
    return sorted(heads, key=lambda head: head.seq)


def corpus(
    heads: Sequence[MemoryHead],
    features: Sequence[Features],
    doubted: Set[RecordId] = frozenset(),
) -> Corpus:
    """Of memories `in_order`, each with its features. What is `doubted` replaces nothing."""
    return Layout().add(heads, features, doubted)


class Layout:
    """What is laid out so far, with room for `room` more memories. Not for several threads."""

    def __init__(self, room: int = 0) -> None:
        self._room = room
        self._features: list[Features] = []
        self._doubted: set[RecordId] = set()
        self._first = 0
        self._arrays: dict[str, NDArray[Any]] = {}
        self._speakers: dict[str, int] = {}
        self._kin: dict[Hashable, int] = {}
        self._says: dict[Hashable, int] = {}
        self._sessions = 0
        self._last: dict[bytes, tuple[int, int, int]] = {}
        """Of each session: its number, and the number and row of its last memory."""
        self._corpus: Corpus | None = None

    @property
    def room(self) -> int:
        """How many more there is room for."""
        return self._room - max(len(self._features) - self._first, 0)

    @property
    def features(self) -> Sequence[Features]:
        """Of each row; the vectors are rows of the corpus's matrix."""
        return self._features

    def add(
        self,
        heads: Sequence[MemoryHead],
        features: Sequence[Features],
        doubted: Set[RecordId] = frozenset(),
    ) -> Corpus:
        """The corpus with these behind: memories `in_order`, and later than all in it.

        Raises:
            ValueError: there is no room.
        """
        known, start = self._corpus, len(self._features)
        if known is None:
            self._first = len(heads)
            self._make_room(len(heads) + self._room, features)
        elif len(heads) > self.room:
            raise ValueError("no room behind this corpus")
        features = self._moved(start, features)
        self._features += features
        self._doubted |= doubted
        self._lay_out(start, heads, features)
        self._corpus = made = self._seen(known, heads, features)
        return made

    def _said(self, heads: Sequence[MemoryHead], features: Sequence[Features]) -> list[Features]:
        """What counts of what they say."""
        return [
            _unsaid(f) if head.id in self._doubted else f
            for head, f in zip(heads, features, strict=True)
        ]

    def _make_room(self, rows: int, features: Sequence[Features]) -> None:
        width = len(features[0].vector) if features else 0
        others: dict[str, NDArray[Any]] = {
            "matrix": np.empty((rows, width), np.float32),
            "importance": np.empty(rows, np.float64),
            "answers": np.empty(rows, np.bool_),
            "doubted": np.empty(rows, np.bool_),
        }
        numbers = ("seqs", "said_by", "day", "kin", "says", "session", "before")
        self._arrays = others | {name: np.empty(rows, np.int64) for name in numbers}

    def _moved(self, start: int, features: Sequence[Features]) -> list[Features]:
        """The features with their vectors in the matrix."""
        rows = self._arrays["matrix"][start : start + len(features)]
        if features:
            np.stack([f.vector for f in features], out=rows)
        return [replace(f, vector=row) for f, row in zip(features, rows, strict=True)]

    def _lay_out(
        self,
        start: int,
        heads: Sequence[MemoryHead],
        features: Sequence[Features],
    ) -> None:
        count, speakers = len(heads), self._speakers
        for f in features:
            if f.speaker:
                speakers.setdefault(f.speaker, len(speakers))
        kin = [
            self._kin.setdefault((f.speaker, f.entities), row) if len(f.terms) >= FEW else row
            for row, f in enumerate(features, start)
        ]
        says = [
            self._says.setdefault((of, f.saying), row) if f.saying else row
            for row, (of, f) in enumerate(zip(kin, features, strict=True), start)
        ]
        session, before = self._sessions_of(start, heads)
        asked = self._features
        filled = {
            "seqs": [head.seq for head in heads],
            "said_by": [speakers.get(f.speaker, _NONE) for f in features],
            "day": [f.time.toordinal() for f in features],
            "importance": [f.importance for f in features],
            "kin": kin,
            "says": says,
            "session": session,
            "before": before,
            "answers": [row != _NONE and asked[row].asks for row in before],
            "doubted": [head.id in self._doubted for head in heads],
        }
        for name, values in filled.items():
            self._arrays[name][start : start + count] = values

    def _sessions_of(self, start: int, heads: Sequence[MemoryHead]) -> tuple[list[int], list[int]]:
        """The session of each, and the row of its neighbour before."""
        session, before = [], []
        for row, head in enumerate(heads, start):
            number, seq, last = self._last.get(head.session_tag, (self._sessions, _NONE, _NONE))
            self._sessions += number == self._sessions
            session.append(number)
            before.append(last if seq + 1 == head.seq else _NONE)
            if head.session_tag:
                self._last[head.session_tag] = (number, head.seq, row)
        return session, before

    def _seen(
        self, known: Corpus | None, heads: Sequence[MemoryHead], features: Sequence[Features]
    ) -> Corpus:
        """All of it as it is now; what comes later is behind it."""
        count = len(self._features)
        told = np.array(list(_told(features, count - len(features))), np.int64).reshape(-1, 3)
        times = [f.time for f in features]
        if known is None:
            words = postings([f.terms for f in features])
            entities = postings([f.entities for f in features])
            valid = validity(heads, self._said(heads, features))
        else:
            behind = self._features[self._first :]
            followed = known.validity.followed_by(self._said(heads, features))
            heads, times = [*known.heads, *heads], [*known.times, *times]
            words = known.words.followed_by([f.terms for f in behind])
            entities = known.entities.followed_by([f.entities for f in behind])
            told = np.concatenate([known.told, told])
            valid = followed or validity(heads, self._said(heads, self._features))
        rows = {name: array[:count] for name, array in self._arrays.items()}
        return Corpus(
            heads=heads,
            times=times,
            matrix=rows["matrix"],
            words=words,
            entities=entities,
            speakers=self._speakers,
            seqs=rows["seqs"],
            said_by=rows["said_by"],
            day=rows["day"],
            told=told,
            importance=rows["importance"],
            kin=rows["kin"],
            says=rows["says"],
            sessions=self._sessions,
            session=rows["session"],
            before=rows["before"],
            answers=rows["answers"],
            validity=valid,
            doubted=rows["doubted"],
        )


def _told(features: Sequence[Features], start: int) -> Iterator[tuple[int, int, int]]:
    for row, f in enumerate(features, start):
        for days in f.days:
            yield row, days.first.toordinal(), days.last.toordinal()


def _unsaid(features: Features) -> Features:
    """Without what it says of someone, and of other memories."""
    return replace(features, claims=(), until=None, supersedes=())
