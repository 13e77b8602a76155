"""What one server erases, another over the same database lets go of, and finishes if it must."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.values import PersonId, RecordId
from memory.errors import ConsentError, ErasureInProgressError
from memory.ports import ErasureState
from tests.contract.chroma_server import ChromaProcess
from tests.integration.conftest import caller, grant, recall, store, wait_until

ALICE = PersonId("alice")


@pytest.fixture
def pair(tmp_path: Path, new_postgres_database: Callable[[], str]) -> Iterator[tuple[Tacit, Tacit]]:
    """Two servers' insides over one PostgreSQL, one Chroma server and one key file."""
    url = new_postgres_database()
    with ChromaProcess(tmp_path / "chroma") as chroma, ExitStack() as stack:
        one, two = (
            stack.enter_context(
                open_tacit(
                    Config(
                        data=tmp_path / name,
                        database=url,
                        chroma=chroma.url,
                        kek=f"file:{tmp_path / 'kek'}",
                    )
                )
            )
            for name in ("one", "two")
        )
        yield one, two


def test_another_server_drops_what_it_holds_open_of_the_forgotten(
    pair: tuple[Tacit, Tacit],
) -> None:
    one, two = pair
    grant(one)
    store(one, "I like tea")
    assert recall(two, "tea") == ["I like tea"]
    assert len(two.eraser.steps.caches.held()) == 1
    done = one.forget(caller(), ALICE)
    assert done.state is ErasureState.DONE
    with pytest.raises(ConsentError):
        recall(two, "tea")
    wait_until(lambda: two.eraser.steps.caches.held() == set(), 15)
    grant(two)
    assert recall(one, "tea") == []


def test_another_server_finishes_what_one_that_died_began(pair: tuple[Tacit, Tacit]) -> None:
    one, two = pair
    grant(one)
    store(one, "I like tea")
    one.eraser.stop()
    erasure = one.forget.intake.accept(caller(), ALICE, RecordId(bytes(16)))
    assert erasure.state is ErasureState.FENCED
    for server in pair:
        with pytest.raises((ErasureInProgressError, ConsentError)):
            recall(server, "tea")
    wait_until(lambda: one.forget.get(caller(), erasure.id).state is ErasureState.DONE, 60)
    assert two.status().people == 0
