"""The C library's heap, with the real one."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import pytest

from memory.adapters import heap
from memory.adapters.sql.store import open_store
from memory.core.values import SealedRecord
from tests.contract.rows import add_memory, stored_person

BLOCK = 8192
BLOCKS = 8000

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="says how much is resident on Linux only"
)


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


def test_a_database_that_was_made_anew_leaves_no_memory_behind(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'tacit.db'}")
    person = stored_person(store)
    body = SealedRecord(os.urandom(100_000))
    for _ in range(500):
        add_memory(store, person.subject, body=body)
    before = _resident()

    store.scrub()

    assert _resident() - before < 2**24
    store.close()


def _resident() -> int:
    pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
