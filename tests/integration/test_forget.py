"""Forgotten stays forgotten, and nobody else notices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.values import PersonId, RawText
from memory.errors import ConsentError, ErasureInProgressError
from memory.ports import ErasureState
from tests.integration.conftest import (
    access,
    archive,
    caller,
    draft,
    exported,
    grant,
    recall,
    store,
    wait_indexed,
)

ALICE = PersonId("alice")


def test_forget_erases_one_person_and_leaves_the_others(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, "bob")
    store(tacit, "alice likes tea", "alice likes jazz")
    store(tacit, "bob likes coffee", person="bob")
    wait_indexed(tacit)
    before = tacit.recall(access("bob"), RawText("drinks"))
    erasure = tacit.forget(caller(), ALICE)
    assert erasure.state is ErasureState.DONE
    assert (erasure.memories, erasure.consents) == (2, 1)
    assert erasure.subject is None
    with pytest.raises(ConsentError):
        recall(tacit, "tea")
    assert tacit.recall(access("bob"), RawText("drinks")) == before
    assert tacit.status().people == 1


def test_an_unknown_person_is_forgotten_too_with_zeros(tacit: Tacit) -> None:
    erasure = tacit.forget(caller(), PersonId("nobody"))
    assert erasure.state is ErasureState.DONE
    assert (erasure.memories, erasure.consents, erasure.vault_entries) == (0, 0, 0)


def test_someone_who_returns_starts_fresh(tacit: Tacit) -> None:
    grant(tacit)
    tacit.remember(access(), [draft("my sister Priya", request_id="r1")])
    tacit.forget(caller(), ALICE)
    grant(tacit)
    assert recall(tacit, "sister") == []
    again = tacit.remember(access(), [draft("my brother Omar", request_id="r1")])
    assert not again[0].repeated
    assert recall(tacit, "brother") == ["my brother person_1"]


@pytest.mark.parametrize("reached", [ErasureState.FENCED, ErasureState.KEY_DESTROYED])
def test_an_interrupted_forget_is_fenced_and_finished_at_the_next_start(
    folder: Path, reached: ErasureState
) -> None:
    with open_tacit(Config(data=folder)) as tacit:
        grant(tacit)
        store(tacit, "to be forgotten")
        wait_indexed(tacit)
        erasure = tacit.forget._fence(caller(), ALICE)
        if reached is ErasureState.KEY_DESTROYED:
            assert erasure.subject is not None
            tacit.forget._destroy_key(erasure, erasure.subject)
        with pytest.raises(ErasureInProgressError):
            recall(tacit, "forgotten")
        with pytest.raises(ErasureInProgressError):
            store(tacit, "more")
        with pytest.raises(ErasureInProgressError):
            grant(tacit)
    with open_tacit(Config(data=folder)) as tacit:
        assert tacit.status().people == 0
        assert tacit.status().pending_erasures == 0
        with pytest.raises(ConsentError):
            recall(tacit, "forgotten")


def test_the_index_gets_nothing_more_of_a_fenced_person(tacit: Tacit) -> None:
    grant(tacit)
    store(tacit, "first")
    wait_indexed(tacit)
    erasure = tacit.forget._fence(caller(), ALICE)
    tacit.indexer.work_off()
    assert replace(tacit.forget._finish(erasure), started_at=erasure.started_at).memories == 1
    assert erasure.collection not in tacit.indexer.index.collections()


def test_an_export_has_everything_in_the_persons_own_words(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, "bob")
    tacit.remember(access(), [draft("my sister Priya is 30", speaker=RawText("Tomasz"))])
    store(tacit, "bob's own", person="bob")
    lines = exported(tacit)
    assert [line["type"] for line in lines] == ["consent", "pseudonym", "pseudonym", "memory"]
    assert {line["value"] for line in lines if line["type"] == "pseudonym"} == {"Tomasz", "Priya"}
    (memory,) = (line for line in lines if line["type"] == "memory")
    assert (memory["text"], memory["speaker"]) == ("my sister Priya is 30", "Tomasz")
    veiled = archive(tacit, revealed=False).decode()
    assert "Priya" not in veiled
    assert "person_2 is 30" in veiled


def test_an_unknown_persons_export_is_empty(tacit: Tacit) -> None:
    assert exported(tacit, "nobody") == []
