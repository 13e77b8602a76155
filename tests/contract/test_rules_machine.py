"""The rules of consent and of what is kept, run in random orders against a plain model of them.

One deployment lives through all runs; each run has people of its own. The model is told what the
calls said and nothing of how they are done. Retention works beside them as it does in a server:
what is over is shown to nobody at once, and erased at any moment from then on, unless it is held.
"""

from __future__ import annotations

import gc
import itertools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from memory.app.narrow import Narrow
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.draft import Draft
from memory.core.values import (
    Access,
    AssistantId,
    Caller,
    PersonId,
    PurposeId,
    RawText,
    RecordId,
    TenantId,
)
from memory.errors import (
    ConsentError,
    InvalidArgumentError,
    LegalHoldError,
    NotFoundError,
    RestrictedError,
)
from memory.ports import ErasureState, MemoryFilter
from tests.contract.conftest import MovableClock
from tests.contract.rules_model import Decision, Kept, Person, latest_end
from tests.integration.conftest import wait_until

TENANT: Final = TenantId("acme")
PEOPLE: Final = "alice", "bob"
ASSISTANTS: Final = "bot", "helper"
PURPOSES: Final = ("assistance", "care")
TEXTS: Final = ("I like green tea", "the bus was late again", "we moved the sofa", "my knee hurts")
REGISTRY: Final = """
[assistance]
title = "Help me"
description = "The assistant remembers what you told it."
dpv = "https://w3id.org/dpv#ServiceProvision"
[care]
title = "Support my care"
description = "Who cares for you knows your needs."
dpv = "https://w3id.org/dpv#ServiceProvision"
retention = "1d"
"""
EARLY: Final = datetime(2000, 1, 1, tzinfo=UTC)
RUNS, FEW_RUNS = 2_000, 12

people = st.sampled_from(PEOPLE)
assistants = st.sampled_from(ASSISTANTS)
purposes = st.sampled_from(PURPOSES)
texts = st.sampled_from(TEXTS)
scopes = st.sampled_from((None, *ASSISTANTS))
seconds = st.sampled_from((1, 3_600, 90_000))
lives = st.sampled_from((None, 1, 24, 48))
"""How many hours a memory is to be kept, if that is said."""
ages = st.integers(0, 100)
"""Which of the memories there are, the newest first; too high means one that is not there."""


class Deployment:
    """A Tacit that can be closed and opened again."""

    def __init__(self, folder: Path, url: str) -> None:
        self.clock = MovableClock()
        purposes = folder.with_name("purposes.toml")
        purposes.write_text(REGISTRY)
        self._config = Config(data=folder, database=url, purposes=purposes)
        self.runs = itertools.count()
        self.callers = ThreadPoolExecutor(len(PEOPLE) * len(ASSISTANTS))
        self.tacit: Tacit = open_tacit(self._config, clock=self.clock)

    def restart(self, down: timedelta) -> None:
        self.tacit.close()
        del self.tacit
        gc.collect()  # a new process would begin with nothing
        self.clock.advance(down)
        self.tacit = open_tacit(self._config, clock=self.clock)


