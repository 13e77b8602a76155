"""`python -m benchmarks`: the whole suite, one after the other; `make bench` runs it.

    python -m benchmarks --data FOLDER --out FOLDER

Each benchmark runs in a process of its own and writes OUT/NAME.json, and some OUT/NAME.svg, a plot.
What a benchmark measures with is looked for in FOLDER and in the folders right inside it:
conversations (`*.json`) and texts with spans (`*.jsonl`). Benchmarks without theirs are left out,
and the end says so.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.frame import DEFAULT_SEED, ROOT

SUITE: Final = {
    "retrieval": "*.json",
    "ranking": "*.json",
    "feedback": "*.json",
    "context": "*.json",
    "latency": None,
    "detection": "*.jsonl",
    "detection_speed": None,
    "affect": None,
    "fairness": None,
    "leakage": "*.json",
    "erasure": None,
    "forgetting": None,
    "sealed": None,
    "noisy": None,
    "scale": None,
    "ledger": None,
    "export": None,
    "observing": None,
    "client_import": None,
}
"""Names, and the files each one needs. `soak` is not among them: it takes half an hour."""

PLOTTED: Final = frozenset({"fairness", "leakage", "scale"})
"""Those that draw a plot."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / "benchmarks" / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    options = parser.parse_args(arguments)
    left_out, failed = [], []
    for name, pattern in SUITE.items():
        own = []
        if pattern is not None:
            folder = folder_with(options.data, pattern)
            if folder is None:
                left_out.append(f"{name} (no {pattern})")
                continue
            own = ["--data", str(folder)]
        if not run(name, [*own, "--seed", str(options.seed)], options.out / f"{name}.json"):
            failed.append(name)
    if left_out:
        sys.stderr.write(f"left out, not in {options.data}: {', '.join(left_out)}\n")
    if failed:
        sys.stderr.write(f"failed: {', '.join(failed)}\n")
    return 1 if failed else 0


def folder_with(folder: Path, pattern: str) -> Path | None:
    """The folder, or the first one right inside it, that holds such files."""
    inside = sorted(path for path in folder.glob("*") if path.is_dir())
    return next((path for path in (folder, *inside) if any(path.glob(pattern))), None)


def run(name: str, arguments: Sequence[str], file: Path) -> bool:
    """One benchmark to its end; whether it succeeded."""
    start = time.monotonic()
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments, "--json", str(file)]
    if name in PLOTTED:
        command += ["--plot", str(file.with_suffix(".svg"))]
    done = subprocess.run(command, cwd=ROOT, check=False)
    sys.stderr.write(f"benchmarks.{name}: {time.monotonic() - start:.0f} s\n")
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
