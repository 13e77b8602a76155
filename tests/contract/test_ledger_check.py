"""What a start and a full check find when the ledger was touched, and that what to do is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memory.adapters.checkpoint_file import CheckpointFile
from memory.adapters.key_file import KeyFile
from memory.adapters.sql.store import SqlStore
from memory.app.ledger_check import check_at_start, check_in_full
from memory.app.proofs import Proofs
from memory.app.sequencer import Sequencer
from memory.core.signing import Signer
from memory.core.values import AssistantId, Secret
from memory.errors import (
    ConfigurationError,
    SealError,
)
from memory.ports import AccessAction, OperatorAction
from tests.contract.conftest import administer
from tests.contract.deployment import OPERATOR, Deployment, ledger_of
from tests.contract.ledger import SIGNER, wait_leaves


class TestAtStart:
    """Tree, checkpoint and the file beside the database."""

    @pytest.fixture
    def filled(self, store: SqlStore, sequencer: Sequencer) -> SqlStore:
        wait_leaves(store, 700)
        sequencer.work()
        return store

    def change(self, url: str, statement: str) -> None:
        engine = administer(url)
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    def test_what_nobody_touched_is_good(self, filled: SqlStore, file: CheckpointFile) -> None:
        newest = check_at_start(filled, SIGNER.verifier, file)
        assert newest is not None
        assert newest.size == 700

    def test_a_fresh_database_is_good(self, store: SqlStore, file: CheckpointFile) -> None:
        assert check_at_start(store, SIGNER.verifier, file) is None

    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM ledger_tiles WHERE level = 0 AND place = 0",
            "DELETE FROM ledger_tiles WHERE level = 0 AND place = 2",
            "DELETE FROM ledger_tiles WHERE level = 1",
            "UPDATE ledger_tiles SET place = 7 WHERE level = 0 AND place = 1",
            "UPDATE ledger_tiles SET hashes = (SELECT hashes FROM ledger_tiles WHERE level = 0 AND "
            "place = 1) WHERE level = 0 AND place = 0",
            "UPDATE ledger_head SET note = 'nothing'",
            "DELETE FROM ledger_head",
        ],
    )
    def test_a_changed_tree_refuses_the_start(
        self, filled: SqlStore, file: CheckpointFile, url: str, statement: str
    ) -> None:
        self.change(url, statement)
        with pytest.raises(ConfigurationError):
            check_at_start(filled, SIGNER.verifier, file)

    def test_one_changed_bit_of_any_tile_refuses_the_start(
        self, filled: SqlStore, file: CheckpointFile
    ) -> None:
        for level, place in ((0, 0), (0, 1), (0, 2), (1, 0)):
            with filled.write() as unit:
                ((tile, good),) = unit.tiles([(level, place)]).items()  # type: ignore[list-item]
                unit.put_tiles({tile: good[:40] + bytes([good[40] ^ 1]) + good[41:]})
                unit.commit()
            with pytest.raises(ConfigurationError, match="changed behind"):
                check_at_start(filled, SIGNER.verifier, file)
            with filled.write() as unit:
                unit.put_tiles({tile: good})
                unit.commit()
        assert check_at_start(filled, SIGNER.verifier, file)

    def test_nothing_is_added_to_a_tree_that_is_not_the_signed_one(
        self, filled: SqlStore, sequencer: Sequencer, url: str
    ) -> None:
        self.change(url, "DELETE FROM ledger_tiles WHERE level = 1")
        wait_leaves(filled, 1)
        with pytest.raises(SealError):
            sequencer.work()
        with filled.read() as unit:
            assert unit.waiting_leaves() == 1

    def test_damaged_tiles_prove_nothing(
        self, filled: SqlStore, sequencer: Sequencer, url: str
    ) -> None:
        proofs = Proofs(filled, sequencer, SIGNER.verifier)
        self.change(url, "DELETE FROM ledger_tiles WHERE level = 0 AND place = 0")
        with pytest.raises(SealError):
            proofs.consistency(100, 700)

    def test_an_older_database_is_noticed_by_the_file_beside_it(
        self, filled: SqlStore, sequencer: Sequencer, file: CheckpointFile
    ) -> None:
        newer = Signer("memory.example.org", Secret(bytes(range(32))))
        ahead = sequencer._signed(701, bytes(32))
        kept = file.read()
        file.write(ahead)
        with pytest.raises(ConfigurationError, match="older than") as refused:
            check_at_start(filled, newer.verifier, file)
        assert "move that file away" in refused.value.message
        assert file.name in refused.value.message
        file.write(sequencer._signed(3, bytes(32)))
        with pytest.raises(ConfigurationError, match="not those signed"):
            check_at_start(filled, newer.verifier, file)
        assert kept is not None
        file.write(kept)
        wait_leaves(filled, 5)
        sequencer.work()
        file.write(kept)  # a crash right after the commit: the file is behind
        assert check_at_start(filled, newer.verifier, file)

    def test_no_database_at_all_is_noticed_too(
        self, store: SqlStore, sequencer: Sequencer, file: CheckpointFile
    ) -> None:
        file.write(sequencer._signed(3, bytes(32)))
        with pytest.raises(ConfigurationError, match="no ledger at all"):
            check_at_start(store, SIGNER.verifier, file)

    @pytest.mark.parametrize("text", ["", "nothing\n", "\n\n\u2014 x y\n"])
    def test_a_damaged_file_is_said_to_be_so(
        self, filled: SqlStore, file: CheckpointFile, text: str
    ) -> None:
        file.write(text)
        with pytest.raises(ConfigurationError, match="was changed"):
            check_at_start(filled, SIGNER.verifier, file)

    def test_another_key_is_noticed(self, filled: SqlStore, file: CheckpointFile) -> None:
        other = Signer("memory.example.org", Secret(bytes(32)))
        with pytest.raises(ConfigurationError, match="another deployment's key"):
            check_at_start(filled, other.verifier, file)


@pytest.fixture
def at(url: str, tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment(url, KeyFile.create(tmp_path / "tacit.key"))
    yield deployment
    deployment.store.close()


class TestInFull:
    """Every event against its leaf."""

    @pytest.fixture
    def filled(self, at: Deployment, sequencer: Sequencer) -> Deployment:
        ledger = ledger_of(at.store, at.keyring)
        for person in at.add(3):
            keys = at.keyring.keys(person)
            with at.store.write() as unit:
                for count in range(4):
                    ledger.write(unit, keys, AssistantId("bot"), AccessAction.READ, count)
                unit.commit()
        with at.store.write() as unit:
            ledger.operate(unit, OPERATOR, OperatorAction.ROTATE, 3)
            unit.commit()
        sequencer.work()
        with at.store.write() as unit:
            ledger.operate(unit, OPERATOR, OperatorAction.REKEY, 1)  # still waits
            unit.commit()
        return at

    def test_all_events_have_their_leaf(self, filled: Deployment, file: CheckpointFile) -> None:
        report = check_in_full(filled.store, filled.keyring, SIGNER.verifier, file)
        assert report is not None
        assert (report.events, report.checkpoint.size) == (14, 13)

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE access_events SET memories = 9 WHERE memories = 2",
            "UPDATE access_events SET assistant = 'other'",
            "UPDATE access_events SET at = at + 1",
            "UPDATE access_events SET denied = 1",
            "UPDATE access_events SET subject = (SELECT min(subject) FROM persons)",
            "UPDATE operator_events SET amount = 0",
        ],
    )
    def test_a_changed_event_is_found(
        self, filled: Deployment, file: CheckpointFile, url: str, change: str
    ) -> None:
        if "min(subject)" in change and "postgresql" in url:
            change = change.replace("min(subject)", "subject").replace(
                "persons", "persons ORDER BY subject LIMIT 1"
            )
        TestAtStart().change(url, change)
        with pytest.raises(ConfigurationError, match="an event in the database"):
            check_in_full(filled.store, filled.keyring, SIGNER.verifier, file)