class Rules(RuleBasedStateMachine):
    """What may happen, in any order."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__()
        self.deployment = deployment
        self.run = next(deployment.runs)
        self.steps = 0
        self.people = {name: Person() for name in PEOPLE}

    @property
    def tacit(self) -> Tacit:
        return self.deployment.tacit

    @property
    def now(self) -> datetime:
        return self.deployment.clock.now

    def _id(self, person: str) -> PersonId:
        return PersonId(f"{person}-{self.run}")

    def _access(self, person: str, assistant: str, purpose: str) -> Access:
        return Access(_caller(assistant), self._id(person), PurposeId(purpose))

    def _pick(self, person: str, age: int) -> Kept | None:
        memories = self.people[person].memories
        return memories[-1 - age] if age < len(memories) else None

    def _gate(self, person: str, assistant: str, purpose: str) -> AbstractContextManager[object]:
        """Expects the refusal that the model foresees, if it foresees one."""
        model = self.people[person]
        if purpose not in model.covered(assistant, self.now):
            return pytest.raises(ConsentError)
        return _raises(RestrictedError, model.restricted)

    @initialize()
    def someone_said_yes(self) -> None:
        for purpose in PURPOSES:
            self.grant(PEOPLE[0], purpose, None, None)

    def _time_passed(self) -> None:
        for model in self.people.values():
            model.time_passed(self.now)

    def _there(self, person: str) -> set[RecordId]:
        """The memories in the database, whether or not anyone may see them."""
        restrict = self.tacit.restrict
        with restrict.store.read() as uow:
            row = uow.person(restrict.keyring.ref(TENANT, self._id(person)))
            return set() if row is None else {h.id for h in uow.heads(row.subject, MemoryFilter())}

    @rule(seconds=seconds)
    def time_passes(self, seconds: int) -> None:
        self.deployment.clock.advance(timedelta(seconds=seconds))
        self._time_passed()

    @rule()
    def retention_runs(self) -> None:
        self.tacit.expire.work_off()
        self._what_is_over_is_erased()

    def _what_is_over_is_erased(self) -> None:
        for person, model in self.people.items():
            if model.retention_ran(self.now):
                expected = {m.id for m in model.memories}
                # The scheduler may have them in hand; then what we asked for passed them over.
                wait_until(lambda: self._there(person) == expected)  # noqa: B023

    @rule(person=people, purpose=purposes, scope=scopes, hours=st.sampled_from((None, 1, 24)))
    def grant(self, person: str, purpose: str, scope: str | None, hours: int | None) -> None:
        self.time_passes(1)
        until = None if hours is None else self.now + timedelta(hours=hours)
        self.tacit.consents.grant(
            _caller(), self._id(person), PurposeId(purpose), _assistant(scope), until
        )
        self.people[person].decisions.append(Decision(purpose, scope, True, until))

    @rule(person=people, purpose=purposes, scope=scopes)
    def withdraw(self, person: str, purpose: str, scope: str | None) -> None:
        self.time_passes(1)
        self.tacit.consents.withdraw(
            _caller(), self._id(person), PurposeId(purpose), _assistant(scope)
        )
        for one in ASSISTANTS if scope is None else (scope,):
            self.people[person].decisions.append(Decision(purpose, one, False))

    @rule(person=people, purpose=purposes, scope=scopes)
    def refuse(self, person: str, purpose: str, scope: str | None) -> None:
        self.time_passes(1)
        self.tacit.consents.refuse(
            _caller(), self._id(person), PurposeId(purpose), _assistant(scope)
        )
        self.people[person].decisions.append(Decision(purpose, scope, False))

    @rule(person=people, purpose=purposes, scope=scopes)
    def withdraw_and_erase(self, person: str, purpose: str, scope: str | None) -> None:
        self.time_passes(1)
        model = self.people[person]
        gone = [m for m in model.memories if m.purpose == purpose and scope in (None, m.assistant)]
        surely = [m for m in gone if not m.may_be_gone]
        with _raises(LegalHoldError, model.held(self.now)):
            done = self.tacit.consents.withdraw(
                _caller(), self._id(person), PurposeId(purpose), _assistant(scope), erase=True
            )
            assert len(surely) <= done.erased <= len(gone)
            model.memories = [m for m in model.memories if m not in gone]
            for one in ASSISTANTS if scope is None else (scope,):
                model.decisions.append(Decision(purpose, one, False))

    @rule(person=people)
    def restrict(self, person: str) -> None:
        self.tacit.restrict(_caller(), self._id(person))
        self.people[person].restricted = True

    @rule(person=people, told=st.sampled_from((None, 0, 1)))
    def lift(self, person: str, told: int | None) -> None:
        """By the person, or (`told`) by an operator, who told them now or too early."""
        restrict, id_ = self.tacit.restrict, self._id(person)
        if told is None:
            restrict.lift(replace(_caller(), person=id_), id_)
        else:
            early = told > 0 and self.people[person].restricted
            with _raises(InvalidArgumentError, early):
                restrict.lift(_caller(), id_, EARLY if told else self.now)
            if early:
                return
        self.people[person].restricted = False

    @rule(person=people, hours=st.sampled_from((1, 24)))
    def hold(self, person: str, hours: int) -> None:
        until = self.now + timedelta(hours=hours)
        with suppress(NotFoundError):
            self.tacit.restrict.hold(_caller(), self._id(person), until, "case/1")
            self.people[person].held_until = until

    @rule(person=people)
    def release(self, person: str) -> None:
        with suppress(NotFoundError):
            self.tacit.restrict.release(_caller(), self._id(person))
        self.people[person].held_until = None
        self._time_passed()

    @rule(
        person=people,
        assistant=assistants,
        purpose=purposes,
        said=st.lists(texts, min_size=1),
        hours=lives,
    )
    def store(
        self, person: str, assistant: str, purpose: str, said: list[str], hours: int | None
    ) -> None:
        access = self._access(person, assistant, purpose)
        wanted = None if hours is None else self.now + timedelta(hours=hours)
        latest = latest_end(purpose, self.now)
        too_long = wanted is not None and latest is not None and wanted > latest
        drafts = [Draft(RawText(text), expire_time=wanted) for text in said]
        with self._gate(person, assistant, purpose), _raises(InvalidArgumentError, too_long):
            done = self.tacit.remember(access, drafts)
            told = [(one.memory.id, text) for one, text in zip(done, said, strict=True)]
            end = wanted or latest
            again = self.people[person].tell(told, purpose, assistant, end, self.now)
            assert again == [one.memory.id if one.merged else None for one in done]

    @rule(person=people, assistant=assistants, purpose=purposes, query=texts)
    def recall(self, person: str, assistant: str, purpose: str, query: str) -> None:
        with self._gate(person, assistant, purpose):
            access = self._access(person, assistant, purpose)
            hits = self.tacit.recall(access, RawText(query), 100)
            found = {h.memory.id: h.memory.content.text.value for h in hits}
            expected = self.people[person].visible(assistant, self.now)
            assert found.items() <= {(m.id, m.text) for m in expected}
            assert len(found) == min(100, len(expected))
            if any(m.text == query for m in expected):
                assert hits[0].memory.content.text.value == query

    @rule(
        person=people,
        assistant=assistants,
        purpose=purposes,
        age=ages,
        text=texts,
        same_end=st.booleans(),
    )
    def update(
        self, person: str, assistant: str, purpose: str, age: int, text: str, same_end: bool
    ) -> None:
        memory = self._pick(person, age)
        if memory is None:
            return
        access = self._access(person, assistant, purpose)
        with self._gate(person, assistant, purpose):
            seen = memory in self.people[person].visible(assistant, self.now)
            with _raises(NotFoundError, not seen):
                changed = self.tacit.rectify.update(
                    access,
                    memory.id,
                    lambda d: Draft(RawText(text), expire_time=d.expire_time if same_end else None),
                )
                if not same_end:
                    memory.ends_at = latest_end(memory.purpose, memory.told_at)
                memory.text, memory.version = text, memory.version + 1
                assert changed.version == memory.version

    @rule(person=people, age=ages)
    def delete(self, person: str, age: int) -> None:
        memory = self._pick(person, age)
        if memory is None:
            return
        model = self.people[person]
        with _raises(LegalHoldError, model.held(self.now)):
            with suppress(NotFoundError) if memory.may_be_gone else nullcontext():
                self.tacit.erase_memories.one(_caller(), self._id(person), memory.id)
            model.memories.remove(memory)

    @rule(person=people)
    def forget(self, person: str) -> None:
        with _raises(LegalHoldError, self.people[person].held(self.now)):
            erasure = self.tacit.forget(_caller(), self._id(person))
            assert self.tacit.eraser.wait(erasure, 300).state is ErasureState.DONE
            self.people[person] = Person()

    @rule(often=st.integers(0, 7), down=seconds)
    def restart(self, often: int, down: int) -> None:
        if often == 0:  # it takes longer than everything else
            self.deployment.restart(timedelta(seconds=down))
            self._time_passed()
            self._what_is_over_is_erased()

    @invariant()
    def what_is_not_over_is_there(self) -> None:
        for person, model in self.people.items():
            there = self._there(person)
            assert there <= {m.id for m in model.memories}
            assert there >= {m.id for m in model.memories if not m.may_be_gone}

    @invariant()
    def everyone_is_listed_what_is_theirs(self) -> None:
        """One purpose after each step, in turns: what is listed does not depend on it."""
        self.steps += 1
        self._all_list(PURPOSES[self.steps % len(PURPOSES)])

    def teardown(self) -> None:
        for purpose in PURPOSES:
            self._all_list(purpose)

    def _all_list(self, purpose: str) -> None:
        """All at once, so that their entries in the access log share a commit."""
        asked = itertools.product(PEOPLE, ASSISTANTS)
        deque(self.deployment.callers.map(lambda who: self._list(*who, purpose), asked), maxlen=0)

    def _list(self, person: str, assistant: str, purpose: str) -> None:
        access = self._access(person, assistant, purpose)
        with self._gate(person, assistant, purpose):
            page, _ = self.tacit.rectify.page(access, Narrow(), -1, 10_000)
            listed = [(m.id, m.content.text.value, m.version, m.sightings) for m in page]
            expected = self.people[person].visible(assistant, self.now)
            assert listed == [(m.id, m.text, m.version, m.sightings) for m in expected]


def _caller(assistant: str = "bot") -> Caller:
    return Caller(TENANT, AssistantId(assistant), frozenset())


def _assistant(name: str | None) -> AssistantId | None:
    return None if name is None else AssistantId(name)


def _raises(error: type[Exception], foreseen: bool) -> AbstractContextManager[object]:
    return pytest.raises(error) if foreseen else nullcontext()


@pytest.fixture
def deployment(tmp_path: Path, fresh_url: str) -> Iterator[Deployment]:
    deployment = Deployment(tmp_path / "data", fresh_url)
    with deployment.callers:
        yield deployment
    deployment.tacit.close()


@pytest.mark.timeout(5_400)
def test_the_rules_hold_in_any_order(deployment: Deployment, stress: bool) -> None:
    machine: Callable[[], Rules] = lambda: Rules(deployment)  # noqa: E731
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=RUNS if stress else FEW_RUNS,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
