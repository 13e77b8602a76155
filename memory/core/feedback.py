"""Feedback: what a person's ratings of recalled memories teach the ranking about them.

    share   of a memory among those shown with it: softmax of the scores, at TEMPERATURE
    gain    what a part gave the memory, less what it gave the others on average by their shares
    step    gain × (1 - share) for a useful memory, -gain × share for one not useful or wrong
    lesson  the sum of all steps, nearer to zero by the root of the sum of their squares: what
            chance explains teaches nothing, and one rating alone neither
    factor  exp(RATE × lesson), never outside 1/BOUND..BOUND
    weight  factor × the weight that everybody has (`core.ranking`)

A step is the gradient of the log-likelihood that the memory would be chosen (or not) out of those
shown, the factors are exponentiated gradient (Kivinen and Warmuth 1997) in its lazy form: a part
that told useful memories from others gets more weight, the more so the less the ranking expected
it. `docs/adr/0021-feedback.md` says what that is worth.

Rules:
- The weights are a function of the ratings that are kept: in any order, without any state beside
  them. Take a rating away, and it is as if it had never been given.
- One rating a memory: the newest one counts.
- Only `TUNED` parts move. `dense` keeps the scale; the others keep promises that hold for everyone
  (`core.ranking`).
- A memory that was rated wrong is doubted until it has another version.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Final

import numpy as np

from memory.core.content import well_formed
from memory.core.micros import from_micros, to_micros
from memory.core.ranking import PARTS, WEIGHTS, Points, Weights
from memory.core.rows import MemoryHead
from memory.core.values import RecordId

TUNED: Final = ("lexical", "speaker", "entity", "date", "session")

RATE: Final = 0.3

TEMPERATURE: Final = 0.2
"""Of two scores that differ by so much, the better one has e times the share."""

BOUND: Final = 2.0
"""No weight is less than half or more than twice what everybody has."""

MAX_RATINGS: Final = 500
"""Kept of one person: of more, the oldest go, and last those that say that a memory is wrong."""

UNIT: Final = 10_000
"""Gains and shares are whole numbers of ten-thousandths, so that sums are exact."""

MAX_GAIN: Final = 32_767
"""Of a part; more than any two memories differ by."""

Gains = tuple[int, ...]
"""One of each part in `TUNED`."""

_VERSION: Final = 1
_LOG_BOUND: Final = math.log(BOUND)


class Rating(StrEnum):
    """What a person, or whoever serves them, says of a memory that was recalled."""

    USEFUL = "useful"
    NOT_USEFUL = "not_useful"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Rated:
    """One rating, of one version of a memory."""

    record: RecordId
    version: int
    rating: Rating
    at: datetime
    steps: Gains = ()
    """Of each part in `TUNED`; empty where nothing is learnt."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a memory stood among those that it was shown with."""

    share: int
    gains: Gains

    def steps(self, rating: Rating) -> Gains:
        """What a rating of it teaches."""
        weight = UNIT - self.share if rating is Rating.USEFUL else -self.share
        return tuple(round(weight * gain / UNIT) for gain in self.gains)


