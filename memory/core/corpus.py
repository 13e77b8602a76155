"""Memories laid out for ranking: a query touches arrays, not memories.

Rules:
- Made of what the caller may see, and of nothing else: what is not in it plays no part.
- Rows stand by session and number. Neighbours are memories of one session that were stored one
  right after the other. A memory without a session is a session of its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from memory.core.content import Features
from memory.core.lexical import Postings, postings
from memory.core.rows import MemoryHead
from memory.core.saying import FEW
from memory.core.validity import Validity, validity
from memory.core.values import RecordId, Vector


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """n memories; row i of everything is `heads[i]`.

    `matrix` holds their unit vectors, shape (n, d). `seqs`, `said_by` (numbers of `speakers`, -1
    for none), `day` (proleptic Gregorian ordinals), `importance` (0..1), `follows` (the row before
    is a neighbour) and `answers` (and asks a question) have shape (n,). `sessions` are the rows
    where a session starts, and `session`, shape (n,), which of these each row belongs to. `told`
    are the times that memories tell of, shape (m, 3): row, first and last day. `kin` and `says`,
    shape (n,), are the same for memories of the same speaker and names, and for those of them
    that say the same (`core.saying`). `validity` tells what holds no more. `doubted`,
    shape (n,), are those that were rated wrong.
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
    sessions: NDArray[np.int64]
    session: NDArray[np.int64]
    follows: NDArray[np.bool_]
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
    return sorted(heads, key=lambda head: (head.session_tag, head.seq))


def corpus(
    heads: Sequence[MemoryHead],
    features: Sequence[Features],
    doubted: Set[RecordId] = frozenset(),
) -> Corpus:
    """Of memories `in_order`, each with its features. What is `doubted` replaces nothing."""
    count = len(heads)
    if doubted:
        features = [
            _unsaid(f) if head.id in doubted else f for head, f in zip(heads, features, strict=True)
        ]
    speakers = {name: number for number, name in enumerate({f.speaker for f in features} - {""})}
    tags = [head.session_tag for head in heads]
    seqs = np.fromiter((head.seq for head in heads), np.int64, count)
    same = np.fromiter(
        (i > 0 and tags[i] != b"" and tags[i] == tags[i - 1] for i in range(count)), np.bool_, count
    )
    follows = same & (np.diff(seqs, prepend=seqs[:1]) == 1)
    told = [
        (row, days.first.toordinal(), days.last.toordinal())
        for row, f in enumerate(features)
        for days in f.days
    ]
    kin = _numbered([(f.speaker, f.entities) if len(f.terms) >= FEW else None for f in features])
    says = [(of, f.saying) if f.saying else None for of, f in zip(kin, features, strict=True)]
    asked = np.fromiter((i > 0 and features[i - 1].asks for i in range(count)), np.bool_, count)
    return Corpus(
        heads=heads,
        times=[f.time for f in features],
        matrix=np.stack([f.vector for f in features]) if count else np.empty((0, 0), np.float32),
        words=postings([f.terms for f in features]),
        entities=postings([f.entities for f in features]),
        speakers=speakers,
        seqs=seqs,
        said_by=np.fromiter((speakers.get(f.speaker, -1) for f in features), np.int64, count),
        day=np.fromiter((f.time.toordinal() for f in features), np.int64, count),
        told=np.array(told, np.int64).reshape(-1, 3),
        importance=np.fromiter((f.importance for f in features), np.float64, count),
        kin=np.array(kin, np.int64),
        says=np.array(_numbered(says), np.int64),
        sessions=np.flatnonzero(~same),
        session=np.cumsum(~same) - 1,
        follows=follows,
        answers=follows & asked,
        validity=validity(heads, features),
        doubted=np.fromiter((head.id in doubted for head in heads), np.bool_, count)
        if doubted
        else np.zeros(count, np.bool_),
    )


def _unsaid(features: Features) -> Features:
    """Without what it says of someone, and of other memories."""
    return replace(features, claims=(), until=None, supersedes=())


def _numbered(names: Sequence[Hashable | None]) -> list[int]:
    """The same number for the same name, and a number of its own for each without a name."""
    numbers: dict[Hashable, int] = {}
    return [
        numbers.setdefault(name, place) if name is not None else place
        for place, name in enumerate(names)
    ]
