"""What the system says of a server and of the processes it started, by its id (Linux)."""

from __future__ import annotations

import os
from pathlib import Path


def resident_bytes(pid: int) -> int:
    """Memory that is not swapped out; what they share counts for each."""
    pages = [int(_read(one, "statm").split()[1]) for one in _family(pid)]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")


def open_files(pid: int) -> int:
    """How many file handles they have."""
    return sum(sum(1 for _ in Path(f"/proc/{one}/fd").iterdir()) for one in _family(pid))


def _family(pid: int) -> list[int]:
    """The process, and those that it started and that still run."""
    threads = [int(thread.name) for thread in Path(f"/proc/{pid}/task").iterdir()]
    started = [_read(pid, f"task/{thread}/children") for thread in threads]
    return [pid, *(int(child) for children in started for child in children.split())]


def _read(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text("ascii")
