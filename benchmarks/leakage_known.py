"""The thief who also knows some of the texts: how many, until half of the rest can be named?

Every attack makes a guess for the stored form of each candidate, or for the plain form of each
stored vector, from n known pairs; a stored vector is named by the nearest candidate.

    profile       like a known text in plain, like it as stored
    forwards      least squares from plain to stored (also what matches codes)
    backwards     least squares from stored to plain
    procrustes    the best rotation
    permutation   the best order of coordinates
    bootstrap     forwards again, with what it named most surely taken as known, six times

Rules:
- The attacker knows the scheme, has every stored vector and a list with all of the texts among
  others; the best attack counts, with the better of two strengths of ridge, as if by an oracle.
- Vectors are centered: by the mean of all candidates, and of all that is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.leakage_schemes import unit
from benchmarks.leakage_texts import Matrix

Indices = NDArray[np.int64]

COUNTS: Final = (0, 10, 25, 50, 75, 100, 150, 200, 250, 300, 400, 600, 800)
TESTED: Final = 400
RIDGES: Final = (0.1, 1.0)
_SHARES: Final = (0.1, 0.2, 0.35, 0.5, 0.7, 0.8)
"""Of the rest, how much the bootstrap takes as known in each round."""


@dataclass(frozen=True, slots=True)
class Theft:
    """What is stored, row i being candidate i, and every candidate in one view of the scheme."""

    stored: Matrix
    view: Matrix


def theft(stored: Matrix, view: Matrix) -> Theft:
    """Centered."""
    return Theft(
        (stored - stored.mean(axis=0)).astype(np.float32),
        (view - view.mean(axis=0)).astype(np.float32),
    )


Attack = Callable[[Theft, Indices, Indices, Indices], Matrix]
"""From stolen data, known rows, the candidates they are taken for, and rows to name: how well
each candidate fits, shape (rows, candidates)."""


def profile(theft: Theft, known: Indices, said: Indices, rows: Indices) -> Matrix:
    alike = unit(theft.stored[rows]) @ unit(theft.stored[known]).T
    made: Matrix = alike @ (unit(theft.view[said]) @ unit(theft.view).T)
    return made


def forwards(ridge: float) -> Attack:
    def attack(theft: Theft, known: Indices, said: Indices, rows: Indices) -> Matrix:
        plain = theft.view[said]
        fitted = plain.T @ _solve(plain, ridge, theft.stored[known])
        # Cosines to `view @ fitted`, without making it: it is wide, and of low rank.
        lengths = np.sqrt(((theft.view @ (fitted @ fitted.T)) * theft.view).sum(axis=1))
        seen = unit(theft.stored[rows]) @ fitted.T
        made: Matrix = (seen @ theft.view.T) / np.maximum(lengths, 1e-9)
        return made

    return attack


def backwards(ridge: float) -> Attack:
    def attack(theft: Theft, known: Indices, said: Indices, rows: Indices) -> Matrix:
        stored = theft.stored[known]
        guess = theft.stored[rows] @ (stored.T @ _solve(stored, ridge, theft.view[said]))
        made: Matrix = unit(guess) @ unit(theft.view).T
        return made

    return attack


def procrustes(theft: Theft, known: Indices, said: Indices, rows: Indices) -> Matrix:
    u, values, vt = np.linalg.svd(theft.stored[known].T @ theft.view[said], full_matrices=False)
    rank = int((values > 1e-6 * values[0]).sum())
    made: Matrix = (theft.stored[rows] @ u[:, :rank]) @ (unit(theft.view) @ vt[:rank].T).T
    return made


def permutation(theft: Theft, known: Indices, said: Indices, rows: Indices) -> Matrix:
    alike = theft.view[said].T @ theft.stored[known]
    order = _assign(alike)
    made: Matrix = unit(theft.stored[rows][:, order]) @ unit(theft.view).T
    return made


def _assign(alike: Matrix) -> Indices:
    """For each row a column of its own, most alike first."""
    left = alike.copy()
    order = np.zeros(len(alike), np.int64)
    for _ in range(len(alike)):
        row, column = np.unravel_index(int(left.argmax()), left.shape)
        order[row] = column
        left[row], left[:, column] = -np.inf, -np.inf
    return order


def _solve(rows: Matrix, ridge: float, targets: Matrix) -> Matrix:
    """The dual form of ridge regression: (K + λI)⁻¹ targets."""
    gram = rows @ rows.T
    gram[np.diag_indices_from(gram)] += ridge * float(np.trace(gram)) / len(gram) + 1e-6
    made: Matrix = np.linalg.solve(gram, targets)
    return made


def bootstrap(theft: Theft, known: Indices, rest: Indices, tested: Indices) -> float:
    """The share of `tested` (the last of `rest`) named after the last round."""
    attack = forwards(RIDGES[-1])
    rows, said = known, known
    named = 0.0
    for share in _SHARES:
        fit = attack(theft, rows, said, rest)
        guess = fit.argmax(axis=1)
        named = max(named, float((guess[-len(tested) :] == tested).mean()))
        top = np.partition(fit, -2, axis=1)[:, -2:]
        sure = np.argsort(top[:, 0] - top[:, 1])[: int(share * len(rest))]
        rows, said = np.concatenate([known, rest[sure]]), np.concatenate([known, guess[sure]])
    return named


def named_by(
    thefts: Sequence[Theft], count: int, order: Indices, tested: int = TESTED
) -> dict[str, float]:
    """For each attack the share of the rest it names with the first `count` of `order` known."""
    known, rest, rows = order[:count], order[count:], order[-tested:]
    best: dict[str, float] = {}
    attacks: dict[str, list[Attack]] = {
        "profile": [profile],
        "forwards": [forwards(ridge) for ridge in RIDGES],
        "backwards": [backwards(ridge) for ridge in RIDGES],
        "procrustes": [procrustes],
    }
    for theft_ in thefts:
        if theft_.stored.shape[1] == theft_.view.shape[1]:
            attacks["permutation"] = [permutation]
        for name, kinds in attacks.items():
            for attack in kinds:
                fit = attack(theft_, known, known, rows)
                share = float((fit.argmax(axis=1) == rows).mean())
                best[name] = max(best.get(name, 0.0), share)
        attacks.pop("permutation", None)
        if best["forwards"] > 0.02:
            share = bootstrap(theft_, known, rest, rows)
            best["bootstrap"] = max(best.get("bootstrap", 0.0), share)
    return best


def curve(thefts: Sequence[Theft], stored: int, seed: int) -> dict[int, dict[str, float]]:
    """Shares by number of known pairs, until more than half is named or pairs run out."""
    order = np.random.default_rng(seed).permutation(stored)
    tested = min(TESTED, stored // 3)
    found: dict[int, dict[str, float]] = {}
    for count in COUNTS:
        if count + tested > stored:
            break
        if count == 0:
            found[0] = {"none": _as_it_is(thefts, order[-tested:])}
        else:
            found[count] = named_by(thefts, count, order, tested)
        if max(found[count].values()) > 0.5:
            break
    return found


def _as_it_is(thefts: Sequence[Theft], rows: Indices) -> float:
    """Without any pair: compared as if stored in plain."""
    shares = [
        float(((unit(t.stored[rows]) @ unit(t.view).T).argmax(axis=1) == rows).mean())
        for t in thefts
        if t.stored.shape[1] == t.view.shape[1]
    ]
    return max(shares, default=0.0)


def pairs_to_half(found: Mapping[int, Mapping[str, float]]) -> int | None:
    """Known pairs at which half is named, on a line between the counts tried; None: never."""
    before, below = 0, 0.0
    for count, shares in sorted(found.items()):
        share = max(shares.values())
        if share > 0.5:
            step = (0.5 - below) / (share - below) if count else 0.0
            return int(before + step * (count - before))
        before, below = count, share
    return None
