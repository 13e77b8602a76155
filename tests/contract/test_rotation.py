"""A new key epoch, on either database: verified, resumed wherever it was cut off, nothing lost."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memory.adapters.key_file import KeyFile
from memory.app.keyring import Keyring
from memory.app.rotate import Rotate
from memory.core.keys import root_aad
from memory.core.values import PersonId, Secret
from memory.errors import KeyMovedError, KeyUnavailableError, RotationInProgressError
from memory.ports import WrappedKey
from tests.contract.deployment import ACME, OPERATOR, Deployment
from tests.contract.rows import an_erasure

REQUEST = "a request of the operator"


@pytest.fixture
def at(tmp_path: Path, url: str) -> Iterator[Deployment]:
    deployment = Deployment(url, KeyFile.create(tmp_path / "tacit.key"))
    yield deployment
    deployment.store.close()


def test_every_key_moves_and_the_old_epoch_dies(at: Deployment) -> None:
    at.add(150)
    before = at.keys()
    rotate = at.rotator()
    assert rotate(OPERATOR, REQUEST).finished_at is None
    assert rotate.work()
    done = rotate(OPERATOR, REQUEST)
    assert (done.epoch, done.done, done.total) == (2, 151, 151)
    assert done.finished_at is not None
    assert at.epochs() == ([2], {2: 151})
    assert at.keys() == before
    with at.store.read() as uow:
        assert [e.number for e in uow.key_epochs() if e.destroyed_at is None] == [2]


def test_a_rotation_asked_for_twice_is_one_and_another_waits_its_turn(at: Deployment) -> None:
    rotate = at.rotator()
    rotate(OPERATOR, REQUEST)
    rotate(OPERATOR, REQUEST)
    with pytest.raises(RotationInProgressError):
        rotate(OPERATOR, "another request")
    rotate.work()
    assert rotate(OPERATOR, REQUEST).epoch == 2
    rotate.work()
    assert at.epochs()[0] == [2]
    assert rotate(OPERATOR, "another request").finished_at is None
    rotate.work()
    assert at.epochs()[0] == [3]


class Crash(BaseException):
    """As if the process ended here: nothing of ours catches it."""


class Mortal(KeyFile):
    """A provider at whose n-th call, before or after it took effect, the process ends."""

    dies_at = -1
    calls = 0

    def _step(self) -> None:
        type(self).calls += 1
        if self.calls == self.dies_at:
            raise Crash

    def wrap(self, key: Secret, aad: bytes, epoch: int) -> WrappedKey:
        self._step()
        return super().wrap(key, aad, epoch)

    def unwrap(self, wrapped: WrappedKey, aad: bytes) -> Secret:
        self._step()
        return super().unwrap(wrapped, aad)

    def new_epoch(self) -> int:
        self._step()
        number = super().new_epoch()
        self._step()
        return number

    def destroy_epoch(self, number: int) -> None:
        self._step()
        super().destroy_epoch(number)
        self._step()


def test_a_crash_at_every_call_to_the_provider_is_resumed_and_loses_nothing(
    at: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.app.rotate.BATCH", 2)
    at.add(3)
    before = at.keys()
    boundaries = 0
    for turn in range(1, 100):
        monkeypatch.setattr(Mortal, "calls", 0)
        monkeypatch.setattr(Mortal, "dies_at", turn)
        rotate = at.rotator(Mortal.open(tmp_path / "tacit.key"))
        epoch = at.epochs()[0][-1]
        rotate(OPERATOR, f"request {turn}")
        try:
            rotate.work()
        except Crash:
            boundaries += 1
        else:
            break
        assert at.keys() == before
        _end_lease(at)
        resumed = at.rotator()
        assert resumed.work()
        assert resumed(OPERATOR, f"request {turn}").finished_at is not None
        assert at.keys() == before
        assert at.epochs() == ([epoch + 1], {epoch + 1: 4})
    assert boundaries > 15


def test_another_worker_waits_for_the_lease_of_the_one_that_leads(at: Deployment) -> None:
    at.add(3)
    first, second = at.rotator(), at.rotator()
    first(OPERATOR, REQUEST)
    assert first._claim() is not None
    second.work()
    assert at.epochs() == ([1], {1: 4})
    _end_lease(at)
    second.work()
    first(OPERATOR, "its own request")
    with at.store.write() as uow:
        second._require_lease(uow)
        with pytest.raises(KeyUnavailableError, match="another server leads"):
            first._require_lease(uow)
    assert at.epochs() == ([2], {2: 4})


def test_two_rotators_at_once_do_no_harm(at: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if a lease ran out under a worker that lives."""
    monkeypatch.setattr("memory.app.rotate.BATCH", 2)
    at.add(20)
    before = at.keys()
    rotators = [at.rotator(), at.rotator()]
    rotators[0](OPERATOR, REQUEST)
    stop = threading.Event()

    def steal() -> None:
        while not stop.wait(0.02):
            _end_lease(at)

    def work(rotate: Rotate) -> None:
        for _ in range(200):
            try:
                rotate.work()
            except KeyUnavailableError:
                continue
            if rotate(OPERATOR, REQUEST).finished_at is not None:
                return

    threads = [threading.Thread(target=work, args=(rotate,)) for rotate in rotators]
    thief = threading.Thread(target=steal)
    for thread in (*threads, thief):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    thief.join()
    rotators[0].work()
    assert at.keys() == before
    alive, counts = at.epochs()
    assert counts == {alive[-1]: 21}


