"""What a model is chosen by: held-out rows, and text generated from held-out names."""

from __future__ import annotations

import random

from training.ner.data import Example, Row
from training.ner.evaluate import lower
from training.ner.generate import Bank, Writer, templates
from training.ner.labels import LOCATION, ORGANIZATION, PERSON
from training.ner.names import GROUPS
from training.ner.style import Part, to_example

_NAMES = {PERSON: "PERSON", LOCATION: "LOCATION", ORGANIZATION: "ORGANIZATION"}


_WHOLE = ("english_web", "wnut17", "broad_twitter", "chat_synth_dev")
_SAMPLE = 150
"""Of the other files, whose texts are alike or long, this many."""


def to_row(example: Example, number: int) -> Row:
    """Turn a generated example into a row with gold spans (what is in doubt is no span)."""
    spans = tuple(
        (mark.start, mark.end, _NAMES[mark.allowed])
        for mark in example.marks
        if mark.allowed in _NAMES
    )
    return Row(f"{example.source}-{number}", example.text, spans)


def dev_sets(held_out: dict[str, list[Row]], bank: Bank, seed: int = 77) -> dict[str, list[Row]]:
    """Every dev set by name; ``english_web_lower`` is ``english_web`` without capitals."""
    rng = random.Random(seed)
    sets = {
        name: rows if name in _WHOLE else rng.sample(rows, min(len(rows), _SAMPLE))
        for name, rows in sorted(held_out.items())
    }
    if "english_web" in sets:
        sets["english_web_lower"] = lower(sets["english_web"])
    sets["generated_forms"] = _generated(bank, seed, "forms", 0.0, 200)
    sets["generated_hostile"] = _generated(bank, seed + 1, "forms", 1.0, 100)
    sets["generated_hostile"] += _generated(bank, seed + 2, "chat", 1.0, 100)
    return sets


def origin_sets(bank: Bank, per_group: int = 60, seed: int = 99) -> dict[str, list[Row]]:
    """Chat about people of one origin each: the same templates for every group."""
    return {group: _generated(bank, seed, "chat", 0.0, per_group, group=group) for group in GROUPS}


def _generated(
    bank: Bank, seed: int, kind: str, hostility: float, count: int, group: str | None = None
) -> list[Row]:
    rng = random.Random(seed)
    writer = Writer(bank, random.Random(seed), dev=True)
    writer.group = group
    writer.hostility = hostility
    chosen = [line for line in templates(kind, dev=True) if group is None or _has_name(line)]
    rows = []
    for number in range(count):
        parts: list[Part] = writer.fill(rng.choice(chosen))
        if rng.random() < 0.5 and kind == "chat":
            parts = [Part(part.text.lower(), part.allowed) for part in parts]
        rows.append(to_row(to_example(f"generated_{kind}", parts), number))
    return rows


def _has_name(template: str) -> bool:
    return any(slot in template for slot in ("{first}", "{full}", "{last}", "{name}"))
