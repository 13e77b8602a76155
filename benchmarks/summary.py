"""docs/benchmarks.md, from the results that benchmarks wrote.

    python -m benchmarks.summary [--results benchmarks/results] [--page docs/benchmarks.md]

Rules:
- Every figure comes from a file of results, with the commit, machine, seed and date of its run.
- A benchmark without results there is named as not run; a figure that a file lacks stops the page.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.__main__ import SUITE
from benchmarks.frame import ROOT

FIGURES: Final[Mapping[str, Mapping[str, str]]] = {
    "latency": {
        "ratio.recall_p50": "Recall, median, over plain Chroma's query",
        "ratio.store_p50": "Store, median, over plain Chroma's add",
        "ratio.throughput_16": "recalls a second over plain Chroma's, sixteen callers",
        "tacit.recall.p50_ms": "Recall, p50, ms",
        "tacit.store.p50_ms": "Store, p50, ms",
    },
    "scale": {
        "people_ratio_p95": "Recall, p95, most people over fewest",
        "fit.disk.each_memory": "disk for a memory, bytes",
        "fit.disk.each_person": "and for a person",
        "fit.resident.fixed": "memory of a server, bytes",
        "fit.resident.each_memory": "for each memory that was recalled among",
        "fit.resident.each_person": "for each person with a collection open",
        "growth.recall_with_memories": "exponent of Recall's p50 over one person's memories",
        "growth.recall_with_people": "exponent of Recall's p50 over people",
        "growth.store_with_memories": "exponent of Store's p50 over one person's memories",
        "growth.store_with_people": "exponent of Store's p50 over people",
    },
    "soak": {
        "seconds": "length, s",
        "resident_mb.slope_per_hour": "memory, MB an hour",
        "files.slope_per_hour": "file handles an hour",
        "calls.recall.p99_ms": "Recall, p99, ms",
        "calls.store.p99_ms": "Store, p99, ms",
        "index_lag.p95": "tasks the index is behind, p95",
    },
    "forgetting": {
        "memories": "memories of the person",
        "key_s.p50": "until the key is destroyed, s",
        "certificate_s.p50": "until the certificate, s",
        "others_p95_ms.ratio": "recalls of others meanwhile, p95 over before",
    },
    "noisy": {
        "p95_ms.ratio": "recalls beside a noisy tenant, p95 over alone",
        "noise.refused_share": "share of the noise that is refused",
    },
    "client_import": {
        "import_s": "import, s",
        "peak_mb": "peak of the process, MB",
        "installed_mb": "installed, MB",
    },
}
"""What of each stands on the page: where in its results, and what it is."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.summary", description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args(arguments)
    files = sorted(options.results.glob("*.json"))
    if not files:
        sys.exit(f"no results in {options.results}: run `make bench` first")
    options.page.write_text(page([json.loads(f.read_text("utf-8")) for f in files]), "utf-8")


def page(runs: Sequence[Mapping[str, Any]]) -> str:
    """The page, of runs as `frame.publish` writes them. Raises `KeyError` for a missing figure."""
    known = {run["name"]: run for run in runs}
    lines = [
        "# Benchmarks",
        "",
        "Made by `python -m benchmarks.summary` from what the benchmarks wrote; nothing is typed.",
    ]
    for name in FIGURES:
        if name in known:
            lines += section(known[name])
    missing = sorted((SUITE.keys() | FIGURES.keys()) - known.keys())
    if missing:
        lines += ["", f"Not in these results: {', '.join(missing)}."]
    return "\n".join([*lines, ""])


def section(run: Mapping[str, Any]) -> list[str]:
    """One benchmark's figures, and how to get them again."""
    name = run["name"]
    told = importlib.import_module(f"benchmarks.{name}").__doc__ or ""
    rows = [f"| {what} | {figure(run['results'], at)} |" for at, what in FIGURES[name].items()]
    return [
        "",
        f"## {told.splitlines()[0].rstrip('.')}",
        "",
        f"`python -m benchmarks.{name}`, seed {run['seed']}, commit {run['commit']}, "
        f"{run['date']}, {run['machine']}.",
        "",
        "| | |",
        "|---|--:|",
        *rows,
    ]


def figure(results: Mapping[str, Any], at: str) -> str:
    """The figure under a dotted name, short."""
    value: Any = results
    for key in at.split("."):
        value = value[key]
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"


if __name__ == "__main__":
    main()
