"""A process beside the server recalls: the same answers, and nothing that the server would not."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

import server.beside
from memory.app.narrow import Narrow
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.values import Caller, PersonId, RawText, RecordId, SubjectId
from memory.ports import AccessAction, AccessFilter, ErasureState
from memory.v1 import core_pb2
from memory.v1 import memory_service_pb2 as pb
from server.beside import LANES, Beside
from server.call import Call, Endpoint
from server.policy import POLICIES
from tests.integration.conftest import ASSISTANCE, access, caller, grant, store, wait_until

SAID = [f"Note {n} about {('the garden', 'my brother Tomas', 'chess')[n % 3]}" for n in range(30)]
QUERIES = ["the garden", "what does Tomas do?", "who plays chess?", "note 7"]


@pytest.fixture
def config(folder: Path) -> Config:
    return Config(data=folder)


@pytest.fixture
def tacit(config: Config) -> Iterator[Tacit]:
    with open_tacit(config) as opened:
        grant(opened)
        store(opened, *SAID)
        yield opened


@pytest.fixture
def beside(config: Config, tacit: Tacit, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beside]:
    """Started by the first call that is not alone."""
    monkeypatch.setattr(server.beside, "PRESSED", 1)
    monkeypatch.setattr(server.beside, "AGAIN_SECONDS", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    beside = Beside(config, tacit, lambda: 5)
    yield beside
    beside.close()


def started(beside: Beside) -> int:
    """The process id, once one of them waits for calls."""
    ask(beside, "anything")
    wait_until(lambda: beside.running() == 1)
    return beside._running[0]._child.pid


def ask(
    beside: Beside,
    query: str = "the garden",
    *,
    by: Caller | None = None,
    person: str = "alice",
    rpc: str = "RecallMemories",
    **fields: Any,
) -> Any:
    """What the process answers, as a message; None where it does not."""
    kinds: dict[str, Any] = {
        "RecallMemories": (pb.RecallMemoriesRequest, pb.RecallMemoriesResponse),
        "BuildContext": (pb.BuildContextRequest, pb.BuildContextResponse),
    }
    asked, answered = kinds[rpc]
    request = asked(
        parent=f"people/{person}",
        access=core_pb2.AccessContext(purpose=f"purposes/{ASSISTANCE}"),
        query=query,
        **fields,
    )
    method = f"memory.v1.MemoryService/{rpc}"
    endpoint = Endpoint(method, POLICIES[method], asked, cast(Any, None))
    call = Call(endpoint, cast(Any, None), authenticated=by or caller())
    answer = beside.answer(call, request)
    return None if answer is None else answered.FromString(answer)


def here(tacit: Tacit, query: str) -> list[tuple[str, float]]:
    """What the server itself answers."""
    hits = tacit.recall(access(), RawText(query), 10)
    return [(str(hit.memory.id), round(hit.score, 4)) for hit in hits]


def there(beside: Beside, query: str) -> list[tuple[str, float]]:
    answer = ask(beside, query)
    return [(h.memory.name.rpartition("/")[2], round(h.score, 4)) for h in answer.hits]


def reads(tacit: Tacit) -> int:
    """Events of reading that were not refused."""
    logged, _ = tacit.access_log(caller(), PersonId("alice"), AccessFilter(), 1000)
    events = [one.event for one in logged]
    return sum(e.action is AccessAction.READ and not e.denied for e in events)


def test_it_answers_as_the_server_does(tacit: Tacit, beside: Beside) -> None:
    assert started(beside)
    for query in QUERIES:
        assert there(beside, query) == here(tacit, query)
    told = ask(beside, "the garden", rpc="BuildContext", max_tokens=200)
    assert told.text == tacit.build_context(access(), RawText("the garden"), 200, Narrow()).text


def test_every_answer_is_in_the_access_log_once_and_before_it_leaves(
    tacit: Tacit, beside: Beside
) -> None:
    started(beside)
    before = reads(tacit)
    with ThreadPoolExecutor(LANES) as pool:
        answers = list(pool.map(lambda n: ask(beside, QUERIES[n % 4]), range(60)))
    assert all(answers)
    assert reads(tacit) == before + 60


def test_what_was_stored_changed_and_deleted_is_seen_by_the_next_call(
    tacit: Tacit, beside: Beside
) -> None:
    started(beside)
    assert ask(beside)
    (record,) = store(tacit, "A heron landed in the garden")
    assert record in dict(there(beside, "a heron"))
    assert there(beside, "a heron") == here(tacit, "a heron")
    erased = RecordId(bytes.fromhex(record))
    assert tacit.erase_memories.one(caller(), PersonId("alice"), erased).memories == 1
    assert record not in dict(there(beside, "a heron"))


def test_who_may_not_read_is_told_so_by_the_server(tacit: Tacit, beside: Beside) -> None:
    started(beside)
    assert ask(beside)
    tacit.consents.withdraw(caller(), PersonId("alice"), ASSISTANCE, caller().assistant)
    before = reads(tacit)
    assert ask(beside) is None
    assert ask(beside, person="nobody-here") is None
    assert reads(tacit) == before
    grant(tacit)
    assert ask(beside)


@pytest.mark.parametrize(
    "fields", [{"reveal": True}, {"limit": -1}, {"query": " "}], ids=["names", "bad", "blank"]
)
def test_what_it_cannot_do_is_left_to_the_server(
    tacit: Tacit, beside: Beside, fields: dict[str, Any]
) -> None:
    started(beside)
    before = reads(tacit)
    assert ask(beside, **({"query": "the garden"} | fields)) is None
    assert reads(tacit) == before
    assert ask(beside)


def test_a_call_that_is_alone_is_answered_by_the_server(
    config: Config, tacit: Tacit, beside: Beside
) -> None:
    started(beside)
    beside._busy = lambda: 1
    assert ask(beside) is None
    beside._busy = lambda: 2
    assert ask(beside)


def test_one_that_is_killed_costs_no_answer_and_another_takes_its_place(
    tacit: Tacit, beside: Beside
) -> None:
    first = started(beside)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: beside.running() == 0)
    assert ask(beside) is None
    assert started(beside) != first
    assert there(beside, "chess") == here(tacit, "chess")


def test_one_that_says_nothing_is_killed(
    tacit: Tacit, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.beside, "HANG_SECONDS", 1)
    first = started(beside)
    assert ask(beside)
    os.kill(first, signal.SIGSTOP)
    assert ask(beside) is None
    wait_until(lambda: beside.running() == 0)
    assert started(beside) != first


def test_who_is_forgotten_is_dropped_before_the_call_returns(
    tacit: Tacit, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a process that cannot be made to drop them is ended."""
    monkeypatch.setattr(server.beside, "HANG_SECONDS", 1)
    first = started(beside)
    assert ask(beside)
    told: list[bool] = []
    tacit.caches.beside.append(lambda _, for_good: told.append(for_good))
    assert tacit.forget(caller(), PersonId("alice")).state is ErasureState.DONE
    assert True in told
    assert ask(beside) is None
    assert beside._running[0]._child.pid == first
    os.kill(first, signal.SIGSTOP)
    beside.drop(SubjectId(bytes(16)), True)
    wait_until(lambda: beside.running() == 0)


def test_there_is_none_where_there_is_one_core_or_postgresql(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert server.beside.processes(replace(config, recall_processes=3)) == 3
    assert server.beside.processes(replace(config, recall_processes=0)) == 0
    assert server.beside.processes(replace(config, database="postgresql://t@h/d")) == 0
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert server.beside.processes(config) == 0
