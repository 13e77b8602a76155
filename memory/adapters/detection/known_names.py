"""Names the caller gave, such as the speakers': found by spelling alone.

Rules:
- A given name counts in any case and spelling (`core.surfaces`), whole or by its first or last
  word ("Ana" of "Ana Lima"), as whole words. Words shorter than three characters count only as
  written.
- No model, no Presidio, no regular expression made of a name: those stay in caches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from memory.core.surfaces import Word, words
from memory.core.values import RawText, Span

MAX_KNOWN_NAMES: Final = 32
_SCORE: Final = 0.95
_SHORT: Final = 3


def find_known_names(text: RawText, names: Sequence[RawText]) -> list[Span]:
    """PERSON spans where one of the names, or a part of one, stands. They may overlap."""
    forms: dict[tuple[str, ...], str] = {}
    for name in names[:MAX_KNOWN_NAMES]:
        parts = words(name.value)
        if parts:
            for part in (parts, parts[:1], parts[-1:]):
                written = name.value[part[0].start : part[-1].end]
                forms.setdefault(tuple(word.form for word in part), written)
    if not forms:
        return []
    found = words(text.value)
    longest = max(map(len, forms))
    return [
        Span(found[at].start, found[at + size - 1].end, "PERSON", _SCORE)
        for at in range(len(found))
        for size in range(1, min(longest, len(found) - at) + 1)
        if _fits(text.value, found[at : at + size], forms)
    ]


def _fits(text: str, run: Sequence[Word], forms: dict[tuple[str, ...], str]) -> bool:
    written = forms.get(tuple(word.form for word in run))
    if written is None:
        return False
    return len(written) >= _SHORT or text[run[0].start : run[-1].end].startswith(written)
