"""The C library's heap, with the real one."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import pytest

from memory.adapters import heap

BLOCK = 8192
BLOCKS = 8000


@pytest.mark.skipif(sys.platform != "linux", reason="says how much is resident on Linux only")
def test_what_is_free_below_something_still_used_goes_back_to_the_system() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    blocks = [libc.malloc(BLOCK) for _ in range(BLOCKS)]
    for block in blocks:
        ctypes.memset(block, 1, BLOCK)
    for block in blocks[:-1]:
        libc.free(block)
    before = _resident()

    heap.give_back()

    assert before - _resident() > BLOCK * BLOCKS // 2
    libc.free(blocks[-1])


def _resident() -> int:
    pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
