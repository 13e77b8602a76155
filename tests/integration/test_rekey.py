"""A new key for one person: everything of theirs under it, and nothing noticed."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from memory.app.keyring import Keyring
from memory.app.sealing import open_features, open_memory, open_originals
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.keys import PersonKeys
from memory.core.values import PersonId, PersonRef, RecordId
from memory.errors import ErasureInProgressError, SealError
from memory.ports import MemoryFilter, PersonRow, WrappedKey
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
TEXTS = [
    "my sister Priya lives in Leeds",
    "Bob Smith plays the cello",
    "I take the tram at eight",
    "write to priya.k@mail.example about the cello",
]


@pytest.fixture
def tacit(folder: Path) -> Iterator[Tacit]:
    """By index alone: what is searched in memory does not depend on a key."""
    with open_tacit(Config(data=folder, search_in_memory=0)) as opened:
        yield opened


def _row(tacit: Tacit) -> PersonRow:
    with tacit.rekey.store.read() as uow:
        row = uow.person(tacit.rekey.keyring.ref(caller().tenant, ALICE))
    assert row is not None
    return row


def _export(tacit: Tacit) -> list[dict[str, object]]:
    return exported(tacit)


def _rekey(tacit: Tacit, request: str = "r1") -> int:
    return tacit.rekey(caller(), ALICE, request).done


def test_everything_is_as_it_was_under_another_key(tacit: Tacit) -> None:
    grant(tacit)
    first, *_ = store(tacit, *TEXTS)
    said_anew = draft("my sister Priya lives in York with Ola")
    tacit.rectify.update(access(), RecordId.parse(first), lambda _: said_anew)
    wait_indexed(tacit)
    was, before = _export(tacit), _row(tacit)
    assert [line["version"] for line in was if line["type"] == "version"] == [1]
    recalled = recall(tacit, "music")
    old_keys = tacit.rekey.keyring.keys(before)
    assert _rekey(tacit) == 1
    after = _row(tacit)
    new_keys = tacit.rekey.keyring.keys(after)
    assert (after.key_version, new_keys.version) == (2, 2)
    assert old_keys.root != new_keys.root
    assert after.collection != before.collection
    assert _export(tacit) == was
    assert recall(tacit, "music") == recalled
    wait_indexed(tacit)
    assert recall(tacit, "music") == recalled
    held = tacit.indexer.index.collections()
    assert before.collection not in held
    assert held[after.collection] == len(TEXTS)
    assert _opens(tacit, new_keys) == len(TEXTS)
    with pytest.raises(SealError):
        _opens(tacit, old_keys)


def _opens(tacit: Tacit, keys: PersonKeys) -> int:
    with tacit.rekey.store.read() as uow:
        rows = uow.page_memories(keys.subject, MemoryFilter(), -1, 100)
    for row in rows:
        open_memory(keys, row)
        open_features(keys, row)
        open_originals(keys, row)
    return len(rows)


def test_names_keep_their_pseudonyms(tacit: Tacit) -> None:
    grant(tacit)
    store(tacit, *TEXTS)
    before = recall(tacit, "Bob's instrument")
    _rekey(tacit)
    assert recall(tacit, "Bob's instrument") == before
    store(tacit, "Smith called, and so did Priya")
    (said,) = [text for text in recall(tacit, "who called?") if "called" in text]
    assert said == "person_2 called, and so did person_1"


def test_a_request_from_before_is_still_known_after_two_rotations(tacit: Tacit) -> None:
    grant(tacit)
    (first,) = tacit.remember(access(), [draft("I like tea", request_id="x1")])
    for request in ("r1", "r2"):
        _rekey(tacit, request)
        (again,) = tacit.remember(access(), [draft("I like tea", request_id="x1")])
        assert again.repeated
        assert again.memory.id == first.memory.id
    assert _row(tacit).key_version == 3


def test_the_same_request_gives_one_new_key(tacit: Tacit) -> None:
    grant(tacit)
    assert [_rekey(tacit), _rekey(tacit)] == [1, 1]
    assert _row(tacit).key_version == 2


def test_an_unknown_person_has_no_key_to_rotate(tacit: Tacit) -> None:
    assert tacit.rekey(caller(), PersonId("nobody"), "r1").done == 0


def test_someone_being_forgotten_gets_no_new_key(tacit: Tacit) -> None:
    grant(tacit)
    tacit.eraser.stop()
    tacit.forget.intake.accept(caller(), ALICE, RecordId(bytes(16)))
    with pytest.raises(ErasureInProgressError):
        _rekey(tacit)


def test_a_crash_before_the_commit_changes_nothing(
    tacit: Tacit, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant(tacit)
    store(tacit, *TEXTS)
    before, was = _row(tacit), _export(tacit)

    class Crash(BaseException):
        pass

    def crash(*_: object) -> None:
        raise Crash

    unit = type(tacit.rekey.store.write().__enter__())
    monkeypatch.setattr(unit, "add_rotation", crash)
    with pytest.raises(Crash):
        _rekey(tacit)
    monkeypatch.undo()
    assert _row(tacit) == before
    assert _export(tacit) == was
    assert _rekey(tacit) == 1


def test_a_key_that_moved_meanwhile_is_wrapped_again(
    tacit: Tacit, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant(tacit)
    store(tacit, *TEXTS)
    was = _export(tacit)
    honest = tacit.rekey.keyring.wrap
    turns: list[int] = []

    def wrap_then_move(_: Keyring, keys: PersonKeys, ref: PersonRef) -> WrappedKey:
        wrapped = honest(keys, ref)
        if not turns:
            turns.append(1)
            tacit.rotate(caller(), "epoch")
            wait_until(lambda: tacit.rotate(caller(), "epoch").finished_at is not None)
        return wrapped

    monkeypatch.setattr(Keyring, "wrap", wrap_then_move)
    assert _rekey(tacit) == 1
    assert _row(tacit).wrapped_key.epoch == 2
    assert _export(tacit) == was


def test_what_is_said_while_a_key_is_rotated_is_kept(tacit: Tacit) -> None:
    grant(tacit)
    store(tacit, *TEXTS)
    failed: list[BaseException] = []
    said: list[str] = []
    numbers = itertools.count()
    stop = threading.Event()

    def speak() -> None:
        try:
            while not stop.is_set():
                text = f"note number {next(numbers)}"
                (record,) = store(tacit, text)
                said.append(text)
                recall(tacit, "note")
                if len(said) % 3 == 0:
                    assert (
                        tacit.rectify.get(access(), RecordId.parse(record)).content.text.value
                        == text
                    )
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=speak) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(3):
        assert _rekey(tacit, f"turn {turn}") == 1
        assert any(line["type"] == "memory" for line in _export(tacit))
    stop.set()
    for thread in threads:
        thread.join()
    assert failed == []
    texts = sorted(str(line["text"]) for line in _export(tacit) if line["type"] == "memory")
    assert texts == sorted([*TEXTS, *said])
    assert _row(tacit).key_version == 4


def test_an_export_that_began_before_ends_after(
    tacit: Tacit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.app.archive_sections.PAGE", 2)
    monkeypatch.setattr("memory.app.export.PAGE", 2)
    monkeypatch.setattr("memory.app.export.PIECE_BYTES", 1)
    grant(tacit)
    store(tacit, *TEXTS)
    pieces = tacit.export(caller(), ALICE, revealed=True)
    data = b""
    while b'"memory"' not in data:
        data += next(pieces).data
    _rekey(tacit)
    data += b"".join(piece.data for piece in pieces)
    seen = [json.loads(line) for line in data.splitlines()]
    assert sorted(str(line["text"]) for line in seen if line["type"] == "memory") == sorted(TEXTS)


def test_what_is_held_open_in_memory_stays_good(folder: Path) -> None:
    with open_tacit(Config(data=folder)) as tacit:
        grant(tacit)
        store(tacit, *TEXTS)
        recalled = recall(tacit, "music")
        _rekey(tacit)
        assert recall(tacit, "music") == recalled
        store(tacit, "and now the violin")
        assert "and now the violin" in recall(tacit, "music")
