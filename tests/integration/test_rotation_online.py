"""A new key epoch while people come, speak and recall; and over a stop of the server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from memory.app.keyring import Keyring
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.keys import PersonKeys
from memory.core.values import PersonRef
from memory.ports import WrappedKey
from tests.integration.conftest import caller, grant, recall, store, wait_until

REQUEST = "a request of the operator"


@pytest.fixture
def tacit(folder: Path) -> Iterator[Tacit]:
    with open_tacit(Config(data=folder)) as opened:
        yield opened


def test_a_rotation_under_way_when_the_server_stops_goes_on_when_it_starts(
    folder: Path,
) -> None:
    config = Config(data=folder)
    with open_tacit(config) as tacit:
        grant(tacit)
        store(tacit, "I like tea")
        tacit.rotate.stop()
        tacit.rotate(caller(), REQUEST)
        assert tacit.status().rotation is not None
    with open_tacit(config) as tacit:
        wait_until(lambda: tacit.rotate(caller(), REQUEST).finished_at is not None)
        status = tacit.status()
        assert (status.key_epoch, status.rotation) == (2, None)
        assert [(e.number, e.keys, e.destroyed_at is None) for e in status.epochs] == [
            (1, 0, False),
            (2, 2, True),
        ]
        assert recall(tacit, "tea") == ["I like tea"]


def test_people_come_and_speak_while_keys_move(tacit: Tacit) -> None:
    failed: list[BaseException] = []
    stop = threading.Event()
    people = [f"person{n}" for n in range(4)]

    def speak(person: str) -> None:
        try:
            grant(tacit, person)
            count = 0
            while not stop.is_set():
                store(tacit, f"note {count}", person=person)
                recall(tacit, "note", person)
                grant(tacit, f"{person}-{count}")
                count += 1
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=speak, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for turn in range(2):
        tacit.rotate(caller(), f"turn {turn}")
        wait_until(lambda turn=turn: tacit.rotate(caller(), f"turn {turn}").finished_at is not None)  # type: ignore[misc]
    stop.set()
    for thread in threads:
        thread.join()
    assert failed == []
    status = tacit.status()
    assert [e.number for e in status.epochs if e.destroyed_at is None] == [3]
    assert status.epochs[-1].keys == status.people + 1


def test_a_new_person_whose_key_was_wrapped_before_the_epoch_moved_gets_another(
    tacit: Tacit, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = tacit.rekey.keyring.wrap
    wrapped: list[WrappedKey] = []

    def wrap_then_move(_: Keyring, keys: PersonKeys, ref: PersonRef) -> WrappedKey:
        wrapped.append(honest(keys, ref))
        if len(wrapped) == 1:
            tacit.rotate(caller(), REQUEST)
            wait_until(lambda: tacit.rotate(caller(), REQUEST).finished_at is not None)
        return wrapped[-1]

    monkeypatch.setattr(Keyring, "wrap", wrap_then_move)
    grant(tacit)
    assert [key.epoch for key in wrapped] == [1, 2]
    store(tacit, "I like tea")
    assert recall(tacit, "tea") == ["I like tea"]
