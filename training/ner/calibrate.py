"""Choosing the thresholds on dev data: as much recall as the precision goals allow.

The scores of every dev text are computed once; then each label's threshold is swept over a grid.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from memory.adapters.ner_model import Judged, NerModel, decide, read_settings
from memory.adapters.ner_words import fold
from training.ner.data import Row
from training.ner.evaluate import Counts, score_rows
from training.ner.labels import LABELS

WINDOW, OVERLAP = 126, 24
GRID = (0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.17, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7,
        0.8)  # fmt: skip
"""Thresholds tried."""

FIXED = {"PERSON": 0.5}
"""Web text hardly tells 0.4 from 0.5 for a known name; "at dawn" and "the baker" do: of 3,000 plain
sentences, people were found in 15 and in 5."""

LEAST_PRECISION = {"LOCATION": 0.64, "ORGANIZATION": 0.51}
"""On web text, cased and lower-cased: a label gets the lowest threshold that keeps this."""

SOME = 0.85
"""A word whose probability of having some label reaches this is tagged with the likeliest."""

HANDLE = 0.2
"""The same for the words of a handle."""

BESIDE = 0.4
"""A word beside a tagged one needs this share of its label's threshold."""

UNLISTED = {"PERSON": 0.65}
"""A word that the lexicon could know and does not: on dev text, most of those called people with
less are none."""

PLACES = {"LOCATION": 0.03}
"""A word that the lexicon knows as a place, among others."""

ONLY_PLACES = {"PERSON": 0.9}
"""A word that it knows as a place and as nothing else."""

ORDINARY = {"PERSON": 0.98}
"""A word that it knows as no name ("cumin")."""

COMPANIES = {"PERSON": 0.98}
"""A word that it knows as an organisation, and hardly as anybody's name."""

ACCENTED = {"PERSON": 0.35}
"""A word with an accent: ordinary ones ("café", "déjà") stay below."""


@dataclass(frozen=True)
class Scored:
    """A row with the model's word probabilities."""

    row: Row
    folded: str
    judged: Judged


def write_settings(folder: Path, thresholds: Mapping[str, float]) -> None:
    """Write ``ner.json``."""
    settings = {
        "labels": list(LABELS),
        "thresholds": dict(thresholds),
        "unlisted": UNLISTED,
        "places": PLACES,
        "only_places": ONLY_PLACES,
        "accented": ACCENTED,
        "ordinary": ORDINARY,
        "companies": COMPANIES,
        "beside": {label: round(value * BESIDE, 4) for label, value in thresholds.items()},
        "some": SOME,
        "handle": HANDLE,
        "window": WINDOW,
        "overlap": OVERLAP,
    }
    text = json.dumps(settings, indent=2) + "\n"
    (folder / "ner.json").write_text(text, encoding="utf-8")


def score_all(model: NerModel, rows: Sequence[Row]) -> list[Scored]:
    """Run the model over rows."""
    scored = []
    for row in rows:
        folded = fold(row.text)
        scored.append(Scored(row, folded, model.judge(folded)))
    return scored


def figures(scored: Sequence[Scored], folder: Path) -> dict[str, Counts]:
    """Figures of scored rows under the settings in ``folder``."""
    settings = read_settings(folder / "ner.json")
    return score_rows((one.row, decide(one.folded, one.judged, settings)) for one in scored)


def choose(web: Sequence[Scored], folder: Path) -> dict[str, float]:
    """Choose each label's threshold on web text, cased and lower-cased, and write the settings."""
    chosen = {**FIXED}
    for value in GRID:
        write_settings(
            folder, FIXED | {label: chosen.get(label, value) for label in LEAST_PRECISION}
        )
        counts = figures(web, folder)
        for label, least in LEAST_PRECISION.items():
            if label not in chosen and counts[label].precision >= least:
                chosen[label] = value
    thresholds = FIXED | {label: chosen.get(label, GRID[-1]) for label in LEAST_PRECISION}
    write_settings(folder, thresholds)
    return thresholds
