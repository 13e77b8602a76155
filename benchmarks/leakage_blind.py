"""The thief who knows no text of the person: what do the stored vectors tell by themselves?

    as it is      as if stored in plain
    coordinates   each coordinate's mean and variance, matched to those of public text
    sorted        a vector's numbers in order of size, which no shuffling changes
    axes          principal axes matched by their variance, signs by their skewness, then refined by
                  Wasserstein-Procrustes: nearest neighbours, best rotation, again

Rules:
- To align to, the attacker has public text of the same kind, and tries the list of candidates too.
- The best attack counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks.leakage_known import Theft, procrustes
from benchmarks.leakage_schemes import Scheme, unit
from benchmarks.leakage_texts import Matrix

ROUNDS: Final = 8
_AXES: Final = 64
_REFERENCE: Final = 3000


def ciphertext_only(stored: Matrix, views: Sequence[Matrix], public: Sequence[Matrix]) -> float:
    """The share of stored vectors (row i is candidate i) that the best attack names."""
    best = 0.0
    for view, known in zip(views, public, strict=True):
        fits = [_axes(stored, view, reference) for reference in (known, view)]
        if stored.shape[1] == view.shape[1]:
            fits += [
                unit(stored) @ unit(view).T,
                _coordinates(stored, view, known),
                unit(np.sort(stored, axis=1)) @ unit(np.sort(view, axis=1)).T,
            ]
        truth = np.arange(len(stored))
        best = max(best, *(float((fit.argmax(axis=1) == truth).mean()) for fit in fits))
    return best


def _coordinates(stored: Matrix, view: Matrix, known: Matrix) -> Matrix:
    """Puts the coordinates in the order in which public text has such means and variances."""
    ours = np.stack([stored.mean(axis=0), np.log(stored.std(axis=0) + 1e-9)], axis=1)
    theirs = np.stack([known.mean(axis=0), np.log(known.std(axis=0) + 1e-9)], axis=1)
    theirs = (theirs - theirs.mean(axis=0)) / (theirs.std(axis=0) + 1e-9)
    ours = (ours - ours.mean(axis=0)) / (ours.std(axis=0) + 1e-9)
    left = -((theirs[:, None] - ours[None]) ** 2).sum(axis=2)
    order = np.zeros(len(left), np.int64)
    for _ in range(len(left)):
        row, column = np.unravel_index(int(left.argmax()), left.shape)
        order[row] = column
        left[row], left[:, column] = -np.inf, -np.inf
    made: Matrix = unit(stored[:, order]) @ unit(view).T
    return made


def _axes(stored: Matrix, view: Matrix, reference: Matrix) -> Matrix:
    """Principal axes onto principal axes, then nearest neighbours and rotations in turn."""
    ours, theirs = stored - stored.mean(axis=0), reference - reference.mean(axis=0)
    candidates = view - reference.mean(axis=0)
    axes = min(_AXES, ours.shape[1], theirs.shape[1])
    mine, those = _principal(ours, axes), _principal(theirs, axes)
    ours, theirs, candidates = unit(ours @ mine), theirs @ those, unit(candidates @ those)
    theirs = unit(theirs[:_REFERENCE])
    turned = ours
    for _ in range(ROUNDS):
        nearest = (turned @ theirs.T).argmax(axis=1)
        u, _values, vt = np.linalg.svd(ours.T @ theirs[nearest], full_matrices=False)
        turned = ours @ (u @ vt)
    made: Matrix = turned @ candidates.T
    return made


def _principal(rows: Matrix, axes: int) -> Matrix:
    """The first axes, shape (d, axes), turned so that each is skewed to the right."""
    _, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
    chosen = vectors[:, ::-1][:, :axes]
    skew = ((rows @ chosen) ** 3).sum(axis=0)
    made: Matrix = (chosen * np.where(skew < 0, -1, 1)).astype(np.float32)
    return made


def linked(scheme: Scheme, vectors: Matrix) -> float:
    """Two people stored the same texts; the share whose other copy is the nearest of all.

    Compared as they are, and by their numbers in order of size.
    """
    one, other = scheme.store(11, 0, vectors), scheme.store(12, 10**6, vectors)
    truth = np.arange(len(vectors))
    fits = [unit(a) @ unit(b).T for a, b in ((one, other), (np.sort(one, 1), np.sort(other, 1)))]
    return max(float((fit.argmax(axis=1) == truth).mean()) for fit in fits)


def neighbours_told(stored: Matrix, exact: Matrix, seed: int) -> float:
    """How well stored vectors tell which of a person's memories are alike: the chance that the two
    nearest of all pairs look nearer than two others (AUC; 0.5 tells nothing).
    """
    random = np.random.default_rng(seed)
    rows = random.permutation(len(exact))[:1000]
    alike, looks = unit(exact[rows]) @ unit(exact[rows]).T, unit(stored[rows] - stored.mean(0))
    upper = np.triu_indices(len(rows), 1)
    pairs, seen = alike[upper], (looks @ looks.T)[upper]
    near = pairs >= np.quantile(pairs, 0.999)
    others = random.choice(seen[~near], 20_000)
    return float((seen[near][:, None] > others[None]).mean())


def averaged(
    scheme: Scheme, vectors: Matrix, views: Sequence[Matrix], copies: int, known: int, seed: int
) -> float:
    """The share named when each text was stored `copies` times under new ids and the thief, who
    knows which belong together and `known` of them, takes their mean.
    """
    stored = np.mean([scheme.store(7, 10**6 * n, vectors) for n in range(copies)], axis=0)
    order = np.random.default_rng(seed).permutation(len(vectors))
    best = 0.0
    for view in views:
        centered = Theft(
            (stored - stored.mean(axis=0)).astype(np.float32),
            (view - view.mean(axis=0)).astype(np.float32),
        )
        fit = procrustes(centered, order[:known], order[:known], order[known:])
        best = max(best, float((fit.argmax(axis=1) == order[known:]).mean()))
    return best
