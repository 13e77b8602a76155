"""A backup brings back everyone but the forgotten, and everything but what was erased."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memory.adapters import backup
from memory.adapters.backup import KEY_FILE, MANIFEST, back_up, refresh, restore
from memory.adapters.intent_folder import IntentFolder
from memory.adapters.residue_scan import Place, scan
from memory.adapters.sql.copies import KEYS, RECORDS
from memory.app.narrow import Which
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.feedback import Rating
from memory.core.residue import Kind, StoreName
from memory.core.values import PersonId, RecordId
from memory.errors import ConfigurationError, ConsentError, DataFolderInUseError, SignatureError
from memory.ports import Intent, MemoryFilter
from tests.integration.conftest import access, caller, draft, grant, wait_until

ALICE, BOB = PersonId("alice"), PersonId("bob")


def config_of(folder: Path, database: str | None = None) -> Config:
    return Config(data=folder / "data", kek=f"file:{folder / 'tacit.key'}", database=database)


@pytest.fixture(params=["sqlite", "postgresql"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Config:
    """A deployment whose key file lies apart from its data."""
    if request.param == "sqlite":
        return config_of(tmp_path)
    make: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return config_of(tmp_path, make())


@pytest.fixture
def elsewhere(config: Config, tmp_path: Path, request: pytest.FixtureRequest) -> Config:
    """An empty deployment with the same key file."""
    database = None
    if config.database:
        make: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        database = make()
    return Config(data=tmp_path / "elsewhere", kek=config.kek, database=database)


def say(tacit: Tacit, person: str, *said: str) -> list[RecordId]:
    grant(tacit, person)
    return [one.memory.id for one in tacit.remember(access(person), [draft(text) for text in said])]


def heard(tacit: Tacit, person: str) -> list[str]:
    with tacit.recall.store.read() as uow:
        row = uow.person(tacit.recall.keyring.ref(access().caller.tenant, PersonId(person)))
        rows = [] if row is None else uow.page_memories(row.subject, MemoryFilter(), -1, 1000)
    return [tacit.rectify.get(access(person), one.id).content.text.value for one in rows]


def test_a_backup_taken_while_serving_brings_everything_back(
    config: Config, elsewhere: Config, tmp_path: Path
) -> None:
    with open_tacit(config) as tacit:
        tea, _ = say(tacit, "alice", "I like tea with honey", "my sister Priyanka is 30")
        tacit.personalize.rate(access("alice"), tea, Rating.WRONG)
        say(tacit, "bob", "bob likes coffee")
        made = back_up(config, tmp_path / "backup")
        assert (made.copied.people, made.copied.memories) == (2, 3)
        before = [heard(tacit, "alice"), heard(tacit, "bob")]
        exported = list(tacit.export(caller(), ALICE, revealed=True))[1:]
    restore(elsewhere, tmp_path / "backup")
    with open_tacit(elsewhere) as tacit:
        assert [heard(tacit, "alice"), heard(tacit, "bob")] == before
        assert list(tacit.export(caller(), ALICE, revealed=True))[1:] == exported
        wait_until(lambda: len(tacit.indexer.index.collections()) == 2)
        *_, last = tacit.recall(access("alice"), draft("what do I like with honey?").text)
        assert (last.memory.id, dict(last.parts)["doubted"] < 0) == (tea, True)
        say(tacit, "alice", "and I sing")


def test_the_forgotten_stay_forgotten_and_everyone_else_is_there(
    config: Config, elsewhere: Config, tmp_path: Path, stress: bool
) -> None:
    """Ten backups from before, restored after; all the epoch has rolled by then."""
    backups = [tmp_path / f"backup-{number}" for number in range(10 if stress else 2)]
    with open_tacit(config) as tacit:
        first, _ = say(tacit, "bob", "coffee in the morning", "tea in the evening")
        for number, folder in enumerate(backups):
            say(tacit, "alice", f"I counted {number} sheep before I slept")
            back_up(config, folder)
        say(tacit, "carol", "carol came later")
        tacit.forget(caller(), ALICE)
        tacit.erase_memories.one(caller(), BOB, first)
        tacit.rotate(caller(), "roll")
        wait_until(lambda: tacit.status().key_epoch == 2 and tacit.status().rotation is None)
    for folder in backups:
        refresh(config, folder)
        place = Config(data=tmp_path / f"from-{folder.name}", kek=config.kek, database=None)
        done = restore(place, folder)
        assert (done.erased_people, done.erased_memories) == (1, 1)
        with open_tacit(place) as tacit:
            assert heard(tacit, "bob") == ["tea in the evening"]
            with pytest.raises(ConsentError):
                tacit.recall(access("alice"), draft("sheep").text)
            assert tacit.status().people == 2


def test_what_the_data_of_before_still_know_is_erased_from_an_old_backup(
    config: Config, elsewhere: Config, tmp_path: Path
) -> None:
    """Nothing was refreshed; the folder and database of before are there."""
    with open_tacit(config) as tacit:
        say(tacit, "alice", "I counted sheep before I slept")
        first, _ = say(tacit, "bob", "coffee in the morning", "tea in the evening")
        back_up(config, tmp_path / "backup")
        tacit.forget(caller(), ALICE)
        tacit.erase_memories.one(caller(), BOB, first)
    pending = Intent(
        RecordId(b"i" * 16), caller().tenant, caller().assistant,
        tacit.recall.keyring.ref(caller().tenant, BOB), False, True, datetime.now(UTC),
    )  # fmt: skip
    IntentFolder(config.data / "erasures.pending").put(pending)
    done = restore(elsewhere, tmp_path / "backup", config.database or str(config.data))
    assert (done.erased_people, done.erased_memories, done.memories) == (1, 1, 1)
    assert sorted(p.name for p in elsewhere.data.glob(".*.part")) == []
    with open_tacit(elsewhere) as tacit:
        assert heard(tacit, "alice") == []
        if config.database is None:  # else nobody knows of the folder
            wait_until(lambda: tacit.status().people == 0)
        else:
            assert heard(tacit, "bob") == ["tea in the evening"]


def test_certificates_say_who_was_forgotten_when_all_else_is_lost(
    config: Config, elsewhere: Config, tmp_path: Path
) -> None:
    certificate, of_some = tmp_path / "alice.json", tmp_path / "bob.json"
    with open_tacit(config) as tacit:
        say(tacit, "alice", "I counted sheep before I slept")
        say(tacit, "bob", "coffee in the morning", "tea in the evening")
        back_up(config, tmp_path / "backup")
        certificate.write_bytes(tacit.forget(caller(), ALICE, wait=60).certificate)
        say(tacit, "alice", "and here I am again")
        back_up(config, tmp_path / "later")
    done = restore(elsewhere, tmp_path / "backup", certificates=[certificate])
    assert (done.erased_people, done.people, done.memories) == (1, 1, 2)
    with open_tacit(elsewhere) as tacit:
        assert heard(tacit, "alice") == []
        assert heard(tacit, "bob") == ["coffee in the morning", "tea in the evening"]
    returned = Config(data=tmp_path / "returned", kek=config.kek)
    restore(returned, tmp_path / "later", certificates=[certificate])
    with open_tacit(returned) as tacit:
        assert heard(tacit, "alice") == ["and here I am again"]
    with open_tacit(config) as tacit:
        which = Which(purposes=frozenset({access().purpose}))
        some = tacit.erase_memories(caller(), BOB, which, at_once=True, wait=60)
        of_some.write_bytes(some.certificate)
    empty = Config(data=tmp_path / "empty", kek=config.kek)
    live = config.database or str(config.data)
    with pytest.raises(ConfigurationError, match="some memories"):
        restore(empty, tmp_path / "later", live, [of_some])
    certificate.write_bytes(certificate.read_bytes().replace(b"payload", b"Payload"))
    with pytest.raises(SignatureError):
        restore(empty, tmp_path / "later", live, [certificate])


def test_who_has_a_new_key_since_is_restored_from_what_was_refreshed(
    config: Config, tmp_path: Path
) -> None:
    with open_tacit(config) as tacit:
        say(tacit, "alice", "I like tea with honey", "I sing in a choir")
        say(tacit, "bob", "coffee in the morning")
        for name in ("one", "two"):
            back_up(config, tmp_path / name)
        tacit.rekey(caller(), ALICE, "renew")
        wait_until(lambda: key_version(tacit, "alice") == 2)
        say(tacit, "alice", "and I dance")
        kept = heard(tacit, "alice")
    refresh(config, tmp_path / "one")
    back_up(config, tmp_path / "new")
    whole = Config(data=tmp_path / "whole", kek=config.kek)
    done = restore(whole, tmp_path / "one")
    assert (done.memories, done.rekeyed_people, done.erased_memories) == (4, 0, 0)
    with open_tacit(whole) as tacit:
        assert heard(tacit, "alice") == kept
        assert heard(tacit, "bob") == ["coffee in the morning"]
    less = Config(data=tmp_path / "less", kek=config.kek)
    done = restore(less, tmp_path / "two", keys=str(tmp_path / "new"))
    assert (done.memories, done.rekeyed_people, done.erased_memories) == (1, 1, 0)


def key_version(tacit: Tacit, person: str) -> int:
    with tacit.recall.store.read() as uow:
        row = uow.person(tacit.recall.keyring.ref(access().caller.tenant, PersonId(person)))
    return 0 if row is None else row.key_version


def test_files_are_private_and_hold_no_key_unless_asked(config: Config, tmp_path: Path) -> None:
    with open_tacit(config) as tacit:
        say(tacit, "alice", "I like tea with honey")
        with tacit.recall.store.read() as uow:
            person = uow.person(tacit.recall.keyring.ref(access().caller.tenant, ALICE))
        assert person is not None
        needles = tacit.residue.gather(person, ALICE)
    back_up(config, tmp_path / "plain")
    back_up(config, tmp_path / "whole", with_key=True)
    assert sorted(os.listdir(tmp_path / "plain")) == sorted([KEYS, MANIFEST, RECORDS])
    assert sorted(os.listdir(tmp_path / "whole")) == sorted([KEYS, MANIFEST, RECORDS, KEY_FILE])
    for path in (tmp_path / "plain", *(tmp_path / "plain").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    report = scan([Place(StoreName.BACKUPS, tmp_path / "plain")], needles)
    assert report.found == {Kind.WRAPPED_KEY: 1}
    assert report.finds[0].file.endswith(KEYS)
    alone = config_of(tmp_path / "alone")
    (tmp_path / "alone").mkdir()
    restore(alone, tmp_path / "whole")
    with open_tacit(alone) as tacit:
        assert heard(tacit, "alice") == ["I like tea with honey"]


def test_a_refreshed_backup_holds_no_wrapped_key_of_the_forgotten(
    config: Config, tmp_path: Path
) -> None:
    with open_tacit(config) as tacit:
        say(tacit, "alice", "I like tea with honey")
        say(tacit, "bob", "bob likes coffee")
        back_up(config, tmp_path / "backup")
        with tacit.recall.store.read() as uow:
            person = uow.person(tacit.recall.keyring.ref(access().caller.tenant, ALICE))
        assert person is not None
        needles = tacit.residue.gather(person)
        tacit.forget(caller(), ALICE)
    where = [Place(StoreName.BACKUPS, tmp_path / "backup")]
    assert scan(where, needles).found == {Kind.WRAPPED_KEY: 1}
    refresh(config, tmp_path / "backup")
    assert scan(where, needles).found == {}


def test_nothing_is_restored_over_data_or_from_a_damaged_backup(
    config: Config, elsewhere: Config, tmp_path: Path
) -> None:
    with open_tacit(config) as tacit:
        say(tacit, "alice", "I like tea with honey")
        back_up(config, tmp_path / "backup")
        with pytest.raises(ConfigurationError, match="there already"):
            back_up(config, tmp_path / "backup")
        with pytest.raises(DataFolderInUseError):
            restore(config, tmp_path / "backup")
    with pytest.raises(ConfigurationError, match="there is data already"):
        restore(config, tmp_path / "backup")
    shutil.copytree(tmp_path / "backup", tmp_path / "damaged")
    with (tmp_path / "damaged" / RECORDS).open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff")
    with pytest.raises(ConfigurationError, match="damaged"):
        restore(elsewhere, tmp_path / "damaged")
    (tmp_path / "damaged" / MANIFEST).write_text(json.dumps({"format": "tacit-backup"}))
    with pytest.raises(ConfigurationError, match="no backup"):
        restore(elsewhere, tmp_path / "damaged")
    with pytest.raises(ConfigurationError, match="no backup"):
        refresh(config, tmp_path)
    restore(elsewhere, tmp_path / "backup")


def test_keys_of_a_destroyed_epoch_need_a_newer_backup(
    config: Config, elsewhere: Config, tmp_path: Path
) -> None:
    with open_tacit(config) as tacit:
        say(tacit, "alice", "I like tea with honey")
        back_up(config, tmp_path / "old")
        tacit.rotate(caller(), "roll")
        wait_until(lambda: tacit.status().key_epoch == 2 and tacit.status().rotation is None)
        back_up(config, tmp_path / "new")
    with pytest.raises(ConfigurationError, match="--keys"):
        restore(elsewhere, tmp_path / "old")
    done = restore(elsewhere, tmp_path / "old", keys=str(tmp_path / "new"))
    assert (done.people, done.memories) == (1, 1)
    with open_tacit(elsewhere) as tacit:
        assert heard(tacit, "alice") == ["I like tea with honey"]


def test_a_backup_that_fails_leaves_nothing(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_tacit(config) as tacit:
        say(tacit, "alice", "I like tea with honey")

    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "backups").mkdir()
    monkeypatch.setattr(backup, "_sync_all", full)
    with pytest.raises(OSError, match="No space"):
        back_up(config, tmp_path / "backups" / "new")
    assert list((tmp_path / "backups").iterdir()) == []


def test_there_must_be_something_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no database"):
        back_up(config_of(tmp_path), tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
