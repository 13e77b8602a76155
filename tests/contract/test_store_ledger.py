"""Events, the tree over them, and what is found when either was touched."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from memory.adapters.checkpoint_file import CheckpointFile
from memory.adapters.key_file import KeyFile
from memory.adapters.sql.store import SqlStore
from memory.app.leaves import person_leaf
from memory.app.ledger_check import check_at_start
from memory.app.proofs import Proofs
from memory.app.recorder import Recorder
from memory.app.sequencer import BATCH, Sequencer
from memory.core.ledger import own_checkpoint
from memory.core.ledger_proof import Inclusion
from memory.core.merkle import verify_consistency
from memory.core.signing import Signer
from memory.core.values import AssistantId, Secret, SubjectId
from memory.errors import (
    InvalidArgumentError,
    LostRaceError,
    NotFoundError,
    StorageUnavailableError,
)
from memory.ports import AccessAction, AccessEvent, AccessFilter
from tests.contract.deployment import Deployment, ledger_of
from tests.contract.ledger import SIGNER, wait_leaves
from tests.contract.rows import THEN, a_record, an_access_event, stored_person

ALL = AccessFilter()


@pytest.fixture
def proofs(store: SqlStore, sequencer: Sequencer) -> Iterator[Proofs]:
    sequencer.start()
    yield Proofs(store, sequencer, SIGNER.verifier)
    sequencer.stop()


def listed(store: SqlStore, subject: SubjectId, **narrow: object) -> list[AccessEvent]:
    with store.read() as unit:
        return unit.access_events(subject, AccessFilter(**narrow), 100)  # type: ignore[arg-type]


def test_readers_events_are_written_over_a_new_connection_too_and_all_or_none(
    store: SqlStore,
) -> None:
    subject = stored_person(store).subject
    one, two, stranger = (an_access_event(s) for s in (subject, subject, SubjectId(bytes(16))))
    store.append_events([(one, os.urandom(32))])
    store._engines.writers.dispose()
    with pytest.raises(LostRaceError):
        store.append_events([(two, os.urandom(32)), (stranger, os.urandom(32))])
    store.append_events([(two, os.urandom(32))])
    assert {e.id for e in listed(store, subject)} == {one.id, two.id}
    with store.read() as unit:
        assert unit.waiting_leaves() == 2


def test_the_access_log_is_listed_newest_first_in_pages(store: SqlStore) -> None:
    subject, other = stored_person(store).subject, stored_person(store).subject
    events = [an_access_event(subject, at=THEN + timedelta(microseconds=n // 2)) for n in range(9)]
    with store.write() as unit:
        unit.add_access_events([(e, os.urandom(32)) for e in (*events, an_access_event(other))])
        unit.commit()
    newest_first = sorted(events, key=lambda e: (e.at, e.id.value), reverse=True)
    assert listed(store, subject) == newest_first
    paged: list[AccessEvent] = []
    with store.read() as unit:
        while page := unit.access_events(
            subject, ALL, 2, (paged[-1].at, paged[-1].id) if paged else None
        ):
            paged += page
    assert paged == newest_first


def test_the_access_log_is_narrowed_by_time_assistant_and_action(store: SqlStore) -> None:
    subject = stored_person(store).subject
    early = an_access_event(subject, action=AccessAction.STORE, purpose=None, denied=True)
    late = an_access_event(
        subject, at=THEN + timedelta(seconds=1), assistant=AssistantId("another")
    )
    with store.write() as unit:
        unit.add_access_events([(early, os.urandom(32)), (late, os.urandom(32))])
        unit.commit()
    assert listed(store, subject) == [late, early]
    assert listed(store, subject, start=late.at) == [late]
    assert listed(store, subject, end=late.at) == [early]
    assert listed(store, subject, assistant=AssistantId("another")) == [late]
    assert listed(store, subject, actions=frozenset({AccessAction.STORE})) == [early]


def test_events_and_leaves_come_together_or_not_at_all(
    store: SqlStore, row_counts: Callable[[], dict[str, int]]
) -> None:
    subject = stored_person(store).subject
    with store.write() as unit:
        unit.add_access_events([(an_access_event(subject), os.urandom(32))])
    counts = row_counts()
    assert (counts["access_events"], counts["ledger_waiting"]) == (0, 0)


def test_the_log_goes_with_its_person_and_the_leaf_stays(
    store: SqlStore, proofs: Proofs, row_counts: Callable[[], dict[str, int]]
) -> None:
    person = stored_person(store)
    leaf = os.urandom(32)
    with store.write() as unit:
        unit.add_access_events([(an_access_event(person.subject), leaf)])
        unit.delete_person(person.subject)
        unit.commit()
    assert row_counts()["access_events"] == 0
    assert proofs.inclusion(leaf).index == 0


def test_every_leaf_is_proved_the_moment_it_was_written(store: SqlStore, proofs: Proofs) -> None:
    leaves: list[bytes] = []
    for count in (1, 2, 300, 255, 7):
        leaves += wait_leaves(store, count)
        proofs.inclusion(leaves[-1])
        signed = proofs.checkpoint()
        assert signed.checkpoint.size == len(leaves)
    for index in (0, 1, 2, 255, 256, 300, 511, 512, len(leaves) - 1):
        proof = proofs.inclusion(leaves[index])
        assert proof.index == index
    earlier = proofs.inclusion(leaves[100], 101)
    assert (earlier.index, earlier.size) == (100, 101)


def test_what_cannot_be_proved_is_said_to_be_so(store: SqlStore, proofs: Proofs) -> None:
    with pytest.raises(NotFoundError):
        proofs.inclusion(bytes(32))
    with pytest.raises(InvalidArgumentError, match="second_tree_size"):
        proofs.consistency(1)
    leaves = wait_leaves(store, 3)
    proofs.inclusion(leaves[0])
    for leaf, size in ((leaves[0][:-1], 0), (leaves[0], 4), (leaves[2], 2), (leaves[0], -1)):
        with pytest.raises(InvalidArgumentError):
            proofs.inclusion(leaf, size)
    for first, second in ((0, 0), (3, 2), (1, 4), (-1, 2)):
        with pytest.raises(InvalidArgumentError):
            proofs.consistency(first, second)


def test_two_checkpoints_are_proved_to_be_of_one_log(store: SqlStore, proofs: Proofs) -> None:
    seen = []
    for count in (3, 260, 1):
        proofs.inclusion(wait_leaves(store, count)[0])
        seen.append(proofs.checkpoint().checkpoint)
    for old in seen:
        for new in seen:
            if old.size <= new.size:
                proof = proofs.consistency(old.size, new.size)
                verify_consistency(old.size, new.size, proof.hashes, old.root, new.root)


def test_servers_that_take_leaves_in_at_once_build_one_tree(
    store: SqlStore, sequencer: Sequencer, tmp_path: Path
) -> None:
    others = [
        Sequencer(store, SIGNER, CheckpointFile(tmp_path / f"{n}"), lambda: datetime.now(UTC))
        for n in range(3)
    ]
    leaves = {leaf for _ in range(12) for leaf in wait_leaves(store, 50)}
    threads = [threading.Thread(target=other.work) for other in (*others, sequencer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    proofs = Proofs(store, sequencer, SIGNER.verifier)
    assert proofs.checkpoint().checkpoint.size == len(leaves)
    assert len({proofs.inclusion(leaf).index for leaf in leaves}) == len(leaves)


def test_leaves_that_come_while_others_are_taken_in_wait_for_the_next_time(
    store: SqlStore, tmp_path: Path
) -> None:
    class Busy(CheckpointFile):
        """Whenever it is written, somebody has recalled something meanwhile."""

        def write(self, note: str) -> None:
            super().write(note)
            wait_leaves(store, 1)

    sequencer = Sequencer(store, SIGNER, Busy(tmp_path / "note"), lambda: datetime.now(UTC))
    wait_leaves(store, BATCH + 40)
    assert sequencer.work() == BATCH + 41
    with store.read() as unit:
        assert unit.waiting_leaves() == 1


def test_a_renamed_deployment_goes_on_with_its_ledger(
    store: SqlStore, sequencer: Sequencer, file: CheckpointFile
) -> None:
    wait_leaves(store, 3)
    sequencer.work()
    renamed = Signer("new.example.org", Secret(bytes(range(32))))
    again = Sequencer(store, renamed, file, lambda: datetime.now(UTC))
    check_at_start(store, renamed.verifier, file)
    again.start()
    again.stop()
    with store.read() as unit:
        note = unit.ledger_note()
    assert note is not None
    assert own_checkpoint(note, renamed.verifier).origin == "new.example.org"


@pytest.fixture
def at(url: str, tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment(url, KeyFile.create(tmp_path / "tacit.key"))
    yield deployment
    deployment.store.close()


class TestRecorder:
    """Group commit."""

    @pytest.fixture
    def recorder(self, store: SqlStore) -> Iterator[Recorder]:
        recorder = Recorder(store, lambda: None)
        recorder.start()
        yield recorder
        recorder.stop()

    def test_what_was_waited_for_is_there(self, store: SqlStore, recorder: Recorder) -> None:
        subject = stored_person(store).subject
        events = [an_access_event(subject, id=a_record()) for _ in range(100)]

        def record(event: AccessEvent) -> None:
            recorder.submit(event, os.urandom(32)).wait()
            with store.read() as unit:
                assert event in unit.access_events(subject, ALL, 1000)

        threads = [threading.Thread(target=record, args=(event,)) for event in events]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(listed(store, subject)) == 100

    def test_one_whose_person_is_gone_takes_no_other_down(
        self, store: SqlStore, recorder: Recorder
    ) -> None:
        subject, gone = stored_person(store).subject, SubjectId(os.urandom(16))
        with store.write():  # the group gathers meanwhile
            good = [recorder.submit(an_access_event(subject), os.urandom(32)) for _ in range(5)]
            bad = recorder.submit(an_access_event(gone), os.urandom(32))
        for one in good:
            one.wait()
        with pytest.raises(StorageUnavailableError):
            bad.wait()
        assert len(listed(store, subject)) == 5

    def test_nothing_is_taken_after_it_stopped(self, store: SqlStore) -> None:
        recorder = Recorder(store, lambda: None)
        recorder.start()
        last = recorder.submit(an_access_event(stored_person(store).subject), os.urandom(32))
        recorder.stop()
        last.wait()
        with pytest.raises(StorageUnavailableError):
            recorder.submit(last.event, last.leaf)


def test_an_event_is_salted_for_its_person_and_survives_a_new_key(at: Deployment) -> None:
    (person,) = at.add(1)
    keys = at.keyring.keys(person)
    event = an_access_event(person.subject)
    again = keys.successor(Secret(os.urandom(32)))
    assert person_leaf(keys, event) == person_leaf(again, event)
    assert person_leaf(keys, event) == person_leaf(again.successor(Secret(os.urandom(32))), event)
    (other,) = at.add(1)
    assert person_leaf(keys, event).hash != person_leaf(at.keyring.keys(other), event).hash


def test_a_proof_in_a_file_needs_nothing_but_the_key(at: Deployment, sequencer: Sequencer) -> None:
    ledger = ledger_of(at.store, at.keyring)
    (person,) = at.add(1)
    keys = at.keyring.keys(person)
    with at.store.write() as unit:
        ledger.write(unit, keys, AssistantId("bot"), AccessAction.READ, 3)
        unit.commit()
    (event,) = listed(at.store, person.subject)
    leaf = person_leaf(keys, event)
    proofs = Proofs(at.store, sequencer, SIGNER.verifier)
    sequencer.work()
    proof = proofs.inclusion(leaf.hash)
    made = Inclusion(leaf, proof.index, tuple(proof.hashes), proofs.checkpoint().note)
    said, _ = Inclusion.read(made.to_json()).verify(SIGNER.verifier)
    assert (said.action, said.count, said.id) == ("read", 3, event.id.value)
