"""The two models at work before a store's transaction: each call of them is one observed step."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from memory.core.values import PseudonymizedText, RawText, Span, Vector
from memory.ports import Detector, Encoder, Observer, Step

DETECTED_AT_ONCE: Final = 2
"""Texts of one batch: the model runs without Python's lock, so that a second core has work too."""


def detect(
    observer: Observer, detector: Detector, texts: Sequence[tuple[RawText, Sequence[RawText]]]
) -> list[tuple[Span, ...]]:
    """The spans of each text, given with the names that are known in it."""
    with observer.step(Step.STORE_DETECT):
        if len(texts) == 1:
            found = [tuple(detector.detect(*texts[0]))]
        else:
            with ThreadPoolExecutor(DETECTED_AT_ONCE) as pool:
                found = [tuple(one) for one in pool.map(lambda one: detector.detect(*one), texts)]
    observer.found(span.entity_type for spans in found for span in spans)
    return found


def embed(observer: Observer, encoder: Encoder, texts: Sequence[PseudonymizedText]) -> Vector:
    """Unit rows (n, d), float32; (0, 0) of no texts."""
    with observer.step(Step.STORE_ENCODE):
        return encoder.encode(texts) if texts else np.empty((0, 0), np.float32)
