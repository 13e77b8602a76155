"""What one epoch is made of: every training file, rewritten, and as much generated text."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace

from training.ner.data import Example, Row, to_example
from training.ner.generate import Bank, Writer
from training.ner.labels import PERSON
from training.ner.style import Part, restyle, to_parts
from training.ner.style import to_example as join_parts


@dataclass(frozen=True)
class Plan:
    """What an epoch takes: so many generated texts, and these shares of files (else all)."""

    generated: int
    shares: dict[str, float]


PLANS = (
    Plan(
        9000,
        {
            "pii_anon_format_variations": 0.08,
            "pii_anon_temporal_consistency": 0.05,
            "chat_synth": 0.6,
            "nlu_home_lower": 0.35,
            "litbank_prop": 0.6,
            "wnut17": 0.8,
        },
    ),
    Plan(
        5500,
        {
            "pii_anon_format_variations": 0.05,
            "pii_anon_temporal_consistency": 0.02,
            "chat_synth": 0.2,
            "nlu_home_lower": 0.1,
            "litbank_prop": 0.35,
            "wnut17": 0.6,
            "broad_twitter": 0.7,
        },
    ),
    Plan(
        14000,
        {
            "pii_anon_format_variations": 0.06,
            "pii_anon_temporal_consistency": 0.03,
            "chat_synth": 0.4,
            "nlu_home_lower": 0.3,
            "litbank_prop": 0.6,
        },
    ),
    Plan(
        10000,
        {
            "pii_anon_format_variations": 0.06,
            "pii_anon_temporal_consistency": 0.03,
            "chat_synth": 0.3,
            "nlu_home_lower": 0.2,
            "litbank_prop": 0.6,
        },
    ),
    Plan(
        11000,
        {
            "pii_anon_format_variations": 0.05,
            "pii_anon_temporal_consistency": 0.02,
            "chat_synth": 0.2,
            "nlu_home_lower": 0.2,
            "litbank_prop": 0.8,
        },
    ),
    *(
        Plan(
            generated,
            {
                "pii_anon_format_variations": 0.04,
                "pii_anon_temporal_consistency": 0.01,
                "chat_synth": 0.1,
                "nlu_home_lower": 0.15,
                "litbank_prop": 0.5,
            },
        )
        for generated in (*[7500] * 2, *[14000] * 6)
    ),
)
"""One plan an epoch. Of files with few templates or many like texts an epoch takes a part."""

LED = Plan(
    7000,
    {
        "pii_anon_format_variations": 0.04,
        "pii_anon_temporal_consistency": 0.01,
        "chat_synth": 0.15,
        "nlu_home_lower": 0.3,
        "litbank_prop": 0.4,
    },
)
"""The plan of every epoch with a teacher, beside plain sentences (``distil.py``)."""

SWAP = {"broad_twitter": 0.25, "wnut17": 0.25, "litbank_prop": 0.4, "wikigold": 0.4,
        "nlu_home_lower": 0.5, "chat_synth": 0.15, "pii_anon_format_variations": 0.7,
        "pii_anon_temporal_consistency": 0.7}  # fmt: skip
"""How often the people of a text get other names, of any origin."""

_WORD = re.compile(r"[^\W\d_]+")


@dataclass
class Mixture:
    """Makes the examples of an epoch; the same seed and epoch give the same examples."""

    rows: dict[str, list[Row]]
    bank: Bank
    seed: int

    def epoch(self, number: int) -> list[Example]:
        """The examples of epoch ``number``."""
        return self._follow(PLANS[number], number)

    def led(self, number: int) -> list[Example]:
        """Those of epoch ``number`` with a teacher."""
        return self._follow(LED, number)

    def _follow(self, plan: Plan, number: int) -> list[Example]:
        rng = random.Random(f"{self.seed}/{number}")
        writer = Writer(self.bank, rng)
        examples = []
        for source, rows in sorted(self.rows.items()):
            for row in rng.sample(rows, round(len(rows) * plan.shares.get(source, 1.0))):
                parts = to_parts(to_example(source, row))
                if rng.random() < SWAP.get(source, 0.0):
                    parts = swap_people(parts, writer)
                outside = to_example(source, row).outside
                styled = restyle(parts, rng, 0.5 if source != "nlu_home_lower" else 0.2)
                examples.append(_join(source, styled, outside))
        examples += [writer.text() for _ in range(plan.generated)]
        return examples


def swap_people(parts: list[Part], writer: Writer) -> list[Part]:
    """Give the people of a text other names, the same name the same other name."""
    other: dict[str, str] = {}

    def swapped(match: re.Match[str]) -> str:
        word = match.group()
        if len(word) < 3 or word.lower() in _TITLES:
            return word
        if word.lower() not in other:
            fresh = writer.given() if len(other) % 2 == 0 else writer.family()
            other[word.lower()] = fresh
        fresh = other[word.lower()]
        return fresh.lower() if word.islower() else fresh.upper() if word.isupper() else fresh

    def of(part: Part) -> Part:
        if part.allowed != PERSON or part.text.startswith("@"):
            return part
        return replace(part, text=_WORD.sub(swapped, part.text))

    return [of(part) for part in parts]


_TITLES = frozenset("mr mrs ms miss dr prof professor sir lady lord uncle aunt".split())


def _join(source: str, parts: list[Part], outside: int) -> Example:
    """Join parts of a text whose tokens outside marks are known only in part."""
    joined = join_parts(source, parts)
    return replace(joined, outside=outside) if outside != joined.outside else joined
