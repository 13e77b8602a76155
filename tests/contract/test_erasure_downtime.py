"""What an erasure needs is down: accepted and fenced at once, finished when it is back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from memory.bootstrap import Tacit, open_tacit, utc_now
from memory.config import Config
from memory.core.values import PersonId, RawText, SubjectId
from memory.errors import ConsentError, ErasureInProgressError, KeyUnavailableError
from memory.ports import ErasureState, OperatorAction, PersonRow
from tests.contract import key_servers
from tests.contract.chroma_server import ChromaProcess
from tests.contract.conftest import administer
from tests.contract.slow_proxy import SlowProxy
from tests.integration.conftest import (
    access,
    caller,
    grant,
    recall,
    store,
    wait_indexed,
    wait_until,
)

ALICE = PersonId("alice")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@contextmanager
def _two_people(config: Config) -> Iterator[Tacit]:
    with open_tacit(config) as tacit:
        grant(tacit)
        grant(tacit, "bob")
        store(tacit, "alice has tea")
        store(tacit, "I like coffee", person="bob")
        wait_indexed(tacit)
        yield tacit


def test_while_chroma_is_down_an_erasure_waits_fenced_and_goes_on_by_itself(
    folder: Path, tmp_path: Path
) -> None:
    with ChromaProcess(tmp_path / "chroma") as chroma:
        config = Config(data=folder, chroma=chroma.url)
        with _two_people(config) as tacit:
            chroma.kill()
            erasure = tacit.forget(caller(), ALICE)
            assert erasure.state is ErasureState.KEY_DESTROYED
            assert erasure.waits_for == "INDEX_UNAVAILABLE"
            assert tacit.status().waiting_erasures == 1
            with pytest.raises(ErasureInProgressError):
                recall(tacit, "tea")
            assert recall(tacit, "coffee", person="bob") == ["I like coffee"]
            chroma.start()
            wait_until(lambda: tacit.status().pending_erasures == 0, 90)
            done = tacit.forget.get(caller(), erasure.id)
            assert (done.state, done.waits_for) == (ErasureState.DONE, "")
            assert done.certificate
            assert len(tacit.indexer.index.collections()) == 1


def test_a_server_starts_while_chroma_is_down_with_an_erasure_to_finish(
    folder: Path, tmp_path: Path
) -> None:
    with ChromaProcess(tmp_path / "chroma") as chroma:
        config = Config(data=folder, chroma=chroma.url)
        with _two_people(config) as tacit:
            chroma.kill()
            erasure = tacit.forget(caller(), ALICE)
        with open_tacit(config) as tacit:
            with pytest.raises(ErasureInProgressError):
                recall(tacit, "tea")
            chroma.start()
            wait_until(lambda: tacit.status().pending_erasures == 0, 90)
            assert tacit.forget.get(caller(), erasure.id).certificate


def test_while_the_key_provider_is_down_the_key_dies_and_the_epoch_waits(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "only-for-tests")
    with key_servers.moto() as kms, SlowProxy(kms.port) as proxy:
        kek = key_servers.new_kms(proxy.port, timeout=2.0)
        with _two_people(Config(data=folder, kek=kek)) as tacit:
            proxy.mute()
            erasure = tacit.forget(caller(), ALICE, at_once=True)
            assert erasure.state is ErasureState.SWEPT
            assert erasure.key_destroyed_at is not None
            assert erasure.waits_for == "ROTATION_IN_PROGRESS"
            assert tacit.status().waiting_erasures == 1
            assert recall(tacit, "coffee", person="bob") == ["I like coffee"]
            proxy.unmute()
            wait_until(lambda: tacit.forget.get(caller(), erasure.id).settled, 90)
            done = tacit.forget.get(caller(), erasure.id)
            assert (done.waits_for, done.epoch) == ("", 1)


def test_while_the_key_provider_is_down_a_memory_is_deleted_and_the_deployment_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "only-for-tests")
    with key_servers.moto() as kms, SlowProxy(kms.port) as proxy:
        kek = key_servers.new_kms(proxy.port, timeout=2.0)
        with _two_people(Config(data=folder, kek=kek)) as tacit:
            (memory,) = [hit.memory for hit in tacit.recall(access(), RawText("tea"))]
            tacit.recall.keyring.drop(memory_owner(tacit))
            proxy.mute()
            erasure = tacit.erase_memories.one(caller(), ALICE, memory.id)
            assert erasure.memories == 1
            with tacit.forget.store.read() as uow:
                assert uow.operator_events(1)[0].action is OperatorAction.FORGET
                owner = uow.person_by_subject(memory_owner(tacit))
            proxy.unmute()
            wait_until(lambda: opens(tacit, owner), 60)
            assert recall(tacit, "tea") == []


def opens(tacit: Tacit, person: PersonRow | None) -> bool:
    assert person is not None
    with suppress(KeyUnavailableError):
        return bool(tacit.recall.keyring.keys(person))
    return False


def memory_owner(tacit: Tacit) -> SubjectId:
    with tacit.forget.store.read() as uow:
        row = uow.person(tacit.recall.keyring.ref(caller().tenant, ALICE))
    assert row is not None
    return row.subject


def test_while_postgresql_is_down_an_erasure_is_accepted_on_disk_and_done_when_it_is_back(
    folder: Path, new_postgres_database: Callable[[], str]
) -> None:
    url = new_postgres_database()
    with _two_people(Config(data=folder, database=url)) as tacit:
        with _refusing(url):
            erasure = tacit.forget(caller(), ALICE)
            assert (erasure.state, erasure.waits_for) == (
                ErasureState.FENCED,
                "STORAGE_UNAVAILABLE",
            )
            assert tacit.forget.get(caller(), erasure.id) == erasure
            for use in (recall, store):
                with pytest.raises(ErasureInProgressError):
                    use(tacit, "tea")
            assert len(list((folder / "erasures.pending").iterdir())) == 1
        wait_until(lambda: tacit.status().pending_erasures == 0 and tacit.status().people == 1, 60)
        done = tacit.forget.get(caller(), erasure.id)
        assert (done.state, done.memories) == (ErasureState.DONE, 1)
        assert list((folder / "erasures.pending").iterdir()) == []
        with pytest.raises(ConsentError):
            recall(tacit, "tea")


def test_an_accepted_erasure_is_fenced_before_the_next_start_serves(
    folder: Path, new_postgres_database: Callable[[], str]
) -> None:
    config = Config(data=folder, database=new_postgres_database())
    with _two_people(config) as tacit:
        tacit.eraser.stop()
        with _refusing(config.database_url):
            erasure = tacit.forget(caller(), ALICE)
    with open_tacit(config) as tacit:
        with pytest.raises((ErasureInProgressError, ConsentError)):
            recall(tacit, "tea")
        wait_until(lambda: tacit.forget.get(caller(), erasure.id).state is ErasureState.DONE)
        grant(tacit)
        assert recall(tacit, "tea") == []


def test_a_legal_hold_that_nobody_could_ask_keeps_an_accepted_erasure_waiting(
    folder: Path, new_postgres_database: Callable[[], str]
) -> None:
    url = new_postgres_database()
    with _two_people(Config(data=folder, database=url)) as tacit:
        tacit.restrict.hold(caller(), ALICE, utc_now() + timedelta(days=1), "case-1")
        with _refusing(url):
            erasure = tacit.forget(caller(), ALICE)
        wait_until(lambda: tacit.forget.get(caller(), erasure.id).waits_for == "LEGAL_HOLD", 60)
        assert tacit.status().memories == 2
        assert recall(tacit, "coffee", person="bob") == ["I like coffee"]
        tacit.restrict.release(caller(), ALICE)
        wait_until(lambda: tacit.forget.get(caller(), erasure.id).state is ErasureState.DONE, 60)
        assert tacit.status().memories == 1


@contextmanager
def _refusing(url: str) -> Iterator[None]:
    """The database lets nobody in and throws everybody out, as one that is gone would."""
    parsed = make_url(url)
    name = parsed.database
    engine = administer(parsed.set(database="postgres").render_as_string(hide_password=False))
    with engine.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        connection.exec_driver_sql(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        yield
        connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    engine.dispose()
