"""What the system says of another process, by its id (Linux)."""

from __future__ import annotations

import os
from pathlib import Path


def resident_bytes(pid: int) -> int:
    """Its memory that is not swapped out or shared away."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def open_files(pid: int) -> int:
    """How many file handles it has."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
