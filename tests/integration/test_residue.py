"""What an erasure looks for is what is there, and afterwards it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from memory.app import residue
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.residue import Kind, StoreName
from memory.core.values import PersonId, RawText, RecordId
from memory.ports import MemoryFilter, PersonRow
from tests.integration.conftest import access, caller, draft, grant, store, wait_indexed

ALICE = PersonId("alice@example.org")


def row(tacit: Tacit) -> PersonRow:
    with tacit.recall.store.read() as uow:
        found = uow.person(tacit.recall.keyring.ref(access().caller.tenant, PersonId("alice")))
    assert found is not None
    return found


def ids(tacit: Tacit) -> list[RecordId]:
    with tacit.recall.store.read() as uow:
        rows = uow.page_memories(row(tacit).subject, MemoryFilter(), -1, 1000)
    return [memory.id for memory in rows]


def test_all_of_a_person_is_looked_for_and_only_veiled_vectors_and_the_key_are_there(
    tacit: Tacit,
) -> None:
    grant(tacit)
    said = draft("my sister Priyanka plays the harp", speaker=RawText("Tomasz Nowak"))
    tacit.remember(access(), [said, draft("and I water the ferns on Mondays")])
    wait_indexed(tacit)
    needles = tacit.residue.gather(row(tacit), ALICE)
    assert needles.items[Kind.NAME] == 3
    assert needles.items[Kind.VECTOR] == needles.items[Kind.VEILED_VECTOR] == 2
    report = tacit.residue.scanner.scan(needles)
    assert report.unread == []
    assert report.found == {Kind.VEILED_VECTOR: 2, Kind.WRAPPED_KEY: 1}
    assert report.stores[StoreName.CHROMA].found == {Kind.VEILED_VECTOR: 2}
    assert report.stores[StoreName.SQL].found == {Kind.WRAPPED_KEY: 1}
    tacit.forget(caller(), PersonId("alice"))
    assert tacit.residue.scanner.scan(needles).found == {}


def test_some_memories_are_looked_for_without_the_key_which_stays(tacit: Tacit) -> None:
    grant(tacit)
    store(tacit, "I like tea with honey", "I like jazz at night", "I like rain on the roof")
    wait_indexed(tacit)
    needles = tacit.residue.gather(row(tacit), records=ids(tacit)[:2])
    assert (needles.items[Kind.VEILED_VECTOR], needles.items[Kind.WRAPPED_KEY]) == (2, 0)
    assert tacit.residue.scanner.scan(needles).found == {
        Kind.VEILED_VECTOR: 2,
        Kind.SEALED_RECORD: 6,
    }


def test_of_very_many_memories_some_are_looked_for(
    tacit: Tacit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(residue, "MAX_MEMORIES", 2)
    grant(tacit)
    store(tacit, *(f"memory number {i} of the person" for i in range(5)))
    assert tacit.residue.gather(row(tacit)).items[Kind.VECTOR] == 2
    assert tacit.residue.gather(row(tacit), records=ids(tacit)).items[Kind.VECTOR] == 2


def test_a_sealed_person_has_no_veiled_vectors_to_look_for(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "protection.toml").write_text('protection = "sealed"')
    with open_tacit(Config(data=folder, protection=tmp_path / "protection.toml")) as tacit:
        grant(tacit)
        store(tacit, "I like tea with honey")
        wait_indexed(tacit)
        needles = tacit.residue.gather(row(tacit))
        assert needles.items[Kind.VEILED_VECTOR] == 0
        assert tacit.residue.scanner.scan(needles).found == {Kind.WRAPPED_KEY: 1}
