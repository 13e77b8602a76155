"""The same told by several callers at once is one memory, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from memory.app.remember import Acknowledged
from memory.bootstrap import open_tacit
from memory.config import Config
from memory.core.values import MemoryKind
from tests.integration.conftest import access, draft, grant

CALLERS, TIMES = 4, 16


def test_one_call_stores_and_the_others_find_it(tmp_path: Path, fresh_url: str) -> None:
    with (
        open_tacit(Config(data=tmp_path / "data", database=fresh_url)) as tacit,
        ThreadPoolExecutor(CALLERS) as callers,
    ):
        grant(tacit)

        def tell(kind: MemoryKind) -> Acknowledged:
            return tacit.remember(access(), [draft("I like tea", kind=kind)])[0]

        for kind in (MemoryKind.MESSAGE, MemoryKind.FACT):
            told = list(callers.map(tell, [kind] * TIMES))
            assert [one.merged for one in told].count(False) == 1
            (record,) = {one.memory.id for one in told}
            assert tacit.rectify.get(access(), record).sightings == TIMES