def test_a_key_wrapped_before_the_root_moved_is_not_let_in_after_it(at: Deployment) -> None:
    ref = at.keyring.ref(ACME, PersonId("late"))
    person = at.keyring.new_person(ACME, ref, datetime.now(UTC))
    rotate = at.rotator()
    rotate(OPERATOR, REQUEST)
    rotate.work()
    with at.store.write() as uow, pytest.raises(KeyMovedError):
        uow.add_person(person)
    assert at.add(1)[0].wrapped_key.epoch == 2


def test_someone_being_forgotten_does_not_hold_a_rotation_up(at: Deployment) -> None:
    person, _ = at.add(2)
    with at.store.write() as uow:
        uow.fence(person.subject, an_erasure(person))
        uow.destroy_person_key(person.subject)
        uow.commit()
    rotate = at.rotator()
    rotate(OPERATOR, REQUEST)
    assert rotate.work()
    assert at.epochs() == ([2], {2: 2})


def test_a_damaged_key_keeps_the_old_epoch_alive(at: Deployment) -> None:
    good, bad = at.add(2)
    broken = replace(bad.wrapped_key, value=bad.wrapped_key.value[:-1] + b"\0\0")
    with at.store.write() as uow:
        assert uow.replace_key(bad, broken)
        uow.commit()
    rotate = at.rotator()
    rotate(OPERATOR, REQUEST)
    assert not rotate.work()
    assert rotate(OPERATOR, REQUEST).finished_at is None
    assert at.epochs() == ([1, 2], {1: 1, 2: 2})
    with at.store.write() as uow:  # it is brought back from a backup
        assert uow.replace_key(replace(bad, wrapped_key=broken), bad.wrapped_key)
        uow.commit()
    assert rotate.work()
    assert at.epochs() == ([2], {2: 3})
    assert set(at.keys()) == {good.subject.value, bad.subject.value}


def test_a_key_that_is_not_what_the_records_commit_to_keeps_the_old_epoch_alive(
    at: Deployment,
) -> None:
    """As if something had put another good key into the row."""
    person = at.add(1)[0]
    aad = root_aad(person.tenant, person.ref, person.subject, 1)
    other = at.provider.wrap(Secret(os.urandom(32)), aad, 1)
    with at.store.write() as uow:
        assert uow.replace_key(person, other)
        uow.commit()
    rotate = at.rotator()
    rotate(OPERATOR, REQUEST)
    assert not rotate.work()
    assert at.epochs()[0] == [1, 2]


def test_a_reader_with_a_row_from_before_still_gets_its_key_after(at: Deployment) -> None:
    person = at.add(1)[0]
    rotate = at.rotator()
    rotate(OPERATOR, REQUEST)
    rotate.work()
    cold = Keyring(at.store, at.provider, os.urandom, time.monotonic, max_age=60)
    assert cold.keys(person) == at.keys()[person.subject.value]


def _end_lease(at: Deployment) -> None:
    with at.store._engines.writers.connect() as connection:
        connection.exec_driver_sql("UPDATE rotations SET claimed_until = 0")
