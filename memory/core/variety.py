"""A list of memories that does not say one thing over and over.

    0.91  person_1: I love hiking in the mountains.
    0.74  person_1: The hut above the lake was full.
    0.38  person_1: I really love hiking in mountains!      0.88 - 0.5

It is made from the top, each place going to the best that is left. For what stands above it a
memory loses

    similar    what means nearly the same, of the same speaker and names: nothing up to a cosine of
               0.8, all of the weight at 1 (MMR: Carbonell & Goldstein, SIGIR 1998)
    repeated   what says the same (`core.saying`), of the same speaker

Rules:
- What loses stands further down and is not left out: who asks for more finds it there. A shorter
  list is the beginning of a longer one.
- Bounded: only what comes near the places asked for is looked at, at most `MAX_COMPARED` times.
  From then on nothing is lost any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memory.core.corpus import Corpus

MAX_COMPARED: Final = 200

_ALIKE: Final = 0.8


class Varied(NamedTuple):
    """A memory by its row, its score in the list, and what it lost there: zero or less."""

    row: int
    score: float
    similar: float
    repeated: float


class _Waiting(NamedTuple):
    """What stands in line: the best score first, of equals the newest. `seen` is how many of its
    kin it was compared with; -1 when nobody has looked at it.
    """

    score: float
    seq: int
    row: int
    seen: int
    similar: float = 0.0
    repeated: float = 0.0


def varied(
    corpus: Corpus,
    scores: NDArray[np.float64],
    order: Sequence[int],
    limit: int,
    *,
    similar: float,
    repeated: float,
) -> list[Varied]:
    """The best `limit` of the rows `order`, best first.

    Args:
        scores: of all rows of the corpus, shape (n,); `order` stands by them.
        similar, repeated: what each may take.
    """
    chosen: list[Varied] = []
    kin: defaultdict[int, list[int]] = defaultdict(list)
    said: set[int] = set()
    fresh = iter(order)
    line: list[_Waiting] = []

    def queue_next() -> None:
        for row in fresh:
            heappush(line, _Waiting(-float(scores[row]), -int(corpus.seqs[row]), row, -1))
            return

    queue_next()
    compared = 0
    while line and len(chosen) < limit:
        best = heappop(line)
        if best.seen < 0:
            queue_next()
        row, others = best.row, kin[int(corpus.kin[best.row])]
        if len(others) > max(best.seen, 0) and compared < MAX_COMPARED:
            compared += 1
            near = _nearest(corpus, row, others[max(best.seen, 0) :])
            lost = min(best.similar, -similar * near)
            again = -repeated if int(corpus.says[row]) in said else 0.0
            score = float(scores[row]) + lost + again
            lowered = _Waiting(-score, best.seq, row, len(others), lost, again)
            if lowered.score > best.score:
                heappush(line, lowered)
                continue
        chosen.append(Varied(row, -best.score, best.similar, best.repeated))
        others.append(row)
        said.add(int(corpus.says[row]))
    return chosen


def _nearest(corpus: Corpus, row: int, others: Sequence[int]) -> float:
    """0..1: how near in meaning the nearest of the others is."""
    cosine = float(np.vecdot(corpus.matrix[others], corpus.matrix[row]).max())
    return min(max((cosine - _ALIKE) / (1 - _ALIKE), 0.0), 1.0)
