"""What `pip install tacit-memory` brings, and what `import memory.client` costs after it.

    python -m benchmarks.client_import --json FILE

Builds the wheel and lays out what pip would install with it: its dependencies without any extra,
and theirs, as they are installed here. Fresh interpreters that see nothing else import the client.

    results.import_s           the median, seconds by the clock; one import before is not counted
    results.import_cpu_s       the same in processor time
    results.resident_mb        what the import adds to the process's memory, median
    results.peak_mb            the whole interpreter's peak, median
    results.installed_mb       the wheel and what it needs, on disk; no bytecode
    results.packages           the names of these

Needs Linux.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib.metadata import Distribution, distribution, requires
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.frame import ROOT, parser, publish, table

RUNS: Final = 15

_BUILD: Final = "import sys, hatchling.build; hatchling.build.build_wheel(sys.argv[1])"

_MEASURE: Final = """
import json, os, sys, time
from pathlib import Path
def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
before, clock, cpu = status("VmRSS"), time.perf_counter(), time.process_time()
import memory.client
clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
print(json.dumps([clock, cpu, (status("VmRSS") - before) / 1e6, status("VmHWM") / 1e6]))
"""


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    options_parser.add_argument("--runs", type=int, default=RUNS, help="default %(default)s")
    options = options_parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        installed = Path(folder) / "site"
        names = install(installed)
        runs = [_measured(installed) for _ in range(options.runs + 1)][1:]
        size = sum(
            path.stat().st_size
            for path in installed.rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        )
    clock, cpu, resident, peak = (median(column) for column in zip(*runs, strict=True))
    results = {
        "import_s": clock,
        "import_cpu_s": cpu,
        "resident_mb": resident,
        "peak_mb": peak,
        "installed_mb": size / 1e6,
        "packages": ", ".join(names),
    }
    rows = [[name, value] for name, value in results.items()]
    publish("client_import", options, results, [table("import memory.client", ["", ""], rows)])


def install(into: Path) -> list[str]:
    """Makes a folder that holds what `pip install tacit-memory` would bring, and returns the names.

    The wheel is built and unpacked, the rest are links to what is installed here.
    """
    with TemporaryDirectory() as built:
        build = [sys.executable, "-c", _BUILD, built]
        subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
        (wheel,) = Path(built).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(into)
    (metadata,) = into.glob("*.dist-info/METADATA")
    own = Distribution.at(metadata.parent)
    needed = closure(own.requires or [])
    link(needed, into)
    return [own.metadata["Name"], *needed]


def link(names: Sequence[str], into: Path) -> None:
    """Puts these distributions, as they are installed here, into that folder too."""
    for name in names:
        for file in distribution(name).files or []:
            place = into / file
            if ".." not in file.parts and file.suffix != ".pyc" and not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(Path(str(file.locate())).resolve())


def closure(requirements: Sequence[str]) -> list[str]:
    """The names of what these requirements bring, without extras, by name."""
    found: set[str] = set()
    waiting = list(requirements)
    while waiting:
        requirement, _, marker = waiting.pop().partition(";")
        name = re.split(r"[\[=<>!~ (]", requirement, maxsplit=1)[0].lower()
        if name in found or "extra ==" in marker:
            continue
        found.add(name)
        waiting += requires(name) or []
    return sorted(found)


def isolated(installed: Path, program: str) -> list[str]:
    """The command that runs a program which sees the standard library and that folder alone."""
    program = f"import sys\nsys.path.append({str(installed)!r})\n{program}"
    return [sys.executable, "-I", "-S", "-c", program]


def _measured(installed: Path) -> list[float]:
    command = isolated(installed, _MEASURE)
    environment = {"PATH": os.environ.get("PATH", "")}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    figures: list[float] = json.loads(done.stdout)
    return figures


if __name__ == "__main__":
    main()
