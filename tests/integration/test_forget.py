"""Forgotten stays forgotten, and nobody else notices."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import memory.app.recall
from memory.app.keyring import Keyring
from memory.app.opened import Reading
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.keys import PersonKeys
from memory.core.residue import Needles
from memory.core.values import PersonId, RawText, RecordId
from memory.errors import ConsentError, ErasureInProgressError, LostRaceError
from memory.ports import ErasureState, MemoryFilter, PersonRow
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
    wait_until,
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


def test_the_scan_before_the_certificate_finds_nothing_and_what_it_looked_for_is_let_go(
    tacit: Tacit,
) -> None:
    grant(tacit)
    store(tacit, "my sister Priya plays the oboe", "I like tea")
    wait_indexed(tacit)
    said = tacit.forget(caller(), ALICE).scan
    assert (said["performed"], said["residues"], said["unread_files"]) == (True, 0, 0)
    assert {"text", "name", "vector", "wrapped_key"} <= set(said["looked_for"])
    assert tacit.eraser._needles == {}


def test_what_another_server_finished_is_not_looked_for_any_longer(tacit: Tacit) -> None:
    needles = Needles()
    needles.add_names(["Priya"])
    tacit.eraser.look_for(RecordId(bytes(16)), needles)
    tacit.eraser.work()
    assert tacit.eraser._needles == {}


def test_someone_whose_first_call_has_not_committed_yet_is_not_taken_for_forgotten(
    tacit: Tacit, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = tacit.recall.keyring.keys

    def keys_and_a_look_for_the_forgotten(person: PersonRow) -> PersonKeys:
        keys = opened(person)
        tacit.eraser.work()
        return keys

    with monkeypatch.context() as patched:
        patched.setattr(
            Keyring, "keys", lambda _, person: keys_and_a_look_for_the_forgotten(person)
        )
        grant(tacit)
    store(tacit, "I like tea")
    recall(tacit, "tea")
    assert len(tacit.recall.keyring.held()) == 1
    assert len(tacit.recall.candidates.opened.held()) == 1


@pytest.mark.parametrize("reached", [ErasureState.FENCED, ErasureState.KEY_DESTROYED])
def test_an_interrupted_forget_is_fenced_and_finished_after_the_next_start(
    folder: Path, reached: ErasureState
) -> None:
    with open_tacit(Config(data=folder)) as tacit:
        grant(tacit)
        store(tacit, "to be forgotten")
        wait_indexed(tacit)
        tacit.eraser.stop()
        erasure = tacit.forget.intake.accept(caller(), ALICE, RecordId(bytes(16)))
        if reached is ErasureState.KEY_DESTROYED:
            tacit.eraser.steps.destroy_key(erasure)
        with pytest.raises(ErasureInProgressError):
            recall(tacit, "forgotten")
        with pytest.raises(ErasureInProgressError):
            store(tacit, "more")
        with pytest.raises(ErasureInProgressError):
            grant(tacit)
    with open_tacit(Config(data=folder)) as tacit:
        wait_until(lambda: tacit.status().pending_erasures == 0)
        assert tacit.status().people == 0
        with pytest.raises(ConsentError):
            recall(tacit, "forgotten")
        assert tacit.forget.get(caller(), erasure.id).memories == 1


def test_how_many_memories_are_left_to_sweep_is_told_meanwhile(tacit: Tacit) -> None:
    grant(tacit)
    store(tacit, "one", "two", "three", "four", "five")
    tacit.eraser.stop()
    erasure = tacit.forget(caller(), ALICE, wait=0)
    assert (erasure.state, erasure.memories) == (ErasureState.KEY_DESTROYED, 5)
    assert tacit.forget.remaining(erasure) == 5
    assert erasure.subject is not None
    with tacit.forget.store.write() as uow:
        uow.delete_rows(erasure.subject, 3)
        uow.commit()
    assert tacit.forget.remaining(tacit.forget.get(caller(), erasure.id)) == 2
    assert tacit.status().erasures == {ErasureState.KEY_DESTROYED: 1}
    tacit.eraser._stop.clear()
    tacit.eraser.work()
    done = tacit.forget.get(caller(), erasure.id)
    assert (done.state, done.memories, tacit.forget.remaining(done)) == (ErasureState.DONE, 5, 0)


def test_the_index_gets_nothing_more_of_a_fenced_person(tacit: Tacit) -> None:
    grant(tacit)
    store(tacit, "first")
    wait_indexed(tacit)
    with tacit.eraser.in_hand(RecordId(bytes(16))):
        erasure = tacit.forget.intake.accept(caller(), ALICE, RecordId(bytes(16)))
        tacit.indexer.work_off()
        assert erasure.collection in tacit.indexer.index.collections()
    done = tacit.eraser.wait(erasure, 30)
    assert (done.state, done.memories) == (ErasureState.DONE, 1)
    assert erasure.collection not in tacit.indexer.index.collections()


def test_what_a_recall_in_flight_opened_is_not_kept_after_the_person_is_forgotten(
    tacit: Tacit, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant(tacit)
    store(tacit, "alice likes tea")
    opened, reached, go = tacit.recall.candidates.opened, threading.Event(), threading.Event()
    ranked = memory.app.recall.rank

    def slowly(*args: Any, **named: Any) -> Any:
        result = ranked(*args, **named)
        reached.set()
        assert go.wait(30)
        tacit.recall.keyring.keys(person)
        with tacit.recall.store.read() as uow:
            reading = Reading(uow, keys.subject, MemoryFilter())
            opened.whole(keys, replace(person, revision=-1), reading)
        opened.feedback(keys, -1, lambda: None)
        opened.aliases(replace(person, revision=-1), (), dict, lambda _: {})
        return result

    def in_flight() -> None:
        with suppress(LostRaceError):  # its event cannot be written once the person is gone
            recall(tacit, "tea")

    with tacit.recall.store.read() as uow:
        row = uow.person(tacit.recall.keyring.ref(caller().tenant, ALICE))
    assert row is not None
    person, keys = row, tacit.recall.keyring.keys(row)
    monkeypatch.setattr(memory.app.recall, "rank", slowly)
    recalling = threading.Thread(target=in_flight)
    recalling.start()
    assert reached.wait(30)
    tacit.forget(caller(), ALICE, wait=0)
    go.set()
    recalling.join()
    assert tacit.eraser.steps.caches.held() == set()


def test_the_epoch_of_a_forgotten_key_goes_at_once_on_request(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, "bob")
    store(tacit, "alice likes tea")
    store(tacit, "I like coffee", person="bob")
    erasure = tacit.forget(caller(), ALICE, at_once=True, wait=60)
    assert erasure.state is ErasureState.DONE
    assert erasure.epoch == 1
    assert erasure.epoch_destroyed_at is not None
    assert erasure.settled
    assert recall(tacit, "coffee", person="bob") == ["I like coffee"]
    assert [(e.number, e.destroyed_at is None) for e in tacit.status().epochs] == [
        (1, False),
        (2, True),
    ]


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
