"""Which clauses of a text state a fact or a preference, and where they stand in it.

Rules:
- The rules of `core.facts` see the text with stand-ins for what was found in it, never the words.
- A clause is taken as the person said it; nothing is worded anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from memory.core.facts import find
from memory.core.pseudonyms import Mention
from memory.core.pseudonyms import replace as replaced
from memory.core.values import MemoryKind, RawText, Span


@dataclass(frozen=True, slots=True)
class Stated:
    """A clause, what a memory of it is, and its spans, sorted and without overlap."""

    text: RawText
    kind: MemoryKind
    spans: tuple[Span, ...]


def stated(text: RawText, spans: Sequence[Span]) -> list[Stated]:
    """Each clause that states something once, in order; `spans` (sorted, without overlap) are those
    of the text.
    """
    surfaces = [text.value[span.start : span.end] for span in spans]
    numbers = {surface: number for number, surface in enumerate(dict.fromkeys(surfaces), 1)}
    names = [
        f"{span.entity_type.lower()}_{numbers[surface]}"
        for span, surface in zip(spans, surfaces, strict=True)
    ]
    hidden = replaced(text, spans, names)
    kinds: dict[tuple[int, int], MemoryKind] = {}
    for found in find(hidden.text.value):
        if found.claim.is_fact:
            kinds.setdefault((found.start, found.end), found.claim.kind)
    made = []
    for (start, end), kind in kinds.items():
        first, last = _original(start, hidden.mentions), _original(end, hidden.mentions)
        clause = text.value[first:last]
        first += len(clause) - len(clause.lstrip(" ,"))
        inside = [span for span in spans if first <= span.start and span.end <= last]
        made.append(
            Stated(
                RawText(text.value[first:last].rstrip()),
                kind,
                tuple(replace(s, start=s.start - first, end=s.end - first) for s in inside),
            )
        )
    return made


def _original(position: int, mentions: Sequence[Mention]) -> int:
    """Where a place of the text with stand-ins lies in the original one."""
    return position + sum(
        len(m.original.value) - (m.end - m.start) for m in mentions if m.end <= position
    )
