"""Veiled and sealed: both find, forget and heal, and a person changes from one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.record_format import Place, unseal
from memory.core.segment import decode
from memory.core.values import PersonId, RecordId, TenantId
from memory.ports import MemoryFilter, PersonRow
from tests.integration.conftest import (
    access,
    caller,
    draft,
    exported,
    grant,
    recall,
    store,
    wait_indexed,
    wait_until,
)

ALICE = PersonId("alice")
TEXTS = [f"note {n}: the garden gate was painted in shade number {n}" for n in range(40)]


def _config(folder: Path, table: str) -> Config:
    folder.mkdir(exist_ok=True)
    file = folder.parent / "protection.toml"
    file.write_text(table)
    return Config(data=folder, protection=file, search_in_memory=0)


@pytest.fixture
def sealed(folder: Path) -> Iterator[Tacit]:
    with open_tacit(_config(folder, 'protection = "sealed"')) as opened:
        yield opened


def _person(tacit: Tacit, person: PersonId = ALICE) -> PersonRow:
    keyring = tacit.recall.keyring
    with tacit.recall.store.read() as uow:
        row = uow.person(keyring.ref(TenantId("acme"), person))
    assert row is not None
    return row


def _in_segments(tacit: Tacit) -> list[str]:
    """Record ids in the segments, as SQL holds them."""
    person = _person(tacit)
    keys = tacit.recall.keyring.keys(person)
    with tacit.recall.store.read() as uow:
        heads = uow.segments(person.subject)
        sealed = uow.sealed_segments(person.subject, [head.id for head in heads])
    found: list[str] = []
    for head in heads:
        segment = decode(
            unseal(keys, keys.record, Place(head.id.value, "vectors"), sealed[head.id])
        )
        assert len(segment.records) == head.vectors
        found += map(str, segment.records)
    assert len(found) == len(set(found))
    return found


def test_a_sealed_person_has_nothing_in_the_index(sealed: Tacit) -> None:
    grant(sealed)
    ids = store(sealed, *TEXTS)
    wait_indexed(sealed)
    assert sealed.indexer.index.collections() == {}
    assert sorted(_in_segments(sealed)) == sorted(ids)


def test_sealed_recall_finds_what_is_written_and_what_is_not_yet(sealed: Tacit) -> None:
    grant(sealed)
    store(sealed, *TEXTS)
    wait_indexed(sealed)
    store(sealed, "the violin needs new strings")
    assert recall(sealed, "violin strings", limit=1) == ["the violin needs new strings"]
    wait_indexed(sealed)
    assert recall(sealed, "violin strings", limit=1) == ["the violin needs new strings"]
    assert sorted(recall(sealed, "garden gate", limit=50)) == sorted(
        [*TEXTS, "the violin needs new strings"]
    )


def test_both_modes_answer_alike(folder: Path, tmp_path: Path) -> None:
    answers = []
    for mode in ("sealed", "veiled"):
        config = _config(tmp_path / mode, f'protection = "{mode}"')
        with open_tacit(config) as tacit:
            grant(tacit)
            store(tacit, *TEXTS)
            wait_indexed(tacit)
            answers.append(recall(tacit, "which shade has the gate?", limit=5))
    assert answers[0] == answers[1]


def test_a_deleted_memory_leaves_the_segments(sealed: Tacit) -> None:
    grant(sealed)
    ids = store(sealed, *TEXTS)
    wait_indexed(sealed)
    sealed.erase_memories.one(caller(), ALICE, RecordId.parse(ids[3]))
    assert TEXTS[3] not in recall(sealed, "garden gate", limit=50)
    wait_indexed(sealed)
    assert sorted(_in_segments(sealed)) == sorted(set(ids) - {ids[3]})
    assert TEXTS[3] not in recall(sealed, "garden gate", limit=50)


def test_the_last_deleted_memory_leaves_no_segment(sealed: Tacit) -> None:
    grant(sealed)
    (only,) = store(sealed, "only this")
    wait_indexed(sealed)
    sealed.erase_memories.one(caller(), ALICE, RecordId.parse(only))
    wait_indexed(sealed)
    assert _in_segments(sealed) == []
    assert recall(sealed, "only this") == []


def test_a_corrected_memory_has_only_its_new_vector(sealed: Tacit) -> None:
    grant(sealed)
    ids = store(sealed, *TEXTS)
    wait_indexed(sealed)
    sealed.rectify.update(
        access(), RecordId.parse(ids[0]), lambda d: draft("the violin needs new strings")
    )
    assert recall(sealed, "violin strings", limit=1) == ["the violin needs new strings"]
    wait_indexed(sealed)
    assert sorted(_in_segments(sealed)) == sorted(ids)
    assert recall(sealed, "violin strings", limit=1) == ["the violin needs new strings"]


def test_many_small_stores_make_few_segments(sealed: Tacit) -> None:
    grant(sealed)
    for text in TEXTS:
        store(sealed, text)
        wait_indexed(sealed)
    person = _person(sealed)
    with sealed.recall.store.read() as uow:
        heads = uow.segments(person.subject)
    assert sum(head.vectors for head in heads) == len(TEXTS)
    assert len(heads) <= 6


def test_forgetting_leaves_no_segment_and_nothing_open(sealed: Tacit) -> None:
    grant(sealed)
    store(sealed, *TEXTS)
    wait_indexed(sealed)
    recall(sealed, "garden")
    subject = _person(sealed).subject
    assert sealed.indexer.matrices.held() > 0
    sealed.forget(caller(), ALICE)
    assert sealed.indexer.matrices.held() == 0
    with sealed.recall.store.read() as uow:
        assert uow.segments(subject) == []


def test_an_export_is_whole_in_sealed_mode(sealed: Tacit) -> None:
    grant(sealed)
    store(sealed, *TEXTS)
    wait_indexed(sealed)
    assert sum(line["type"] == "memory" for line in exported(sealed)) == 40


@pytest.mark.parametrize("damage", ["tampered", "lost"])
def test_damaged_segments_are_written_anew_and_recall_goes_on(sealed: Tacit, damage: str) -> None:
    grant(sealed)
    ids = store(sealed, *TEXTS)
    wait_indexed(sealed)
    person = _person(sealed)
    with sealed.recall.store.write() as uow:
        (head,) = uow.segments(person.subject)
        kept = uow.sealed_segments(person.subject, [head.id])[head.id]
        uow.drop_segments(person.subject, [head.id])
        if damage == "tampered":
            broken = type(kept)(kept.value[:-1] + bytes([kept.value[-1] ^ 1]))
            uow.add_segment(person.subject, head._replace(id=RecordId(b"x" * 16)), broken)
        uow.commit()
    sealed.indexer.matrices.forget(person.subject)
    assert sorted(recall(sealed, "garden gate", limit=50)) == sorted(TEXTS)
    wait_until(lambda: sealed.status().unindexed == 0 and len(_whole(sealed)) == len(ids))
    assert sorted(recall(sealed, "garden gate", limit=50)) == sorted(TEXTS)


def _whole(tacit: Tacit) -> list[int]:
    person = _person(tacit)
    with tacit.recall.store.read() as uow:
        heads = uow.segments(person.subject)
    return [1] * sum(h.vectors for h in heads if h.id.value != b"x" * 16)


def test_changing_the_mode_back_and_forth_migrates_everyone(folder: Path) -> None:
    for mode in ("veiled", "sealed", "veiled"):
        with open_tacit(_config(folder, f'protection = "{mode}"')) as tacit:
            if not tacit.status().people:
                grant(tacit)
                store(tacit, *TEXTS)
            assert sorted(recall(tacit, "garden gate", limit=50)) == sorted(TEXTS)
            name = tacit.indexer.veils.collection
            wait_until(lambda: _person(tacit).collection == name(_person(tacit)))  # noqa: B023
            wait_indexed(tacit)
            assert sorted(recall(tacit, "garden gate", limit=50)) == sorted(TEXTS)
            held = sum(tacit.indexer.index.collections().values())
            assert held == (len(TEXTS) if mode == "veiled" else 0)
            assert len(_in_segments(tacit)) == (len(TEXTS) if mode == "sealed" else 0)


def test_a_changed_veil_rebuilds_the_index_and_leaves_none_of_the_old(folder: Path) -> None:
    names = set()
    for noise in ("0.25", "0.5"):
        with open_tacit(_config(folder, f"noise = {noise}")) as tacit:
            if not tacit.status().people:
                grant(tacit)
                store(tacit, *TEXTS)
            name = tacit.indexer.veils.collection
            wait_until(lambda: _person(tacit).collection == name(_person(tacit)))  # noqa: B023
            wait_indexed(tacit)
            assert dict(tacit.indexer.index.collections()) == {_person(tacit).collection: 40}
            names.add(_person(tacit).collection)
            assert sorted(recall(tacit, "garden gate", limit=50)) == sorted(TEXTS)
    assert len(names) == 2


def test_one_tenant_may_be_sealed_beside_veiled_ones(folder: Path) -> None:
    with open_tacit(_config(folder, '[tenants.clinic]\nprotection = "sealed"')) as tacit:
        clinic = caller("clinic")
        tacit.consents.grant(clinic, ALICE, access().purpose, clinic.assistant)
        tacit.remember(access(by=clinic), [draft("a private matter")])
        grant(tacit)
        store(tacit, "an everyday matter")
        wait_indexed(tacit)
        assert list(tacit.indexer.index.collections()) == [_person(tacit).collection]


def test_opened_matrices_keep_to_idle_time_and_budget(sealed: Tacit) -> None:
    grant(sealed)
    store(sealed, *TEXTS)
    wait_indexed(sealed)
    matrices = sealed.indexer.matrices
    now = [0.0]
    small = type(matrices)(lambda: now[0], budget=40 * 384 * 4, idle_seconds=10)
    person = _person(sealed)
    keys = sealed.recall.keyring.keys(person)
    vector = np.ones(384, np.float32)
    with sealed.recall.store.read() as uow:
        assert len(small.query(uow, keys, vector, 7)) == 7
        assert small.held() == 40 * 384 * 4
        now[0] = 9
        small.evict_idle()
        assert small.held() > 0
        now[0] = 10
        small.evict_idle()
        assert small.held() == 0
        assert (small.use().entries, small.use().evicted, small.use().size) == (0, 1, 0)
        tight = type(matrices)(lambda: 0.0, budget=100, idle_seconds=10)
        assert len(tight.query(uow, keys, vector, 100)) == 40
        assert (tight.held(), tight.use().evicted) == (0, 1)
        assert len(uow.heads(person.subject, MemoryFilter())) == 40
