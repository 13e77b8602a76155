"""How long detection and pseudonymization take: a message, a long message, a hostile text.

    python -m benchmarks.detection_speed [--json FILE]

Results: `message_ms_p50` and `_p95` for messages of 20 words (detect, hash, plan, replace),
`detect_ms_p50` of it, `prose_ms` for 10,000 characters of prose, and `hostile_ms`: the slowest of
the hostile texts of 10,000 characters, each the best of three, with its name in `hostile_text`.
Also in processor time (`*_cpu_ms`), which a busy machine distorts less.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from benchmarks import frame
from memory.adapters.detection.analyzer import PresidioDetector
from memory.adapters.detection.anonymizer import PresidioAnonymizer
from memory.adapters.detection.catalogue import Catalogue
from memory.adapters.detection.shipped import shipped_model
from memory.core.policy import STRICT
from memory.core.pseudonyms import blind, plan
from memory.core.values import RawText, Secret

REPEATS: Final = 300
SIZE: Final = 10_000
MESSAGES: Final = (
    "I met my friend Marlene Okoye at the park yesterday and we spoke of her job there",
    "my brother Tomas lives at 14 Birch Lane and his number is 212-555-0148 please remind me call",
    "what should I cook tonight for six people when two of them do not eat meat or any dairy",
    "can you move the dentist to next week and tell Dr. Haddad i will bring the old x-rays",
)
PROSE: Final = (
    "Then Anneliese told the neighbour about the long journey to the sea with her friend Jo. "
)
HOSTILE: Final = (
    *("1-", "1 ", "a ", "a.", "a@b.", "::1 ", "12/12/", "1.1.1.", "999-99-9999 ", "4111 ", "漢"),
    *("http://", "MRN-1026861 ", "12 oak st, ", "password is ", "one ", "Zq Xv ", "xy ", "x1 "),
    *("eyJa.", "my sister Anna ", "jane at example dot com ", "\u0301", "👩‍👩‍👧", "Aa Bb "),
)


def main(argv: Sequence[str] | None = None) -> None:
    options = frame.parser(__doc__).parse_args(argv)
    detector = PresidioDetector(Catalogue(shipped_model()), STRICT)
    anonymizer, key = PresidioAnonymizer(), Secret(b"k" * 32)

    def store(text: RawText) -> None:
        spans = detector.detect(text)
        anonymizer.replace(text, spans, plan(blind(text, spans, key), {}, {}).names)

    messages = [RawText(text) for text in MESSAGES]
    whole = [timed(store, messages[i % len(messages)]) for i in range(REPEATS)]
    alone = [timed(detector.detect, messages[i % len(messages)]) for i in range(REPEATS)]
    prose = RawText((PROSE * SIZE)[:SIZE])
    worst = {atom: best(detector.detect, RawText((atom * SIZE)[:SIZE])) for atom in HOSTILE}
    slowest = max(worst, key=lambda atom: worst[atom][0])
    prose_ms, prose_cpu_ms = best(detector.detect, prose)
    wall = np.array(whole)
    results: dict[str, float | str] = {
        "message_ms_p50": float(np.percentile(wall[:, 0], 50)),
        "message_ms_p95": float(np.percentile(wall[:, 0], 95)),
        "message_ms_min": float(wall[:, 0].min()),
        "message_cpu_ms_p50": float(np.percentile(wall[:, 1], 50)),
        "detect_ms_p50": float(np.percentile(np.array(alone)[:, 0], 50)),
        "prose_ms": prose_ms,
        "prose_cpu_ms": prose_cpu_ms,
        "hostile_ms": worst[slowest][0],
        "hostile_cpu_ms": worst[slowest][1],
        "hostile_text": repr(slowest),
    }
    rows = [[name, value] for name, value in results.items()]
    frame.publish("detection_speed", options, results, [frame.table("Detection", ["", "ms"], rows)])


def timed(work: Callable[[RawText], object], text: RawText) -> tuple[float, float]:
    """Wall and processor time in milliseconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work(text)
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)


def best(work: Callable[[RawText], object], text: RawText) -> tuple[float, float]:
    """The quickest of three."""
    return min(timed(work, text) for _ in range(3))


if __name__ == "__main__":
    main()
