"""What this process asks of the C library's heap. Only glibc can do all of it; elsewhere the heap
stays as it is.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

_M_PERTURB: Final = -6
_M_ARENA_MAX: Final = -8
"""Of glibc's `malloc.h`."""

_BLANK: Final = 0x55
_ARENAS: Final = 2


def blank() -> bool:
    """Has memory overwritten when it is freed, and before it is first used; whether it will be."""
    return bool(_libc("mallopt")(_M_PERTURB, _BLANK))


def share() -> None:
    """By itself, glibc gives threads up to eight heaps a core, and what is freed in one serves no
    other: a server would grow for hours. To be called before the first thread.
    """
    _libc("mallopt")(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Returns to the system what is free: glibc keeps whatever lies below something still used."""
    _libc("malloc_trim")(0)


def _libc(function: str) -> Any:
    return getattr(ctypes.CDLL(None), function, lambda *_: 0)
