"""What is known of a person: the facts and preferences that hold, each with what it rests on.

Rules:
- Nothing is in it that the memories at hand do not say, and nothing that was replaced.
- What only one thing can hold of is one entry, however it was said; else each value is one.
- Plans are not in it: a profile is of what stays.
- Confidence is a rule of thumb, not a measurement: the more days it was said on, the less doubt.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from memory.core.content import Features
from memory.core.facts import Claim
from memory.core.rows import MemoryHead
from memory.core.validity import validity
from memory.core.values import MemoryKind, RecordId

_PASSING: Final = frozenset({"plan"})

_DOUBT: Final = 0.4
"""Of what was said once; said on another day, half of it is left."""


@dataclass(frozen=True, slots=True)
class Trait:
    """Something that holds of `subject`. `claims` are those it was made of, none for a memory that
    is a fact by itself; `evidence` the memories that say so, the oldest first, and `said` when.
    """

    subject: str
    slot: str
    claims: frozenset[Claim]
    evidence: tuple[RecordId, ...]
    said: tuple[datetime, ...]

    @property
    def holds(self) -> bool:
        """Whether it says that something holds, and not that it does not."""
        return all(claim.holds for claim in self.claims)

    @property
    def kind(self) -> MemoryKind | None:
        """A fact or a preference; None where that is the memory's own."""
        return next((claim.kind for claim in self.claims), None)

    @property
    def confidence(self) -> float:
        """From 0.6, said once, towards 1."""
        days = len({time.date() for time in self.said})
        return float(1 - _DOUBT / 2 ** (days - 1))


def _said(features: Features) -> tuple[datetime, ...]:
    return (features.time,) if features.since is None else (features.since, features.time)


def traits(
    heads: Sequence[MemoryHead],
    features: Sequence[Features],
    told: Collection[RecordId],
    at: datetime,
) -> list[Trait]:
    """Out of memories, each with its features; `told` are those that are facts or preferences by
    themselves. In the order of subject, slot and value.
    """
    found = validity(heads, features)
    over = set(found.over(at).tolist())
    rows: dict[tuple[str, str, tuple[str, ...], bool], list[tuple[int, Claim | None]]] = {}
    for row in sorted(range(len(heads)), key=lambda row: (features[row].time, heads[row].seq)):
        until = features[row].until
        if until is not None and until <= at:
            continue
        replaced = found.replaced.get(row, ()) if row in over else ()
        claims = [claim for claim in features[row].claims if claim.is_fact]
        for claim in claims:
            if claim in replaced or claim.base in _PASSING:
                continue
            value = () if claim.one_value else claim.value
            key = (claim.subject, claim.slot, value, claim.holds)
            rows.setdefault(key, []).append((row, claim))
        if not claims and row not in over and heads[row].id in told:
            rows[features[row].speaker, "", (str(heads[row].id),), True] = [(row, None)]
    return [
        Trait(
            key[0],
            key[1],
            frozenset(claim for _, claim in said if claim is not None),
            tuple(dict.fromkeys(heads[row].id for row, _ in said)),
            tuple(sorted(time for row, _ in said for time in _said(features[row]))),
        )
        for key, said in sorted(rows.items(), key=lambda item: item[0])
    ]
