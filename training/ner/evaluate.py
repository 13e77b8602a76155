"""Figures on held-out text, by the rule that matters for privacy.

A gold span counts as found when at least 60 % of its characters are masked under its own label
(``recall``) or under any (``recall_any``). A found span counts as right when at least 60 % of it,
or of a gold span of its label that it touches, is in both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from training.ner.data import Row

FOUND = 0.6

_GOLD = {"PERSON": "PERSON", "LOCATION": "LOCATION", "ORGANIZATION": "ORGANIZATION",
         "STREET_ADDRESS": "LOCATION"}  # fmt: skip


@dataclass
class Counts:
    """What was found of one label."""

    gold: int = 0
    found: int = 0
    masked: int = 0
    predicted: int = 0
    right: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Share of gold spans found under their label."""
        return self.found / self.gold if self.gold else 1.0

    @property
    def recall_any(self) -> float:
        """Share of gold spans masked under any label."""
        return self.masked / self.gold if self.gold else 1.0

    @property
    def precision(self) -> float:
        """Share of found spans that are right."""
        return self.right / self.predicted if self.predicted else 1.0

    @property
    def f2(self) -> float:
        """F-score that weighs recall twice."""
        p, r = self.precision, self.recall
        return 5 * p * r / (4 * p + r) if p + r else 0.0


def score_rows(
    rows: Iterable[tuple[Row, Sequence[tuple[int, int, str, float]]]],
) -> dict[str, Counts]:
    """Score what was found in each row, by label."""
    counts: dict[str, Counts] = defaultdict(Counts)
    for row, found in rows:
        gold = [(s, e, _GOLD[kind]) for s, e, kind in row.spans if kind in _GOLD]
        score_text(row.text, gold, found, counts)
    return counts


def score_text(
    text: str,
    gold: Sequence[tuple[int, int, str]],
    found: Sequence[tuple[int, int, str, float]],
    counts: dict[str, Counts],
) -> None:
    """Add one text's spans to ``counts``."""
    everything = _cover(text, [f[:2] for f in found])
    by_label = {label: _cover(text, [f[:2] for f in found if f[2] == label]) for label in _GOLD}
    for start, end, label in gold:
        count = counts[label]
        count.gold += 1
        count.masked += sum(everything[start:end]) >= FOUND * (end - start)
        if sum(by_label[label][start:end]) >= FOUND * (end - start):
            count.found += 1
        else:
            count.missed.append(_shown(text, start, end))
    for start, end, label, _ in found:
        count = counts[label]
        count.predicted += 1
        if any(label == other and _same(start, end, s, e) for s, e, other in gold):
            count.right += 1
        else:
            count.wrong.append(_shown(text, start, end))


def _same(start: int, end: int, gold_start: int, gold_end: int) -> bool:
    shared = min(end, gold_end) - max(start, gold_start)
    return shared >= FOUND * min(end - start, gold_end - gold_start)


def _shown(text: str, start: int, end: int) -> str:
    return f"{text[max(0, start - 40) : start]}[[{text[start:end]}]]{text[end : end + 30]}"


def _cover(text: str, places: Iterable[tuple[int, int]]) -> bytearray:
    covered = bytearray(len(text))
    for start, end in places:
        covered[start:end] = b"\1" * (end - start)
    return covered


def lower(rows: Iterable[Row]) -> list[Row]:
    """The same rows without capitals (only where that keeps the offsets)."""
    return [
        Row(row.id, row.text.lower(), row.spans)
        for row in rows
        if len(row.text.lower()) == len(row.text)
    ]
