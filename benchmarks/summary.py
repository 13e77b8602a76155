"""docs/benchmarks.md, from the results that benchmarks wrote.

    python -m benchmarks.summary [--results benchmarks/results] [--page docs/benchmarks.md]

Rules:
- Every figure comes from a file of results, with the commit, machine, seed and date of its run.
- A benchmark without results there is named as not run; a figure that a file lacks stops the page,
  unless it has a star: what took part in a run, a peer that is not everywhere installed say, may
  differ.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.__main__ import SUITE
from benchmarks.frame import ROOT

FIGURES: Final[Mapping[str, Mapping[str, str]]] = {
    "retrieval": {
        "tacit.recall@5": "evidence in the first 5",
        "tacit.recall@10": "evidence in the first 10",
        "tacit.mrr": "MRR",
        "tacit_index.recall@10": "in the first 10, by the veiled index",
        "tacit_open.recall@10": "in the first 10, nothing anonymized",
        "chroma.recall@10": "in the first 10, plain Chroma",
        "dense.recall@10": "in the first 10, exact dense search",
        "bm25.recall@10": "in the first 10, BM25",
        "switched_off.*.recall@10": "in the first 10, *",
        "questions": "questions",
    },
    "feedback": {
        "*.without.recall@10": "evidence in the first 10, weights *",
        "*.learnt.recall@10": "and with ratings, weights *",
    },
    "context": {
        "*.all_or_part": "questions with evidence inside, * tokens",
        "*.all": "with all of it, * tokens",
        "history": "tokens of a whole conversation",
    },
    "latency": {
        "ratio.recall_p50": "Recall, median, over plain Chroma's query",
        "ratio.store_p50": "Store, median, over plain Chroma's add",
        "ratio.throughput_16": "recalls a second over plain Chroma's, sixteen callers",
        "ratio_mem0.*": "Tacit over mem0, *",
        "*.recall.p50_ms": "Recall, p50, ms, *",
        "*.recall.p95_ms": "Recall, p95, ms, *",
        "*.store.p50_ms": "Store, p50, ms, *",
        "*.store.p95_ms": "Store, p95, ms, *",
        "*.recall_16.per_second": "recalls a second, sixteen callers, *",
        "recall_parts_ms.*": "of a Recall, in the process, ms: *",
    },
    "detection": {
        "*.masked": "share of personal data masked, *",
        "*.leaked_per_1000": "pieces left in 1,000 texts, *",
        "*.invented": "texts that name nobody in which a person is found, *",
    },
    "detection_speed": {
        "message_ms_p50": "a message of 20 words, p50, ms",
        "prose_ms": "10,000 characters of prose, ms",
        "hostile_ms": "the slowest hostile text of 10,000 characters, ms",
    },
    "affect": {
        "valence_right": "valence has the reader's sign",
        "valence_by_majority": "what the commonest label would get",
        "frustration_f1": "frustration, F1",
        "others_judged": "other languages judged, each an error",
    },
    "fairness": {
        "spread": "recall of names, best origin less worst",
        "by_origin_and_case.*": "found, *",
    },
    "leakage": {
        "*.known_pairs_to_half": "known pairs until half of the rest is named, *",
        "*.ciphertext_only_identified": "named without any pair, *",
        "*.cross_person_linked": "equal texts of two people put together, *",
    },
    "erasure": {
        "tacit.residues": "left after erasures, Tacit",
        "chroma.residues": "left after erasures, plain Chroma at its kindest",
        "others_unchanged": "everyone else's recalls are the same to the bit",
    },
    "forgetting": {
        "memories": "memories of the person",
        "key_s.p50": "until the key is destroyed, s",
        "certificate_s.p50": "until the certificate, s",
        "others_p95_ms.ratio": "recalls of others meanwhile, p95 over before",
    },
    "sealed": {
        "open_ms.p50": "opening 10,000 sealed vectors, p50, ms",
        "search_ms.p50": "an exact search among them, p50, ms",
        "recall_ms.p50": "a recall, p50, ms",
    },
    "noisy": {
        "p95_ms.ratio": "recalls beside a noisy tenant, p95 over alone",
        "noise.refused_share": "share of the noise that is refused",
    },
    "scale": {
        "people_ratio_p95": "Recall, p95, most people over fewest, both in turn",
        **{
            f"{grown}.*.{at}": f"{told}, {what}"
            for grown, what in (("memories", "* memories of one person"), ("people", "* people"))
            for at, told in (
                ("recall.p50_ms", "Recall, p50, ms"),
                ("recall.p95_ms", "Recall, p95, ms"),
                ("store.p50_ms", "Store, p50, ms"),
                ("store.p95_ms", "Store, p95, ms"),
                ("first.p50_ms", "first Recall after a start, p50, ms"),
                ("start_s", "start to the first answer, s"),
                ("disk_bytes_each", "disk, bytes a memory"),
                ("resident_bytes", "memory of the server, bytes"),
            )
        },
        "growth.*": "exponent of p50, *",
    },
    "soak": {
        "seconds": "length, s",
        "resident_mb.after_warm_up": "memory after warm-up, MB",
        "resident_mb.end": "at the end, MB",
        "resident_mb.slope_per_hour": "slope, MB an hour",
        "files.slope_per_hour": "file handles an hour",
        "calls.*.p99_ms": "p99, ms, *",
        "index_lag.p95": "tasks the index is behind, p95",
        "errors.*": "errors, *",
        "forgotten": "people forgotten meanwhile",
        "rotations": "key rotations meanwhile",
    },
    "ledger": {
        "proof_ms.p50": "an inclusion proof, p50, ms",
        "start_check_s": "what a start waits for, s",
        "bytes_each": "bytes an event",
        "recall.added_p50_ms": "added to a Recall, ms",
    },
    "export": {
        "first.growth_mb": "growth of the server over the first export, MB",
        "export.growth_mb": "over the next one, MB",
        "round_trip.equal": "out, in elsewhere and out again is the same",
    },
    "observing": {"*.ratio": "a recall, processor time over unobserved, *"},
    "client_import": {
        "import_s": "import, s",
        "peak_mb": "peak of the process, MB",
        "installed_mb": "installed, MB",
    },
}
"""What of each stands on the page: where in its results, and what it is. A `*` is every key there
that has the rest, if there is any.
"""

PLOTS: Final = "images"
"""Where plots go, beside the page."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.summary", description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args(arguments)
    files = sorted(options.results.glob("*.json"))
    if not files:
        sys.exit(f"no results in {options.results}: run `make bench` first")
    plots = {plot.stem: f"{PLOTS}/benchmarks-{plot.name}" for plot in options.results.glob("*.svg")}
    for name, at in plots.items():
        (options.page.parent / at).parent.mkdir(exist_ok=True)
        shutil.copyfile(options.results / f"{name}.svg", options.page.parent / at)
    runs = [json.loads(file.read_text("utf-8")) for file in files]
    options.page.write_text(page(runs, plots), "utf-8")


