"""A person becomes known once, however many of their first decisions come at the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Final

import pytest

from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.values import AssistantId, Caller, PersonId, PurposeId, TenantId

AT_ONCE: Final = 4
CALLER: Final = Caller(TenantId("acme"), AssistantId("bot"), frozenset())


@pytest.fixture
def tacit(tmp_path: Path, fresh_url: str) -> Iterator[Tacit]:
    with open_tacit(Config(data=tmp_path / "data", database=fresh_url)) as opened:
        yield opened


def test_first_consents_at_the_same_moment_all_succeed(tacit: Tacit) -> None:
    together = Barrier(AT_ONCE)

    def say_yes(person: PersonId, assistant: int) -> None:
        together.wait()
        tacit.consents.grant(
            CALLER, person, PurposeId("assistance"), AssistantId(f"bot-{assistant}")
        )

    with ThreadPoolExecutor(AT_ONCE) as callers:
        for number in range(10):
            person = PersonId(f"person-{number}")
            for done in [callers.submit(say_yes, person, one) for one in range(AT_ONCE)]:
                done.result()
            consents = tacit.consents.list(CALLER, person)
            assert len({c.subject for c in consents}) == 1
            assert len(consents) == AT_ONCE
