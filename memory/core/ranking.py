"""How well a memory fits a query: the sum of a few named parts, all on the scale of a cosine.

    dense      cosine of query and memory: the same meaning, without names
    lexical    BM25 among the memories searched, as a share of the best one's: the same words
    speaker    the query names who said it
    entity     the query names whom or what it mentions, the more telling the rarer
    date       the query names a time, and it was said then
    told       or it tells of that time
    neighbour  how well the memories before and after it fit
    answer     how well the question fits that it answers
    session    how well the best memory of its session fits
    past       it holds no more (`core.validity`); below zero
    replaces   how well the best of what it replaced fits
    doubted    it was rated wrong; below zero
    recent     how new it is, half for each 30 days; a tenth unless the query asks for that
    important  what whoever stored it said, half for each year
    similar    something above it in the list means nearly the same; below zero
    repeated   something above it in the list says the same; below zero

Those from `neighbour` to `replaces`, but for `past`, look at how well *what is said* fits (`dense +
lexical + entity + date + told`, never below zero), whoever says it. Fitting the weights with each
conversation left out in turn gains next to nothing over these: `docs/adr/0017-ranking-whole.md`. On
`past` and `replaces` see `docs/adr/0018-what-holds.md`, on `doubted`, and on weights of one person,
`docs/adr/0021-feedback.md`, on `told` and the last four `docs/adr/0019-time-and-variety.md`.

Rules:
- Pure and deterministic: of equal scores the newer memory comes first. Age is counted in whole
  days, so that what is asked twice on a day is answered alike.
- The parts of a hit add up to its score.
- Monotone: where a memory fits better by itself, no other memory gains more by it than this one,
  but for what the list takes (`core.variety`). Of two that differ in their day or importance alone
  the newer and the more important one gets more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from memory.core.corpus import Corpus
from memory.core.dates import QueryDates
from memory.core.values import Vector
from memory.core.variety import MAX_COMPARED, varied

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weights:
    """What each part counts; 0 switches it off."""

    dense: float = 1.0
    lexical: float = 0.25
    speaker: float = 0.30
    entity: float = 0.05
    date: float = 0.20
    told: float = 0.20
    neighbour: float = 0.10
    answer: float = 0.20
    session: float = 0.30
    past: float = 0.20
    replaces: float = 0.65
    doubted: float = 2.0
    recent: float = 0.10
    important: float = 0.10
    similar: float = 0.20
    repeated: float = 0.50


WEIGHTS: Final = Weights()

PARTS: Final = tuple(field.name for field in fields(Weights))

RECENT_DAYS: Final = 30.0
IMPORTANT_DAYS: Final = 365.0
"""Half-lives."""

UNASKED: Final = 0.1
"""What being recent counts where the query does not ask for it."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: an exact unit vector, shape (d,), and what the words of it say.

    `at` is the time by which something holds or holds no more; None when the query is about what
    held before, and both count alike. `asked` is the day from which age is counted; None when
    nothing is old.
    """

    vector: Vector
    terms: tuple[str, ...]
    entities: frozenset[str]
    dates: QueryDates
    at: datetime | None = None
    asked: date | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A memory by its row, with its score and what that is made of."""

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
    query: Query,
    corpus: Corpus,
    limit: int,
    *,
    among: Sequence[int] | None = None,
    weights: Weights = WEIGHTS,
) -> list[Ranked]:
    """The best `limit` memories, best first: of all, or of the rows `among`.

    What is left out by `among` still counts as a neighbour and in its session.
    """
    rows = np.arange(len(corpus)) if among is None else np.asarray(among, np.int64)
    if not len(rows):
        return []
    parts = score_parts(query, corpus, weights)
    scores = parts.sum(axis=0)
    mine = scores[rows]
    looked_at = limit + MAX_COMPARED
    if looked_at < len(rows):
        least = np.partition(mine, len(rows) - looked_at)[len(rows) - looked_at]
        rows = rows[mine >= least]
    order = rows[np.lexsort((-corpus.seqs[rows], -scores[rows]))]
    best = varied(
        corpus,
        scores,
        order.tolist(),
        limit,
        similar=weights.similar,
        repeated=weights.repeated,
    )
    points = parts[:, [one.row for one in best]].T.tolist()
    return [
        Ranked(
            one.row,
            one.score,
            tuple(zip(PARTS, (*alone, one.similar, one.repeated), strict=True)),
        )
        for one, alone in zip(best, points, strict=True)
    ]