def page(runs: Sequence[Mapping[str, Any]], plots: Mapping[str, str] | None = None) -> str:
    """The page, of runs as `frame.publish` writes them, and plots by name: where they lie.

    Raises `KeyError` for a figure that is missing.
    """
    known = {run["name"]: run for run in runs}
    lines = [
        "# Benchmarks",
        "",
        "Made by `python -m benchmarks.summary` from what the benchmarks wrote; nothing is typed.",
    ]
    for name in FIGURES:
        if name in known:
            lines += section(known[name])
            if plots and name in plots:
                lines += ["", f"![{name}]({plots[name]})"]
    missing = sorted((SUITE.keys() | FIGURES.keys()) - known.keys())
    if missing:
        lines += ["", f"Not in these results: {', '.join(missing)}."]
    return "\n".join([*lines, ""])


def section(run: Mapping[str, Any]) -> list[str]:
    """One benchmark's figures, and how to get them again."""
    name = run["name"]
    told = importlib.import_module(f"benchmarks.{name}").__doc__ or ""
    rows = [
        f"| {what.replace('*', key)} | {told} |"
        for at, what in FIGURES[name].items()
        for key, told in figures(run["results"], at)
    ]
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


def figures(results: Mapping[str, Any], at: str) -> list[tuple[str, str]]:
    """The figure under a dotted name, or those under every key in place of its star: key, value."""
    before, star, rest = at.partition("*")
    inside = (_value(results, before) or {}) if star else {"": results}
    found = ((key, _value(each, rest if star else at)) for key, each in inside.items())
    told = [(key, figure(value)) for key, value in found if value is not None]
    if not star and not told:
        raise KeyError(at)
    return told


def figure(value: float | bool) -> str:
    """Short."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 1000 else f"{value:.3g}"


def _value(results: Any, at: str) -> Any:
    """What lies under a dotted name; None where nothing does."""
    for key in filter(None, at.split(".")):
        if not isinstance(results, Mapping):
            return None
        results = results.get(key)
    return results


if __name__ == "__main__":
    main()
