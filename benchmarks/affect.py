"""How often inferred mood is what a reader would say, and how long it takes.

    python -m benchmarks.affect [--json FILE]

48 English messages and 16 in other languages (`affect_texts`). Results: `valence_right`, the share
whose valence has the reader's sign (VADER's own threshold of 0.05 either way);
`valence_by_majority`, what the commonest label alone would get; `frustration_precision`,
`_recall` and `_f1` at 0.3;
`english_judged`, the share of English that is judged at all; `others_judged`, of other languages,
where each one is an error; `message_ms_p50`. What is not judged counts as neutral and calm.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks import frame
from benchmarks.affect_texts import ENGLISH, OTHERS
from memory.adapters.affect_vader import VaderAffect
from memory.core.values import PseudonymizedText

NEUTRAL: Final = 0.05
FRUSTRATED: Final = 0.3
REPEATS: Final = 20


def main(argv: Sequence[str] | None = None) -> None:
    options = frame.parser(__doc__).parse_args(argv)
    estimator = VaderAffect()
    judged = [estimator.estimate(PseudonymizedText(text)) for text, _, _ in ENGLISH]
    signs = [0 if a is None else _sign(a.valence) for a in judged]
    fired = [a is not None and a.frustration >= FRUSTRATED for a in judged]
    truly = [label for _, _, label in ENGLISH]
    hits = sum(f and t for f, t in zip(fired, truly, strict=True))
    precision, recall = hits / max(sum(fired), 1), hits / sum(truly)
    labels = Counter(valence for _, valence, _ in ENGLISH)
    others = [estimator.estimate(PseudonymizedText(text)) for text in OTHERS]
    results = {
        "valence_right": float(
            np.mean([s == valence for s, (_, valence, _) in zip(signs, ENGLISH, strict=True)])
        ),
        "valence_by_majority": max(labels.values()) / len(ENGLISH),
        "frustration_precision": precision,
        "frustration_recall": recall,
        "frustration_f1": 2 * hits / (sum(fired) + sum(truly)),
        "english_judged": float(np.mean([a is not None for a in judged])),
        "others_judged": float(np.mean([a is not None for a in others])),
        "message_ms_p50": float(np.median([_timed(estimator, t) for t, _, _ in ENGLISH * REPEATS])),
    }
    rows: list[list[frame.Figure]] = [[name, value] for name, value in results.items()]
    frame.publish("affect", options, results, [frame.table("Affect", ["", "value"], rows)])


def _sign(valence: float) -> int:
    return (valence >= NEUTRAL) - (valence <= -NEUTRAL)


def _timed(estimator: VaderAffect, text: str) -> float:
    start = time.perf_counter()
    estimator.estimate(PseudonymizedText(text))
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()
