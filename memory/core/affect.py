"""Mood inferred from a text: what was guessed, and from what.

Rules:
- Every inference names the words and rules that led to it: the person can check it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cue:
    """Words in the text, the rule that found them, and what they counted.

    `points` are -4..4 where `rule` is "lexicon", else 0..1 towards frustration.
    """

    rule: str
    words: str
    points: float


@dataclass(frozen=True, slots=True)
class Affect:
    """`valence` -1 (bad) to 1 (good), `frustration` 0 to 1."""

    valence: float
    frustration: float
    cues: tuple[Cue, ...] = ()
