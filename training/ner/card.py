"""The model card's tables, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping

from training.ner.evaluate import Counts
from training.ner.labels import LABELS


def figures_table(figures: Mapping[str, Mapping[str, Counts]]) -> str:
    """Precision, recall, recall under any label and F2, one row a dev set and label."""
    lines = [
        "| dev set | label | spans | precision | recall | masked | F2 |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for name, counts in sorted(figures.items()):
        for label in LABELS[1:]:
            one = counts.get(label, Counts())
            if one.gold:
                lines.append(
                    f"| {name} | {label} | {one.gold} | {one.precision:.3f} | {one.recall:.3f} "
                    f"| {one.recall_any:.3f} | {one.f2:.3f} |"
                )
    return "\n".join(lines)


def origin_table(figures: Mapping[str, Mapping[str, Counts]]) -> str:
    """PERSON recall by origin of the names, worst first, and the spread."""
    recalls = {name: counts["PERSON"] for name, counts in figures.items()}
    lines = ["| origin | spans | PERSON recall |", "|---|--:|--:|"]
    for name, one in sorted(recalls.items(), key=lambda item: item[1].recall):
        lines.append(f"| {name} | {one.gold} | {one.recall:.3f} |")
    values = [one.recall for one in recalls.values()]
    return "\n".join(
        [*lines, "", f"Spread between best and worst: {max(values) - min(values):.3f}"]
    )
