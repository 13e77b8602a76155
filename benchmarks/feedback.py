"""Whether ratings help the one who gives them.

    python -m benchmarks.feedback --data FOLDER --json FILE

For each conversation in FOLDER, half of its questions are asked one after the other; of the ten
hits shown, gold evidence is rated useful and the first other hit not useful, and the next question
is asked under the weights that come of it (`core.feedback`). The other half is then asked with and
without what was learnt. Both halves take both parts, for several ways to divide them.

Weights that fit everyone leave a person little to learn, so it is done again where they do not fit:
with some halved or doubled to begin with, as they would be for someone unlike those whom the
weights were made for. What comes back of the loss is what feedback is good for.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from rich.table import Table

from benchmarks.conversations import read_folder
from benchmarks.frame import Figure, parser, progress, publish, table
from benchmarks.quality import DEPTH, Answer, mean
from benchmarks.ranking import Asked, Ranking, Trial, gather
from memory.core.feedback import TUNED, Feedback, Rated, Rating, standings
from memory.core.ranking import WEIGHTS, Weights, rank

SHOWN: Final = 10
"""Hits of which the person rates some."""

BEGINNINGS: Final[Mapping[str, Mapping[str, float]]] = {
    "as they are": {},
    "lexical x 0.5": {"lexical": 0.5},
    "lexical x 2": {"lexical": 2.0},
    "speaker x 0.5": {"speaker": 0.5},
    "speaker x 2": {"speaker": 2.0},
    "date x 0.5": {"date": 0.5},
    "session x 0.5": {"session": 0.5},
    "session x 2": {"session": 2.0},
    "all x 0.5": dict.fromkeys(TUNED, 0.5),
    "all x 2": dict.fromkeys(TUNED, 2.0),
    "lexical x 2, speaker x 0.5": {"lexical": 2.0, "speaker": 0.5},
}
"""Factors of the weights that everybody has before anybody rates."""

WAYS: Final = 3
"""In which the questions are divided."""

METRICS: Final = ("recall@5", "recall@10", "mrr")
_BEGUN: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Answers to the same questions without and with what was learnt, and how much that was."""

    without: Sequence[Answer]
    learnt: Sequence[Answer]
    ratings: float
    factors: Mapping[str, float]


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser(__doc__, data="folder of conversation files (*.json)").parse_args(arguments)
    trial = gather(read_folder(options.data))
    seeds = range(options.seed, options.seed + WAYS)
    outcomes = {}
    for name, factors in BEGINNINGS.items():
        outcomes[name] = learn(trial, times(factors), seeds)
        progress(name)
    publish("feedback", options, results(outcomes), tables(outcomes))


def times(factors: Mapping[str, float]) -> Weights:
    """The weights of everybody, but for these factors."""
    return replace(WEIGHTS, **{part: f * getattr(WEIGHTS, part) for part, f in factors.items()})


def results(outcomes: Mapping[str, Outcome]) -> dict[str, object]:
    """The figures of each beginning."""
    return {
        name: {
            "without": mean(one.without),
            "learnt": mean(one.learnt),
            "ratings": one.ratings,
            "factors": dict(one.factors),
        }
        for name, one in outcomes.items()
    }


def tables(outcomes: Mapping[str, Outcome]) -> list[Table]:
    """What is found without and with what was learnt, and the mean of what was learnt."""
    found: list[list[Figure]] = []
    for name, one in outcomes.items():
        without, learnt = mean(one.without), mean(one.learnt)
        found.append([name, *(of[metric] for metric in METRICS for of in (without, learnt))])
    columns = [f"{metric}{of}" for metric in METRICS for of in ("", ", learnt")]
    factors: list[list[Figure]] = [
        [name, one.ratings, *(one.factors[part] for part in TUNED)]
        for name, one in outcomes.items()
    ]
    return [
        table("Found by one who rated", ["weights", *columns], found),
        table("What was learnt: factors", ["weights", "ratings", *TUNED], factors),
    ]


def learn(trial: Trial, everyones: Weights, seeds: Sequence[int]) -> Outcome:
    """Over all conversations and ways to divide their questions."""
    without: list[Answer] = []
    learnt: list[Answer] = []
    taught = []
    for ranking in trial.rankings:
        for rated, asked in halves(ranking.asked, seeds):
            feedback = rate(ranking, rated, everyones)
            taught.append(feedback)
            without += [answer(ranking, one, everyones) for one in asked]
            learnt += [answer(ranking, one, own(everyones, feedback)) for one in asked]
    factors = {p: float(np.mean([one.factors[p] for one in taught])) for p in TUNED}
    return Outcome(without, learnt, float(np.mean([len(f.ratings) for f in taught])), factors)


def halves(
    questions: Sequence[Asked], seeds: Sequence[int]
) -> Iterator[tuple[Sequence[Asked], Sequence[Asked]]]:
    """To rate and to ask; each half is both."""
    for seed in seeds:
        order = list(questions)
        random.Random(seed).shuffle(order)
        first, second = order[: len(order) // 2], order[len(order) // 2 :]
        yield first, second
        yield second, first


def rate(ranking: Ranking, questions: Sequence[Asked], everyones: Weights) -> Feedback:
    """What one who knows the evidence says, question by question."""
    feedback = Feedback()
    for number, asked in enumerate(questions):
        weights = own(everyones, feedback)
        hits = rank(asked.query, ranking.corpus, SHOWN, weights=weights)
        stood = standings(np.array([[points for _, points in hit.parts] for hit in hits]))
        good = [ranking.ids[hit.index] in asked.evidence for hit in hits]
        worst = good.index(False) if False in good else -1
        feedback = feedback.rated(
            *(
                Rated(
                    ranking.corpus.heads[hit.index].id,
                    1,
                    rating := Rating.USEFUL if good[place] else Rating.NOT_USEFUL,
                    _BEGUN + timedelta(minutes=number),
                    stood[place].steps(rating),
                )
                for place, hit in enumerate(hits)
                if good[place] or place == worst
            )
        )
    return feedback


def own(everyones: Weights, feedback: Feedback) -> Weights:
    """The person's weights, where everybody has these."""
    return replace(
        everyones, **{part: f * getattr(everyones, part) for part, f in feedback.factors.items()}
    )


def answer(ranking: Ranking, asked: Asked, weights: Weights) -> Answer:
    """What a question finds."""
    found = [
        ranking.ids[h.index] for h in rank(asked.query, ranking.corpus, DEPTH, weights=weights)
    ]
    return Answer(ranking.name, asked.category, found, asked.evidence)


if __name__ == "__main__":
    main()
