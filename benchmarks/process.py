"""What the system says of a server and of the processes it started, by its id (Linux)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def resident_bytes(pid: int) -> int:
    """Memory that is not swapped out; what they share counts for each."""
    return sum(map(_statm, _family(pid))) * os.sysconf("SC_PAGE_SIZE")


def open_files(pid: int) -> int:
    """How many file handles they have."""
    return sum(map(_files, _family(pid)))


def _family(pid: int) -> list[int]:
    """The process, and those that it started and that still run."""
    found = [pid]
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it has just ended
            found += map(int, (thread / "children").read_text("ascii").split())
    return found


def _statm(pid: int) -> int:
    """Resident pages; none of one that has just ended."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return 0


def _files(pid: int) -> int:
    with suppress(OSError):
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return 0
