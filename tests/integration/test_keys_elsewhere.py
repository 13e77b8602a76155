"""Key-encryption keys outside the data folder: what a provider that fails does, and does not do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memory.adapters.key_file import KeyFile
from memory.adapters.key_opening import open_keys
from memory.adapters.sql.store import SqlStore, open_store
from memory.app.keyring import Keyring
from memory.bootstrap import open_tacit
from memory.config import Config
from memory.core.values import PersonId, Secret, TenantId
from memory.errors import ConfigurationError, KeyFileError, KeyUnavailableError, SealError
from memory.ports import PersonRow, WrappedKey
from tests.integration.conftest import grant, recall, store

ACME = TenantId("acme")
AGE = 60


class Failing(KeyFile):
    """A key file whose provider can be made to fail, and counts what it was asked."""

    error: Exception | None = None
    asked = 0

    def unwrap(self, wrapped: WrappedKey, aad: bytes) -> Secret:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return super().unwrap(wrapped, aad)


class Bench:
    """A keyring over a real store, with one person and a clock to move."""

    def __init__(self, folder: Path, store: SqlStore) -> None:
        self.provider = Failing.create(folder / "key")
        self.now = 0.0
        self.store = store
        self.keyring = Keyring(store, self.provider, os.urandom, lambda: self.now, max_age=AGE)
        self.person = self.add("alice")

    def add(self, name: str) -> PersonRow:
        ref = self.keyring.ref(ACME, PersonId(name))
        person = self.keyring.new_person(ACME, ref, datetime.now(UTC))
        with self.store.write() as uow:
            uow.add_person(person)
            uow.commit()
        return person


@contextmanager
def _bench(folder: Path) -> Iterator[Bench]:
    folder.mkdir()
    store = open_store(f"sqlite:///{folder / 'tacit.db'}")
    yield Bench(folder, store)
    store.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with _bench(tmp_path / "bench") as bench:
        yield bench


def test_a_key_in_use_outlives_its_provider_for_as_long_as_it_may(bench: Bench) -> None:
    keys = bench.keyring.keys(bench.person)
    bench.provider.error = KeyUnavailableError("down")
    bench.now = AGE - 1
    assert bench.keyring.keys(bench.person) == keys
    bench.now = AGE
    with pytest.raises(KeyUnavailableError, match="down"):
        bench.keyring.keys(bench.person)
    bench.provider.error = None
    assert bench.keyring.keys(bench.person) == keys


def test_a_key_in_use_is_not_asked_for_again_before_its_age(bench: Bench) -> None:
    for _ in range(5):
        bench.keyring.keys(bench.person)
    asked = bench.provider.asked
    bench.now = AGE
    for _ in range(5):
        bench.keyring.keys(bench.person)
    assert bench.provider.asked == asked + 1


def test_a_provider_that_refuses_loses_nothing(bench: Bench) -> None:
    for error in (KeyUnavailableError("refuses"), SealError("damaged")):
        bench.provider.error = error
        bench.now += AGE
        with pytest.raises(type(error)):
            bench.keyring.keys(bench.person)
    bench.provider.error = None
    with bench.store.read() as uow:
        assert uow.person(bench.person.ref) == bench.person
    bench.keyring.keys(bench.person)


def test_a_key_file_that_vanishes_while_in_use_stops_nobody(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "bench" / "key").unlink()
    bench.now += AGE
    bench.keyring.keys(bench.person)
    bench.add("bob")


def test_memories_sealed_under_a_token_are_there_after_a_restart(
    folder: Path, new_token: Callable[[], str]
) -> None:
    config = Config(data=folder, kek=new_token())
    with open_tacit(config) as tacit:
        grant(tacit)
        store(tacit, "I like tea")
    assert not (folder / "tacit.key").exists()
    with open_tacit(config) as tacit:
        assert recall(tacit, "tea") == ["I like tea"]
    with pytest.raises(KeyFileError, match="a new"):
        open_tacit(Config(data=folder, kek=new_token()))


@pytest.mark.parametrize(
    ("kek", "problem"),
    [
        ("pkcs11:token=t?module-path=/m&pin-value=1234", "no PIN in a setting"),
        ("pkcs11:token=t?module-path=/m", "needs token="),
        ("pkcs11:token=t?module-path=/m&pin-source=/none", "the PIN file /none"),
        ("aws-kms:tacit?region=eu-central-1&days=7", "unknown option 'days'"),
        ("aws-kms:tacit?pending_days=3", "pending_days must be a number from 7 to 30"),
        ("vault:tacit?token=s.abc", "unknown option 'token'"),
        ("vault:tacit?token_file=/none", "token file /none"),
        ("vault:tacit?timeout=soon", "timeout must be"),
        ("aws-kms:?region=x", "say aws-kms:NAME"),
        ("carrier-pigeon:coop", "no key provider"),
    ],
)
def test_a_kek_that_is_wrong_says_what_is_wrong(kek: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        open_keys(kek, None)


@pytest.mark.parametrize(
    ("kek", "library", "extra"),
    [
        ("pkcs11:token=t?module-path=/m&pin-source=PIN", "pkcs11", "pkcs11"),
        ("aws-kms:tacit?region=x", "boto3.session", "kms"),
        ("vault:tacit", "hvac", "vault"),
    ],
)
def test_a_missing_extra_says_what_to_install(
    kek: str, library: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    (tmp_path / "pin").write_text("1")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigurationError, match=rf"tacit-memory\[{extra}\]"):
        open_keys(kek.replace("PIN", str(tmp_path / "pin")), None)
