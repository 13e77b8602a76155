"""How good a ranking is, given which memories hold the evidence.

    recall@k   share of a question's evidence among the first k, averaged over questions
    ndcg@10    gain 1 for each evidence memory, discount 1/log2(place + 1), ideal = 1
    mrr        1 / place of the first evidence memory; 0 when it is not among the first `DEPTH`

Rules:
- Every system is asked for `DEPTH` memories, and scored on those alone.
- Questions without evidence among the stored memories are left out for all systems alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

DEPTH: Final = 50
CUTS: Final = (5, 10, 20, 50)
NAMES: Final = (*(f"recall@{k}" for k in CUTS), "ndcg@10", "mrr")
SHORT_NAMES: Final = (*(f"r@{k}" for k in CUTS), "ndcg@10", "mrr")

Metrics = dict[str, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system returned for one question, best first, and what it should have found."""

    conversation: str
    category: str
    found: Sequence[str]
    evidence: Set[str]


def score(answer: Answer) -> Metrics:
    """The metrics of one question, by name."""
    found = list(dict.fromkeys(answer.found))[:DEPTH]
    places = [place for place, id_ in enumerate(found, start=1) if id_ in answer.evidence]
    wanted = len(answer.evidence)
    metrics = {f"recall@{k}": sum(p <= k for p in places) / wanted for k in CUTS}
    ideal = sum(1 / math.log2(place + 1) for place in range(1, min(wanted, 10) + 1))
    gained = sum(1 / math.log2(place + 1) for place in places if place <= 10)
    metrics["ndcg@10"] = gained / ideal
    metrics["mrr"] = 1 / places[0] if places else 0.0
    return metrics


def mean(answers: Iterable[Answer]) -> Metrics:
    """The metrics averaged over questions; empty for none."""
    scored = [score(answer) for answer in answers]
    if not scored:
        return {}
    return {name: sum(s[name] for s in scored) / len(scored) for name in NAMES}


def summary(answers: Sequence[Answer]) -> dict[str, object]:
    """Overall metrics, and the same under `categories` and `conversations`."""
    return {
        **mean(answers),
        "questions": len(answers),
        "categories": _grouped({a.category for a in answers}, answers, "category"),
        "conversations": _grouped({a.conversation for a in answers}, answers, "conversation"),
    }


def _grouped(keys: Set[str], answers: Sequence[Answer], field: str) -> Mapping[str, object]:
    groups = {key: [a for a in answers if getattr(a, field) == key] for key in sorted(keys)}
    return {key: {**mean(group), "questions": len(group)} for key, group in groups.items()}
