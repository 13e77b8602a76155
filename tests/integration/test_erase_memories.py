"""Erasing some of a person's memories: gone from answers at once, from everything soon after."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from memory.app.ledger import ENGINE
from memory.app.narrow import Narrow, Which
from memory.app.sealing import open_memory
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.values import AssistantId, PersonId, RawText, RecordId
from memory.errors import InvalidArgumentError, LegalHoldError, NotFoundError, SealError
from memory.ports import (
    AccessAction,
    AccessFilter,
    ErasureCall,
    ErasureRow,
    ErasureState,
    MemoryFilter,
    OperatorAction,
    PersonRow,
)
from tests.integration.conftest import (
    CARE,
    access,
    caller,
    draft,
    grant,
    recall,
    store,
    wait_indexed,
    wait_until,
)

ALICE = PersonId("alice")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def tacit(folder: Path) -> Iterator[Tacit]:
    with open_tacit(Config(data=folder)) as opened:
        yield opened


def _row(tacit: Tacit) -> PersonRow:
    with tacit.forget.store.read() as uow:
        row = uow.person(tacit.recall.keyring.ref(caller().tenant, ALICE))
    assert row is not None
    return row


def _erase(tacit: Tacit, **parts: Any) -> ErasureRow:
    return tacit.erase_memories(caller(), ALICE, Which(**parts), at_once=True, wait=60)


def _said(erasure: ErasureRow) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(b64decode(json.loads(erasure.certificate)["payload"]))
    return said


def test_what_a_purpose_is_for_goes_and_the_rest_stays(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, purpose=CARE)
    store(tacit, "I like tea")
    tacit.remember(access(purpose=CARE), [draft("my knee hurts")])
    erasure = _erase(tacit, purposes=frozenset({CARE}))
    assert (erasure.state, erasure.memories) == (ErasureState.DONE, 1)
    assert recall(tacit, "tea or knee") == ["I like tea"]
    assert _said(erasure)["request"]["scope"] == {
        "what": "memories",
        "purposes": ["care"],
        "kinds": [],
        "narrowed_by": [],
    }


def test_a_session_a_time_and_a_source_are_told_apart(tacit: Tacit) -> None:
    grant(tacit)
    other = caller(assistant="other")
    tacit.consents.grant(other, ALICE, access().purpose, other.assistant)
    tacit.remember(access(), [draft("in session one", session="one")])
    tacit.remember(access(), [draft("at noon", event_time=NOON)])
    tacit.remember(access(by=other), [draft("from another assistant")])
    store(tacit, "this stays")
    sessions = Narrow(sessions=frozenset({"one"}))
    assert _erase(tacit, narrow=sessions).memories == 1
    times = Narrow(event_start=NOON, event_end=NOON.replace(hour=13))
    assert _erase(tacit, narrow=times).memories == 1
    last = _erase(tacit, source=AssistantId("other"))
    assert last.memories == 1
    assert "one" not in json.dumps(_said(last))
    assert recall(tacit, "anything") == ["this stays"]


def test_the_key_that_opened_an_erased_memory_is_gone_with_its_names(tacit: Tacit) -> None:
    grant(tacit)
    tacit.remember(access(), [draft("my sister Priya is 30")])
    (kept,) = tacit.remember(access(), [draft("Tomasz plays the cello")])
    wait_indexed(tacit)
    before = _row(tacit)
    old = tacit.recall.keyring.keys(before)
    gone = next(
        h for h in tacit.recall(access(), RawText("sister")) if h.memory.id != kept.memory.id
    )
    erasure = tacit.erase_memories.one(caller(), ALICE, gone.memory.id)
    assert recall(tacit, "sister") == ["person_2 plays the cello"]
    tacit.eraser.bound = tacit.eraser.bound * 0
    tacit.eraser.wake()
    wait_until(lambda: tacit.forget.get(caller(), erasure.id).settled)
    after = _row(tacit)
    assert after.key_version == 2
    held = tacit.indexer.index.collections()
    assert before.collection not in held
    with tacit.forget.store.read() as uow:
        names = [entity.pseudonym for entity, _ in uow.vault(after.subject)]
        (row,) = uow.page_memories(after.subject, MemoryFilter(), -1, 10)
    assert names == ["person_2"]
    with pytest.raises(SealError):
        open_memory(old, row)
    said = _said(tacit.forget.get(caller(), erasure.id))
    assert said["key"]["wrapped_key"] == "replaced by a new key"
    assert said["key"]["epoch_state"] == "destroyed"


def test_erasures_of_one_person_share_a_new_key(tacit: Tacit) -> None:
    grant(tacit)
    ids = store(tacit, "one", "two", "three")
    done = [tacit.erase_memories.one(caller(), ALICE, RecordId.parse(i)) for i in ids[:2]]
    tacit.eraser.bound = tacit.eraser.bound * 0
    tacit.eraser.wake()
    wait_until(lambda: all(tacit.forget.get(caller(), e.id).settled for e in done))
    assert _row(tacit).key_version == 2


def test_a_filter_must_name_something_and_may_fit_nothing(tacit: Tacit) -> None:
    with pytest.raises(InvalidArgumentError):
        _erase(tacit)
    grant(tacit)
    store(tacit, "I like tea")
    for person in (ALICE, PersonId("nobody")):
        nothing = tacit.erase_memories(caller(), person, Which(purposes=frozenset({CARE})))
        assert (nothing.state, nothing.memories) == (ErasureState.DONE, 0)
        assert _said(nothing)["key"]["epoch"] is None
    with pytest.raises(NotFoundError):
        tacit.erase_memories.one(caller(), PersonId("nobody"), RecordId(bytes(16)))


def test_a_person_forgotten_meanwhile_takes_a_pending_erasure_along(tacit: Tacit) -> None:
    grant(tacit)
    (first, _) = store(tacit, "one", "two")
    pending = tacit.erase_memories.one(caller(), ALICE, RecordId.parse(first))
    whole = tacit.forget(caller(), ALICE, at_once=True, wait=60)
    assert (whole.state, whole.memories) == (ErasureState.DONE, 1)
    wait_until(lambda: tacit.forget.get(caller(), pending.id).state is ErasureState.DONE)
    assert tacit.status().people == 0


def test_a_legal_hold_refuses_every_erasure_and_nothing_is_written_down(tacit: Tacit) -> None:
    grant(tacit)
    (record,) = store(tacit, "I like tea")
    until = datetime.now(UTC) + timedelta(days=1)
    tacit.restrict.hold(caller(), ALICE, until, "case-1")
    with pytest.raises(LegalHoldError):
        tacit.erase_memories.one(caller(), ALICE, RecordId.parse(record))
    with pytest.raises(LegalHoldError):
        _erase(tacit, purposes=frozenset({access().purpose}))
    with pytest.raises(LegalHoldError):
        tacit.forget(caller(), ALICE)
    with pytest.raises(LegalHoldError):
        tacit.consents.withdraw(caller(), ALICE, access().purpose, None, erase=True)
    assert tacit.forget.page(caller(), None, 10)[0] == []
    assert recall(tacit, "tea") == ["I like tea"]
    tacit.restrict.release(caller(), ALICE)
    assert tacit.erase_memories.one(caller(), ALICE, RecordId.parse(record)).memories == 1


def test_a_withdrawal_that_erases_is_an_erasure_of_the_purpose(tacit: Tacit) -> None:
    grant(tacit)
    store(tacit, "I like tea", "alice likes cake")
    done = tacit.consents.withdraw(caller(), ALICE, access().purpose, None, erase=True)
    assert done.erased == 2
    (erasure,) = tacit.forget.page(caller(), None, 10)[0]
    assert (erasure.call, erasure.memories) == (ErasureCall.WITHDRAW_CONSENT, 2)
    assert erasure.scope.purposes == (access().purpose.value,)


def test_the_ledger_says_who_erased_and_what_the_engine_did_of_itself(tacit: Tacit) -> None:
    grant(tacit)
    store(tacit, "I like tea")
    done = _erase(tacit, purposes=frozenset({access().purpose}))
    assert done.state is ErasureState.DONE
    events, _ = tacit.access_log(caller(), ALICE, AccessFilter(), 50)
    assert (events[0].event.action, events[0].event.memories) == (AccessAction.ERASE, 1)
    with tacit.forget.store.read() as uow:
        mine = [(e.assistant, e.action) for e in uow.operator_events(50)]
    assert sorted(mine, key=str) == [
        (ENGINE, OperatorAction.ERASED),
        (ENGINE, OperatorAction.REKEY),
        (ENGINE, OperatorAction.ROTATE),
    ]
