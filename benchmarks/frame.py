"""The frame around every benchmark: its options, its JSON file, its table.

The JSON is `{"name", "commit", "machine", "seed", "date", "results"}`, the same for all:

    options = parser(__doc__, data="folder of conversations").parse_args(argv)
    results = {...}
    publish("retrieval", options, results, [table("Recall", ["", "r@10"], [["Tacit", 0.7]])])

Rules:
- The table is printed last, after whatever a library may have had to say.
- The JSON file appears whole or not at all; a figure that is not a number is an error.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

DEFAULT_SEED: Final = 7
"""Any number would do; this one is written into every result."""

REPORT_WIDTH: Final = 120
"""Of tables that go into a file or pipe."""

ROOT: Final = Path(__file__).resolve().parent.parent

Figure = float | int | str | bool | None
Results = Mapping[str, object]
"""What JSON can hold, figures at the leaves."""


def parser(doc: str | None, *, data: str | None = None) -> argparse.ArgumentParser:
    """The options all benchmarks share; `data`, when given, says what `--data` holds."""
    title, _, rest = (doc or "").partition("\n")
    made = argparse.ArgumentParser(
        description=title, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if data is not None:
        made.add_argument("--data", type=Path, required=True, help=data)
    made.add_argument("--json", type=Path, help="write the results to this file")
    made.add_argument("--seed", type=int, default=DEFAULT_SEED, help="default %(default)s")
    return made


def progress(line: str) -> None:
    """Tells a person that it goes on; figures come at the end."""
    sys.stderr.write(f"{line}\n")


def publish(
    name: str, options: argparse.Namespace, results: Results, tables: Sequence[Table] = ()
) -> None:
    """Writes `--json`, when asked for, and prints the tables."""
    framed = {
        "name": name,
        "commit": commit(),
        "machine": machine(),
        "seed": options.seed,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "results": results,
    }
    if options.json is not None:
        write_json(options.json, framed)
    console = Console()
    if not console.is_terminal:
        console = Console(width=REPORT_WIDTH)
    for each in tables:
        console.print(each)
    console.print(
        f"{name} · commit {framed['commit']} · seed {framed['seed']} · {framed['date']}\n"
        f"{framed['machine']}",
        highlight=False,
        style="dim",
    )


def write_json(file: Path, framed: Mapping[str, object]) -> None:
    """Whole or not at all; raises `ValueError` on NaN and infinity."""
    text = json.dumps(framed, indent=1, ensure_ascii=False, allow_nan=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(text + "\n", encoding="utf-8")
    draft.replace(file)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Figure]]) -> Table:
    """First column to the left, figures to the right, fractions with three digits."""
    made = Table(title=title, title_justify="left")
    for position, column in enumerate(columns):
        made.add_column(column, justify="right" if position else "left")
    for row in rows:
        made.add_row(*[_cell(value) for value in row])
    return made


def _cell(value: Figure) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value)
    return f"{value:.3f}" if abs(value) < 10 or not math.isfinite(value) else f"{value:,.1f}"


def commit() -> str:
    """The checkout's commit, with a `+` when files differ from it; "unknown" outside of git."""
    head = _git("rev-parse", "--short=12", "HEAD")
    if not head:
        return "unknown"
    return head + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def machine() -> str:
    """Processor, usable cores, memory, kernel and Python: what a figure depends on."""
    return ", ".join(
        [
            _processor(),
            f"{usable_cores()} cores",
            f"{_memory_gib():.0f} GiB",
            f"{platform.system()} {platform.release()}",
            f"Python {platform.python_version()}",
        ]
    )


def usable_cores() -> int:
    """Those this process may run on, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _memory_gib() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError):
        return 0.0
