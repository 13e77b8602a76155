"""RebuildIndex: what is wrong in the index is put right when an operator asks."""

from __future__ import annotations

from pathlib import Path

from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.values import AssistantId, Caller, PersonId, RecordId, TenantId
from memory.ports import OperatorAction
from tests.integration.conftest import caller, grant, recall, store, wait_indexed

TEXTS = ("the kettle is blue", "a train to the coast", "my sister plays chess")


def _index(tacit: Tacit, person: str = "alice") -> str:
    keyring = tacit.recall.keyring
    with tacit.forget.store.read() as uow:
        row = uow.person(keyring.ref(caller().tenant, PersonId(person)))
    assert row is not None
    return row.collection


def _lose(tacit: Tacit, ids: list[str]) -> None:
    """Vectors that are in SQL and in no index."""
    index, name = tacit.indexer.index, _index(tacit)
    index.delete(name, [RecordId.parse(id_) for id_ in ids])
    assert index.count(name) == 0


def test_a_person_is_indexed_anew_and_recalled_meanwhile(folder: Path) -> None:
    with open_tacit(Config(data=folder, search_in_memory=0)) as tacit:
        grant(tacit)
        grant(tacit, "bob")
        ids = store(tacit, *TEXTS)
        store(tacit, "bob pours tea", person="bob")
        wait_indexed(tacit)
        bobs = _index(tacit, "bob")
        _lose(tacit, ids)
        assert tacit.reindex(caller(), PersonId("alice")) == len(TEXTS)
        assert recall(tacit, "what colour is the kettle?", limit=1) == [TEXTS[0]]
        wait_indexed(tacit)
        assert tacit.indexer.index.count(_index(tacit)) == len(TEXTS)
        assert _index(tacit, "bob") == bobs
        assert recall(tacit, "what colour is the kettle?", limit=1) == [TEXTS[0]]


def test_everyone_of_the_tenant_and_nobody_else_is_indexed_anew(tacit: Tacit) -> None:
    for person in ("alice", "bob"):
        grant(tacit, person)
        store(tacit, *TEXTS, person=person)
    wait_indexed(tacit)
    elsewhere = Caller(TenantId("elsewhere"), AssistantId("operator"), frozenset())
    before = _index(tacit)
    assert tacit.reindex(elsewhere, None) == 0
    assert tacit.reindex(elsewhere, PersonId("alice")) == 0
    assert _index(tacit) == before
    assert tacit.reindex(caller(), None) == 2 * len(TEXTS)
    wait_indexed(tacit)
    assert sorted(tacit.indexer.index.collections().values()) == [len(TEXTS)] * 2


def test_it_is_written_down_and_an_unknown_person_has_nothing(tacit: Tacit) -> None:
    assert tacit.reindex(caller(), PersonId("nobody")) == 0
    with tacit.forget.store.read() as uow:
        events = uow.operator_events(10)
    assert [event.action for event in events] == [OperatorAction.REINDEX]
