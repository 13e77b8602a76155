"""Span files: texts with labelled personal data, one JSON object a line.

    {"id": ..., "text": ..., "spans": [{"start", "end", "type"}], "annotated": [type, ...]}

Rules:
- Offsets are characters, end exclusive. `annotated` names the types a row labels in full; without
  it the three name types are, and the others only where the file labels them at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from memory.core.values import Span

NAME_TYPES: Final = frozenset({"PERSON", "LOCATION", "ORGANIZATION"})


@dataclass(frozen=True)
class Labelled:
    """One text, its gold spans, and the types in which a further find would be wrong."""

    text: str
    gold: tuple[Span, ...]
    annotated: frozenset[str]


def files(folder: Path) -> list[Path]:
    """The span files of a folder. Raises `SystemExit` when there are none."""
    found = sorted(folder.glob("*.jsonl"))
    if not found:
        raise SystemExit(f"no *.jsonl files in {folder}")
    return found


def read(file: Path, limit: int | None = None) -> list[Labelled]:
    """The rows of a file. A row that is not a span row ends the run with its line number."""
    rows: list[tuple[str, tuple[Span, ...], list[str] | None]] = []
    for number, row in _objects(file):
        if limit is not None and len(rows) >= limit:
            break
        try:
            gold = tuple(Span(s["start"], s["end"], s["type"]) for s in row["spans"])
            rows.append((row["text"], gold, row.get("annotated")))
        except (KeyError, TypeError, ValueError) as error:
            raise SystemExit(f"{file.name}:{number}: no span row ({error})") from None
    labelled = {span.entity_type for _, gold, _ in rows for span in gold}
    default = NAME_TYPES | labelled
    return [
        Labelled(text, gold, default if annotated is None else frozenset(annotated))
        for text, gold, annotated in rows
    ]


def _objects(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield number, json.loads(line)
                except json.JSONDecodeError as error:
                    raise SystemExit(f"{file.name}:{number}: not JSON ({error})") from None
