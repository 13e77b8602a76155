"""How much personal data detection finds, how much it invents, what leaks, and how long it takes.

    python -m benchmarks.detection [--data DIR] --json FILE

DIR holds span files `*.jsonl` (see `benchmarks.span_files`). Results: per file stem, per entity
type `precision`, `recall`, `f2`, `masked`, `support`; per file `masked`, `leaked_per_1000`,
`invented`, `ms_p50`, `ms_p95`, `texts` (see `benchmarks.span_scores` for what each means). Beside
the files stand `made_identifiers`: texts made by the seed (`benchmarks.identifiers`), and
`ordinary_words` (`benchmarks.ordinary`). The detector runs with profile `strict` unless told
otherwise, as `direct` leaves places and organizations alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks import frame, identifiers, ordinary
from benchmarks.span_files import Labelled, files, read
from benchmarks.span_scores import Scores
from memory.adapters.detection.analyzer import PresidioDetector
from memory.adapters.detection.catalogue import Catalogue
from memory.adapters.detection.shipped import shipped_model
from memory.core.policy import PROFILES
from memory.core.values import RawText

WARM_UP = 20


def main(argv: Sequence[str] | None = None) -> None:
    parser = frame.parser(__doc__)
    parser.add_argument("--data", type=Path, help="folder of span files (*.jsonl)")
    parser.add_argument("--limit", type=int, help="so many texts of each file")
    parser.add_argument("--profile", choices=PROFILES, default="strict")
    options = parser.parse_args(argv)
    detector = PresidioDetector(Catalogue(shipped_model()), PROFILES[options.profile])
    results = {
        file.stem: measure(detector, read(file, options.limit))
        for file in (files(options.data) if options.data else ())
    }
    results["made_identifiers"] = measure(detector, identifiers.texts(options.seed))
    results["ordinary_words"] = measure(detector, ordinary.texts())
    frame.publish("detection", options, results, tables(results))


def measure(detector: PresidioDetector, texts: Sequence[Labelled]) -> dict[str, Any]:
    for row in texts[:WARM_UP]:
        detector.detect(RawText(row.text))
    scores, times = Scores(), []
    for row in texts:
        started = time.perf_counter()
        finds = detector.detect(RawText(row.text))
        times.append(1000 * (time.perf_counter() - started))
        scores.add(row, finds)
    p50, p95 = np.percentile(times, [50, 95]) if times else (0.0, 0.0)
    return {
        **scores.figures(),
        "masked": scores.masked(),
        "leaked_per_1000": scores.leaked_per_1000(),
        "invented": scores.invented(),
        "ms_p50": float(p50),
        "ms_p95": float(p95),
        "texts": len(texts),
    }


def tables(results: Mapping[str, Mapping[str, Any]]) -> list[Table]:
    """One table a file by entity type, then one of all files."""
    columns = ["spans", "precision", "recall", "F2", "masked"]
    made = [
        frame.table(
            stem,
            ["type", *columns],
            [
                [name, f["support"], f["precision"], f["recall"], f["f2"], f["masked"]]
                for name, f in figures.items()
                if isinstance(f, dict)
            ],
        )
        for stem, figures in results.items()
    ]
    per_file = ["texts", "masked", "leaked_per_1000", "invented", "ms_p50", "ms_p95"]
    rows = [[stem, *(figures[key] for key in per_file)] for stem, figures in results.items()]
    heads = ["file", "texts", "masked", "leaked/1000", "invented", "ms p50", "ms p95"]
    return [*made, frame.table("Files", heads, rows)]


if __name__ == "__main__":
    main()
