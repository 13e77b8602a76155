"""Reading span files, and telling what their annotation is worth.

Each file is JSON lines: ``{"id", "text", "spans": [{"start", "end", "type"}]}``, offsets in
characters, end exclusive. Corrections made on the way in:

- ``pii_anon_*`` leave later mentions of a labelled person unlabelled ("Kathleen" after "Kathleen
  Gomez"): they are labelled; and they do not label every place and organisation, so a token
  outside their spans is only known not to be a person;
- a glued handle (``@name``) is unlabelled in the tweet files, although it names a person more
  often than not: it is not learned from;
- the home assistant's utterances call "my office" and "here" places: they may be, or not;
- dev is split off by the *skeleton* of a text (spans, digits, handles and links taken out), so
  that no near-duplicate and no template stands on both sides.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

from training.ner.labels import ALLOWED_BY_TYPE, ANYTHING, LOCATION, NOT_PERSON, OUTSIDE, PERSON

EVALUATION_ONLY = frozenset({"english_web"})
"""Files never trained on (share-alike licence): they choose thresholds."""

DEV_ONLY = frozenset({"chat_synth_dev"})
DEV_SHARE = 0.10

_COMMON_PLACE = re.compile(
    r"\b(home|house|office|work|here|area|location|station|airport|near\w*|my|city|town|place|"
    r"room|kitchen|local|downtown|region|country|restaurant|store|mall|where|this|that)\b"
)
_HANDLE = re.compile(r"@\w+")
_LINK = re.compile(r"https?://\S+")
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class Mark:
    """A stretch of text whose label is in ``allowed`` (a set of bits, see ``labels``)."""

    start: int
    end: int
    allowed: int


@dataclass(frozen=True)
class Example:
    """A text, what is known of its labels, and the gold spans it is scored by."""

    source: str
    text: str
    marks: tuple[Mark, ...]
    outside: int = OUTSIDE
    """What is known of a token outside every mark."""


@dataclass(frozen=True)
class Row:
    """One line of a span file."""

    id: str
    text: str
    spans: tuple[tuple[int, int, str], ...]


def read_rows(path: Path) -> list[Row]:
    """Read a span file."""
    rows = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            raw = json.loads(line)
            spans = sorted((s["start"], s["end"], s["type"]) for s in raw["spans"])
            rows.append(Row(raw["id"], raw["text"], tuple(spans)))
    return rows


def skeleton(row: Row) -> str:
    """Return the text without what varies between near-duplicates."""
    parts, at = [], 0
    for start, end, kind in row.spans:
        parts.append(row.text[at:start])
        parts.append(kind)
        at = max(at, end)
    parts.append(row.text[at:])
    text = _HANDLE.sub("@", _LINK.sub("", "".join(parts)))
    return re.sub(r"[\W\d_]+", " ", text).strip().lower()[:160]


def is_dev(source: str, row: Row) -> bool:
    """Whether a row is held out from training."""
    if source in DEV_ONLY or source in EVALUATION_ONLY:
        return True
    if source.startswith("pii_anon"):  # few templates, many times: two are held out whole
        return row.text.startswith(("INVOICE", "TRANSACTION HISTORY"))
    digest = hashlib.sha256(skeleton(row).encode()).digest()
    return int.from_bytes(digest[:4], "big") < DEV_SHARE * 2**32


def to_example(source: str, row: Row) -> Example:
    """Turn a row into what may be learned from it."""
    marks = [Mark(s, e, ALLOWED_BY_TYPE.get(kind, OUTSIDE)) for s, e, kind in row.spans]
    if source == "nlu_home_lower":
        marks = [_doubt_common_places(row.text, mark) for mark in marks]
    outside = OUTSIDE
    if source.startswith("pii_anon"):
        outside = NOT_PERSON
        marks += _later_mentions(row)
    if source in ("broad_twitter", "wnut17"):
        marks += [Mark(m.start(), m.end(), ANYTHING) for m in _HANDLE.finditer(row.text)]
    return Example(source, row.text, tuple(marks), outside)


def _doubt_common_places(text: str, mark: Mark) -> Mark:
    if mark.allowed == LOCATION and _COMMON_PLACE.search(text[mark.start : mark.end]):
        return replace(mark, allowed=LOCATION | OUTSIDE)
    return mark


def _later_mentions(row: Row) -> list[Mark]:
    covered = [(start, end) for start, end, _ in row.spans]
    names = {
        word
        for start, end, kind in row.spans
        if kind == "PERSON"
        for word in _WORD.findall(row.text[start:end])
    }
    return [
        Mark(m.start(), m.end(), PERSON)
        for m in _WORD.finditer(row.text)
        if m.group() in names and not any(s < m.end() and m.start() < e for s, e in covered)
    ]


def load(folder: Path) -> tuple[dict[str, list[Row]], dict[str, list[Row]]]:
    """Return the rows of every file of ``folder`` to train on, and those held out, by file."""
    train: dict[str, list[Row]] = {}
    dev: dict[str, list[Row]] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for row in read_rows(path):
            side = dev if is_dev(path.stem, row) else train
            side.setdefault(path.stem, []).append(row)
    return train, dev
