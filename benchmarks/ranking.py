"""What each part of the ranking is worth, and whether its weight is well chosen.

    python -m benchmarks.ranking --data FOLDER --json FILE

Stores the conversations in FOLDER through gRPC and recalls each question once, for 100 memories
with the parts of their scores (`RecallHit.parts`). From these alone the order is made again

- without each part, and with each part at half and at twice its weight;
- with the weights that fit best on all other conversations, for each conversation in turn
  (leave one out): what is left of a gain there does not come from knowing the answers.

The rows are comparable among each other; `benchmarks.retrieval` asks for 50 and is what counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from benchmarks.conversations import Conversation, Question, read_folder
from benchmarks.frame import Figure, parser, publish, table
from benchmarks.quality import NAMES, SHORT_NAMES, Answer, Metrics, mean
from benchmarks.retrieval import progress, store
from benchmarks.server import tacit_server

LIMIT: Final = 100
"""The most that one recall returns."""

FACTORS: Final = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
"""What a weight may be multiplied with when fitting."""

_AIM: Final = ("recall@5", "recall@10", "recall@20", "mrr")
_ROUNDS: Final = 3

Weights = dict[str, float]
"""A factor for each part; 1 is the weight as it is."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """One question's hits: ids, and points of each part, shape (hits, parts)."""

    conversation: str
    category: str
    evidence: frozenset[str]
    ids: Sequence[str]
    points: NDArray[np.float64]

    def answer(self, factors: NDArray[np.float64]) -> Answer:
        """The order with the parts multiplied by `factors`, shape (parts,)."""
        order = np.argsort(-(self.points @ factors), kind="stable")
        found = [self.ids[i] for i in order]
        return Answer(self.conversation, self.category, found, self.evidence)


@dataclass(frozen=True, slots=True)
class Trial:
    """All questions, to be ordered again and again."""

    parts: Sequence[str]
    recalled: Sequence[Recalled]

    def score(self, weights: Mapping[str, float], *, without: str = "", only: str = "") -> Metrics:
        """Metrics with these factors, over all conversations, all but one, or only one."""
        factors = np.array([weights.get(part, 1.0) for part in self.parts])
        return mean(
            r.answer(factors)
            for r in self.recalled
            if r.conversation != without and (not only or r.conversation == only)
        )


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser(__doc__, data="folder of conversation files (*.json)").parse_args(arguments)
    trial = recall_all(read_folder(options.data))
    rows = {name: trial.score(weights) for name, weights in variants(trial.parts)}
    fits = leave_one_out(trial)
    if fits:
        rows["fitted on the other conversations"] = held_out(trial, fits)
    results = {"rows": rows, "fits": fits, "questions": len(trial.recalled)}
    publish("ranking", options, results, tables(trial, rows, fits))


def recall_all(conversations: Sequence[Conversation]) -> Trial:
    """Every question over gRPC, with the parts of every hit."""
    asked: list[tuple[str, Question, list[str], list[dict[str, float]]]] = []
    with tacit_server() as server:
        client = server.client()
        for place, conversation in enumerate(conversations):
            person = f"person-of-conversation-{place}"
            ids = store(client, person, conversation)
            client.wait_until_indexed()
            for question in conversation.questions:
                hits = client.hits(person, question.text, LIMIT).hits
                points = [{part.name: part.points for part in hit.parts} for hit in hits]
                found = [ids[hit.memory.name] for hit in hits]
                asked.append((conversation.name, question, found, points))
            progress(f"{conversation.name}: {len(conversation.questions)} questions")
        client.close()
    parts = list(dict.fromkeys(name for *_, hits in asked for hit in hits for name in hit))
    return Trial(
        parts,
        [
            Recalled(name, question.category, question.evidence, found, as_matrix(points, parts))
            for name, question, found, points in asked
        ],
    )


def as_matrix(hits: Sequence[Mapping[str, float]], parts: Sequence[str]) -> NDArray[np.float64]:
    """Shape (hits, parts); a part that a hit lacks gave it nothing."""
    rows = [[hit.get(part, 0.0) for part in parts] for hit in hits]
    return np.array(rows, np.float64).reshape(len(hits), len(parts))


def variants(parts: Sequence[str]) -> Iterator[tuple[str, Weights]]:
    """As it is, then each part switched off, halved and doubled."""
    yield "all parts", {}
    for part in parts:
        yield f"without {part}", {part: 0.0}
    for part in parts[1:]:
        yield f"{part} x 0.5", {part: 0.5}
        yield f"{part} x 2", {part: 2.0}


def leave_one_out(trial: Trial) -> dict[str, Weights]:
    """For each conversation the factors that fit all others; empty with fewer than three."""
    names = sorted({r.conversation for r in trial.recalled})
    if len(names) < 3:
        return {}
    return {name: fit(trial, without=name) for name in names}


def fit(trial: Trial, without: str) -> Weights:
    """Factors by coordinate search; the first part stays as it is and sets the scale."""
    weights = dict.fromkeys(trial.parts, 1.0)
    best = _aim(trial.score(weights, without=without))
    for _ in range(_ROUNDS):
        before = best
        for part in trial.parts[1:]:
            for factor in FACTORS:
                tried = weights | {part: factor}
                reached = _aim(trial.score(tried, without=without))
                if reached > best:
                    best, weights = reached, tried
        if best == before:
            break
    return weights


def held_out(trial: Trial, fits: Mapping[str, Weights]) -> Metrics:
    """Each conversation under the factors it had no part in; questions weigh alike."""
    counts = {name: sum(r.conversation == name for r in trial.recalled) for name in fits}
    scores = {name: trial.score(weights, only=name) for name, weights in fits.items()}
    total = sum(counts.values())
    return {
        metric: sum(scores[name][metric] * counts[name] for name in fits) / total
        for metric in NAMES
    }


def _aim(metrics: Metrics) -> float:
    return sum(metrics[name] for name in _AIM)


def tables(trial: Trial, rows: Mapping[str, Metrics], fits: Mapping[str, Weights]) -> list[Table]:
    """The variants, then the fitted factors."""
    shown: list[list[Figure]] = [
        [name, *(metrics[metric] for metric in NAMES)] for name, metrics in rows.items()
    ]
    made = [table(f"Ranking, {len(trial.recalled)} questions", ["", *SHORT_NAMES], shown)]
    if fits:
        factors: list[list[Figure]] = [
            [name, *(weights[part] for part in trial.parts)] for name, weights in fits.items()
        ]
        made.append(table("Factors fitted without", ["conversation", *trial.parts], factors))
    return made


if __name__ == "__main__":
    main()
