"""How well a memory fits a query: the sum of a few named parts, all on the scale of a cosine.

    dense     cosine of query and memory: the same meaning, without names
    lexical   BM25 among the candidates, as a share of the best one's: the same words
    speaker   the query names who said it
    entity    the query names whom or what it mentions, the more telling the rarer
    date      the query names a time, and it is the memory's

Fitting the weights with each conversation left out in turn gains next to nothing over these:
`docs/adr/0007-ranking.md`.

Rules:
- Pure and deterministic: of equal scores the newer memory comes first.
- The parts of a hit add up to its score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from memory.core.content import Features
from memory.core.dates import QueryDates
from memory.core.lexical import bm25, rarity
from memory.core.values import Vector

LEXICAL: Final = 0.25
SPEAKER: Final = 0.30
ENTITY: Final = 0.05
DATE: Final = 0.20


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: an exact unit vector, shape (d,), and what the words of it say."""

    vector: Vector
    terms: tuple[str, ...]
    entities: frozenset[str]
    dates: QueryDates


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate by its place in the input, with its score and what that is made of."""

    index: int
    score: float
    parts: tuple[tuple[str, float], ...]


def nearest(matrix: Vector, vector: Vector, count: int) -> list[int]:
    """The places of the `count` rows of `matrix`, shape (n, d), nearest to `vector`, ascending."""
    if len(matrix) <= count:
        return list(range(len(matrix)))
    places: list[int] = np.argpartition(-cosines(matrix, vector), count)[:count].tolist()
    return sorted(places)


def cosines(matrix: Vector, vector: Vector) -> Vector:
    """Of each unit row, shape (n, d), with a unit vector.

    Not `@`: for thousands of rows BLAS wakes all its threads, and on a busy machine waits for them.
    """
    scores: Vector = np.vecdot(matrix, vector)
    return scores


def rank(
    query: Query, candidates: Sequence[Features], ages: Sequence[int], limit: int
) -> list[Ranked]:
    """The best `limit` candidates, best first.

    Args:
        ages: for each candidate a number that is higher for a newer memory; breaks ties.
    """
    if not candidates:
        return []
    names = ("dense", "lexical", "speaker", "entity", "date")
    parts = np.stack(
        [
            np.stack([c.vector for c in candidates]) @ query.vector,
            LEXICAL * _share_of_best(bm25(query.terms, [c.terms for c in candidates])),
            SPEAKER * np.array([c.speaker in query.entities for c in candidates], np.float64),
            ENTITY * _mentions(query.entities, candidates),
            DATE * _dates(query.dates, candidates),
        ],
        axis=1,
        dtype=np.float64,
    )
    scores: list[float] = parts.sum(axis=1).tolist()
    order = sorted(range(len(candidates)), key=lambda i: (-scores[i], -ages[i]))[:limit]
    return [Ranked(i, scores[i], tuple(zip(names, parts[i].tolist(), strict=True))) for i in order]


def _share_of_best(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    best = float(scores.max())
    return scores / best if best > 0 else scores


def _mentions(wanted: frozenset[str], candidates: Sequence[Features]) -> NDArray[np.float64]:
    if not wanted:
        return np.zeros(len(candidates))
    telling = rarity(wanted, [c.entities for c in candidates])
    return np.array(
        [sum(telling[name] for name in wanted & c.entities) / len(wanted) for c in candidates]
    )


def _dates(dates: QueryDates, candidates: Sequence[Features]) -> NDArray[np.float64]:
    if not dates:
        return np.zeros(len(candidates))
    return np.array([dates.match(c.time) for c in candidates])