def score_parts(query: Query, corpus: Corpus, weights: Weights = WEIGHTS) -> Points:
    """What each of `PARTS` gives each memory, shape (parts, n), but for the last two: those depend
    on the list that it stands in.
    """
    dense = weights.dense * cosines(corpus.matrix, query.vector).astype(np.float64)
    lexical = weights.lexical * _share_of_best(corpus.words.bm25(query.terms))
    entity = weights.entity * corpus.entities.told(query.entities)
    then, told = _dates(query.dates, corpus)
    then, told = weights.date * then, weights.told * told
    said = np.maximum(dense + lexical + entity + then + told, 0.0)
    return np.stack(
        [
            dense,
            lexical,
            weights.speaker * _said_by(query.entities, corpus),
            entity,
            then,
            told,
            *around(said, corpus, weights),
            *replaced(said, corpus, query.at, weights),
            -weights.doubted * corpus.doubted,
            *aged(query, corpus, weights),
        ]
    )


def aged(query: Query, corpus: Corpus, weights: Weights = WEIGHTS) -> tuple[Points, Points]:
    """`recent` and `important`, each shape (n,)."""
    age = np.zeros(len(corpus))
    if query.asked is not None:
        age = np.maximum(query.asked.toordinal() - corpus.day, 0)
    asked_for = 1.0 if query.dates.recent else UNASKED
    return (
        weights.recent * asked_for * np.exp2(-age / RECENT_DAYS),
        weights.important * corpus.importance * np.exp2(-age / IMPORTANT_DAYS),
    )


def replaced(
    said: Points, corpus: Corpus, at: datetime | None, weights: Weights = WEIGHTS
) -> tuple[Points, Points]:
    """`past` and `replaces`, each shape (n,), out of how well each memory fits."""
    past, replaces = np.zeros_like(said), np.zeros_like(said)
    if at is not None:
        over = corpus.validity.over(at)
        past[over] = -weights.past
        by = corpus.validity.holds[over]
        np.maximum.at(replaces, by, weights.replaces * said[over])
        replaces[over] = 0.0
    return past, replaces


def around(said: Points, corpus: Corpus, weights: Weights = WEIGHTS) -> tuple[Points, ...]:
    """`neighbour`, `answer` and `session`, each shape (n,), out of how well each memory fits."""
    before, after, best = np.zeros_like(said), np.zeros_like(said), np.zeros(corpus.sessions)
    (rows,) = np.nonzero(corpus.before >= 0)
    neighbours = corpus.before[rows]
    before[rows], after[neighbours] = said[neighbours], said[rows]
    np.maximum.at(best, corpus.session, said)
    return (
        weights.neighbour * (before + after),
        weights.answer * before * corpus.answers,
        weights.session * best[corpus.session],
    )


def _share_of_best(scores: Points) -> Points:
    best = float(scores.max())
    return scores / best if best > 0 else scores


def _said_by(names: frozenset[str], corpus: Corpus) -> NDArray[np.bool_]:
    said = np.zeros(len(corpus), np.bool_)
    for name in names & corpus.speakers.keys():
        said |= corpus.said_by == corpus.speakers[name]
    return said


def _dates(dates: QueryDates, corpus: Corpus) -> tuple[Points, Points]:
    """How well the time fits at which each memory was said, and how much better one it tells of."""
    told = np.zeros(len(corpus))
    if not dates:
        return told, told
    then = dates.match(corpus.day, corpus.day)
    rows, first, last = corpus.told.T
    np.maximum.at(told, rows, dates.match(first, last))
    return then, np.maximum(told - then, 0.0)
