"""Spans: what a detector's finds become before anything is replaced.

Rules:
- Offsets are Python characters (code points) of the original text, end exclusive.
- One rule for overlaps: spans that share a character become one span over all their characters,
  so that no part of a find stays visible. Its type and score are those of the strongest: higher
  score, then longer, then earlier, then the type's name.
- A span never starts or ends with white space.
- What is found once is found everywhere: the same characters, standing as whole words elsewhere
  in the same text, are the same find (`propagate`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from memory.core.values import Span

MAX_PROPAGATED = 64
"""So many different surfaces of one text are looked for again; bounds the work on hostile text."""


def resolve(text: str, spans: Iterable[Span]) -> list[Span]:
    """Sorted, trimmed, non-overlapping spans of `text`; overlaps by the module's one rule."""
    trimmed = (trim(text, span) for span in spans)
    ordered = sorted((s for s in trimmed if s is not None), key=lambda s: (s.start, -s.end))
    resolved: list[Span] = []
    group: list[Span] = []
    group_end = 0
    for span in ordered:
        if group and span.start >= group_end:
            resolved.append(_union(group))
            group = []
        group.append(span)
        group_end = max(group_end, span.end)
    if group:
        resolved.append(_union(group))
    return resolved


def trim(text: str, span: Span) -> Span | None:
    """The span without white space at its ends; None when nothing else is in it."""
    end = min(span.end, len(text))
    surface = text[span.start : end]
    start = span.start + len(surface) - len(surface.lstrip())
    end -= len(surface) - len(surface.rstrip())
    if start >= end:
        return None
    if (start, end) == (span.start, span.end):
        return span
    return Span(start, end, span.entity_type, span.score)


def propagate(text: str, spans: Iterable[Span]) -> list[Span]:
    """`spans` (resolved) and every other whole-word occurrence of one of their surfaces."""
    found = list(spans)
    by_surface: dict[str, Span] = {}
    for span in found:
        by_surface.setdefault(text[span.start : span.end], span)
    again: list[Span] = []
    for surface, like in list(by_surface.items())[:MAX_PROPAGATED]:
        start = text.find(surface)
        while start >= 0:
            end = start + len(surface)
            if not _word_goes_on(text, start) and not _word_goes_on(text, end):
                again.append(Span(start, end, like.entity_type, like.score))
            start = text.find(surface, end)
    return resolve(text, [*found, *again])


def _word_goes_on(text: str, at: int) -> bool:
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


def _union(group: list[Span]) -> Span:
    best = max(group, key=lambda s: (s.score, s.end - s.start, -s.start, s.entity_type))
    return Span(
        min(s.start for s in group),
        max(s.end for s in group),
        best.entity_type,
        best.score,
    )


def with_known(found: Sequence[Span], known: Sequence[Span]) -> list[Span]:
    """The known spans and what was found beside them, sorted and without overlap.

    A find that reaches beyond a known span takes in all that it touches: more is hidden, not less.
    """
    kept = sorted(known, key=lambda span: span.start)
    for find in found:
        touched = [s for s in kept if s.start < find.end and find.start < s.end]
        if any(s.start <= find.start and find.end <= s.end for s in touched):
            continue
        start = min([find.start, *(s.start for s in touched)])
        end = max([find.end, *(s.end for s in touched)])
        kept = [s for s in kept if s not in touched]
        kept.append(Span(start, end, find.entity_type, find.score))
        kept.sort(key=lambda span: span.start)
    return kept