@dataclass(frozen=True)
class Feedback:
    """All ratings of one person, the oldest first, each of another memory."""

    ratings: tuple[Rated, ...] = ()

    def rated(self, *news: Rated) -> Feedback:
        """With these ratings; of one memory the newest stays."""
        of: dict[RecordId, Rated] = {}
        for one in (*self.ratings, *news):
            if one.record not in of or of[one.record].at <= one.at:
                of[one.record] = one
        kept = sorted(of.values(), key=lambda one: (one.at, one.record.value))
        excess = len(kept) - MAX_RATINGS
        if excess > 0:
            by_worth = sorted(kept, key=lambda one: one.rating is Rating.WRONG)
            gone = {one.record for one in by_worth[:excess]}
            kept = [one for one in kept if one.record not in gone]
        return Feedback(tuple(kept))

    def of(self, records: Collection[RecordId]) -> Feedback:
        """Only the ratings of these memories."""
        return Feedback(tuple(one for one in self.ratings if one.record in records))

    def unlearnt(self) -> Feedback:
        """Only what says that a memory is wrong, without what was learnt from it."""
        doubts = (one for one in self.ratings if one.rating is Rating.WRONG)
        return Feedback(tuple(replace(one, steps=()) for one in doubts))

    @cached_property
    def factors(self) -> Mapping[str, float]:
        """By part, what the weights of all are multiplied with."""
        taught = [one.steps for one in self.ratings if one.steps]
        return {part: _factor([steps[i] for steps in taught]) for i, part in enumerate(TUNED)}

    @cached_property
    def weights(self) -> Weights:
        """This person's weights."""
        return replace(WEIGHTS, **{p: f * getattr(WEIGHTS, p) for p, f in self.factors.items()})

    @cached_property
    def _doubts(self) -> Mapping[RecordId, int]:
        return {one.record: one.version for one in self.ratings if one.rating is Rating.WRONG}

    def doubted(self, heads: Iterable[MemoryHead]) -> frozenset[RecordId]:
        """Which of these were rated wrong as they are."""
        doubts = self._doubts
        if not doubts:
            return frozenset()
        return frozenset(head.id for head in heads if doubts.get(head.id) == head.version)


def _factor(steps: Sequence[int]) -> float:
    total = sum(steps)
    beyond = max(abs(total) - math.sqrt(sum(step * step for step in steps)), 0.0)
    exponent = min(RATE * beyond / UNIT, _LOG_BOUND)
    factor = min(math.exp(exponent), BOUND)
    return factor if total > 0 else 1 / factor


def standings(parts: Points) -> list[Standing]:
    """Of hits that were shown together, shape (n, parts), as `core.ranking.PARTS` has them."""
    if len(parts) < 2:
        return [Standing(UNIT, (0,) * len(TUNED)) for _ in parts]
    logits = parts.sum(axis=1) / TEMPERATURE
    tuned = parts[:, [PARTS.index(part) for part in TUNED]]
    others = np.where(np.eye(len(parts), dtype=np.bool_), -np.inf, logits)
    gains = tuned - _softmax(others) @ tuned
    whole = np.rint(UNIT * gains).clip(-MAX_GAIN, MAX_GAIN).astype(np.int64).tolist()
    shares = np.rint(UNIT * _softmax(logits)).astype(np.int64).tolist()
    return [Standing(share, tuple(row)) for share, row in zip(shares, whole, strict=True)]


def _softmax(logits: Points) -> Points:
    """Along the last axis."""
    odds: Points = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Points = odds / odds.sum(axis=-1, keepdims=True)
    return shares


def encode_feedback(feedback: Feedback) -> bytes:
    """The bytes to seal."""
    ratings = [
        [str(one.record), one.version, one.rating.value, to_micros(one.at), one.steps]
        for one in feedback.ratings
    ]
    content = {"version": _VERSION, "parts": TUNED, "ratings": ratings}
    return json.dumps(content, separators=(",", ":")).encode()


def decode_feedback(data: bytes) -> Feedback:
    """The opposite; a part that is not tuned any more is left out. Raises `SealError`."""
    with well_formed():
        content = json.loads(data)
        if content["version"] != _VERSION:
            raise ValueError
        parts = content["parts"]
        return Feedback(
            tuple(
                Rated(
                    RecordId(bytes.fromhex(record)),
                    int(version),
                    Rating(rating),
                    from_micros(at),
                    of_parts(dict(zip(parts, of, strict=True))) if of else (),
                )
                for record, version, rating, at, of in content["ratings"]
            )
        )


def of_parts(by_part: Mapping[str, int]) -> Gains:
    """Steps by the name of their part; those of no part in `TUNED` are left out."""
    return tuple(by_part.get(part, 0) for part in TUNED)


def to_points(steps: Gains) -> dict[str, float]:
    """Steps as points by part, for a person to read; empty where nothing is learnt."""
    return {part: step / UNIT for part, step in zip(TUNED, steps, strict=False)}


def from_points(points: Mapping[str, float]) -> Gains:
    """The opposite."""
    return of_parts({part: round(of * UNIT) for part, of in points.items()}) if points else ()
