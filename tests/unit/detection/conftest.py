"""One detector for all tests here: patterns alone, everything hidden."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from memory.adapters.detection.analyzer import PresidioDetector
from memory.core.policy import STRICT
from memory.core.values import RawText


@pytest.fixture(scope="session")
def detector() -> PresidioDetector:
    return PresidioDetector(policy=STRICT)


@pytest.fixture(scope="session")
def find(detector: PresidioDetector) -> Callable[..., list[tuple[str, str]]]:
    """(entity type, surface) of what is found in a text; further arguments are known names."""

    def run(text: str, *names: str) -> list[tuple[str, str]]:
        spans = detector.detect(RawText(text), [RawText(name) for name in names])
        return [(s.entity_type, text[s.start : s.end]) for s in spans]

    return run
