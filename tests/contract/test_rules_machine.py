"""The rules of consent and of what is kept, run in random orders against a plain model of them.

One deployment lives through all runs; each run has people of its own. The model is told what the
calls said and nothing of how they are done.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

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
from memory.errors import ConsentError, LegalHoldError, NotFoundError, RestrictedError
from tests.contract.conftest import MovableClock

TENANT: Final = TenantId("acme")
PEOPLE: Final = ("alice", "bob")
ASSISTANTS: Final = ("bot", "helper")
PURPOSES: Final = ("assistance", "care")
TEXTS: Final = ("I like green tea", "the bus was late again", "we moved the sofa", "my knee hurts")
RUNS: Final = 2_000
FEW_RUNS: Final = 12

people = st.sampled_from(PEOPLE)
assistants = st.sampled_from(ASSISTANTS)
purposes = st.sampled_from(PURPOSES)
texts = st.sampled_from(TEXTS)
scopes = st.sampled_from((None, *ASSISTANTS))
ages = st.integers(0, 100)
"""Which of the memories there are, the newest first; too high means one that is not there."""


class Deployment:
    """A Tacit that can be closed and opened again."""

    def __init__(self, folder: Path, url: str) -> None:
        self.clock = MovableClock()
        self._config = Config(data=folder, database=url)
        self.runs = itertools.count()
        self.tacit: Tacit = open_tacit(self._config, clock=self.clock)

    def restart(self) -> None:
        self.tacit.close()
        self.tacit = open_tacit(self._config, clock=self.clock)


@dataclass
class Decision:
    """What a person said about a purpose, for one assistant or (None) for all."""

    purpose: str
    assistant: str | None
    given: bool
    until: datetime | None = None


@dataclass
class Kept:
    """A memory as the model has it."""

    id: RecordId
    text: str
    purpose: str
    assistant: str
    version: int = 1


@dataclass
class Person:
    """Everything the model knows of one person; forgetting makes a new one."""

    decisions: list[Decision] = field(default_factory=list)
    memories: list[Kept] = field(default_factory=list)
    restricted: bool = False
    held_until: datetime | None = None

    def held(self, now: datetime) -> bool:
        return self.held_until is not None and now < self.held_until

    def covered(self, assistant: str, now: datetime) -> set[str]:
        """The purposes for which the last word that concerns this assistant is a valid yes."""
        last = {d.purpose: d for d in self.decisions if d.assistant in (None, assistant)}
        return {p for p, d in last.items() if d.given and (d.until is None or now < d.until)}

    def visible(self, assistant: str, now: datetime) -> list[Kept]:
        covered = self.covered(assistant, now)
        return [m for m in self.memories if m.purpose in covered]


class Rules(RuleBasedStateMachine):
    """What may happen, in any order."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__()
        self.deployment = deployment
        self.run = next(deployment.runs)
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

    @rule(seconds=st.sampled_from((1, 3_600, 90_000)))
    def time_passes(self, seconds: int) -> None:
        self.deployment.clock.advance(timedelta(seconds=seconds))

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
        with _raises(LegalHoldError, model.held(self.now)):
            done = self.tacit.consents.withdraw(
                _caller(), self._id(person), PurposeId(purpose), _assistant(scope), erase=True
            )
            assert done.erased == len(gone)
            model.memories = [m for m in model.memories if m not in gone]
            for one in ASSISTANTS if scope is None else (scope,):
                model.decisions.append(Decision(purpose, one, False))

    @rule(person=people)
    def restrict(self, person: str) -> None:
        self.tacit.restrict(_caller(), self._id(person))
        self.people[person].restricted = True

    @rule(person=people)
    def lift(self, person: str) -> None:
        self.tacit.restrict.lift(_caller(), self._id(person))
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

    @rule(person=people, assistant=assistants, purpose=purposes, said=st.lists(texts, min_size=1))
    def store(self, person: str, assistant: str, purpose: str, said: list[str]) -> None:
        access = self._access(person, assistant, purpose)
        with self._gate(person, assistant, purpose):
            done = self.tacit.remember(access, [Draft(RawText(text)) for text in said])
            self.people[person].memories += [
                Kept(one.memory.id, text, purpose, assistant)
                for one, text in zip(done, said, strict=True)
            ]

    @rule(person=people, assistant=assistants, purpose=purposes, query=texts)
    def recall(self, person: str, assistant: str, purpose: str, query: str) -> None:
        with self._gate(person, assistant, purpose):
            access = self._access(person, assistant, purpose)
            hits = self.tacit.recall(access, RawText(query), 100)
            found = {h.memory.id: h.memory.content.text.value for h in hits}
            expected = self.people[person].visible(assistant, self.now)
            assert found == {m.id: m.text for m in expected}
            if any(m.text == query for m in expected):
                assert hits[0].memory.content.text.value == query

    @rule(person=people, assistant=assistants, purpose=purposes, age=ages, text=texts)
    def update(self, person: str, assistant: str, purpose: str, age: int, text: str) -> None:
        memory = self._pick(person, age)
        if memory is None:
            return
        access = self._access(person, assistant, purpose)
        with self._gate(person, assistant, purpose):
            seen = memory in self.people[person].visible(assistant, self.now)
            with _raises(NotFoundError, not seen):
                changed = self.tacit.rectify.update(
                    access, memory.id, lambda d: Draft(RawText(text), kind=d.kind)
                )
                memory.text, memory.version = text, memory.version + 1
                assert changed.version == memory.version

    @rule(person=people, age=ages)
    def delete(self, person: str, age: int) -> None:
        memory = self._pick(person, age)
        if memory is None:
            return
        model = self.people[person]
        with _raises(LegalHoldError, model.held(self.now)):
            self.tacit.erase_memories.one(_caller(), self._id(person), memory.id)
            model.memories.remove(memory)

    @rule(person=people)
    def forget(self, person: str) -> None:
        with _raises(LegalHoldError, self.people[person].held(self.now)):
            self.tacit.forget(_caller(), self._id(person))
            self.people[person] = Person()

    @rule(often=st.integers(0, 4))
    def restart(self, often: int) -> None:
        if often == 0:  # it takes longer than everything else
            self.deployment.restart()

    @invariant()
    def everyone_is_listed_what_is_theirs(self) -> None:
        for person, model in self.people.items():
            for assistant, purpose in itertools.product(ASSISTANTS, PURPOSES):
                access = self._access(person, assistant, purpose)
                with self._gate(person, assistant, purpose):
                    page, _ = self.tacit.rectify.page(access, Narrow(), -1, 10_000)
                    listed = [(m.id, m.content.text.value, m.version) for m in page]
                    expected = model.visible(assistant, self.now)
                    assert listed == [(m.id, m.text, m.version) for m in expected]


def _caller(assistant: str = "bot") -> Caller:
    return Caller(TENANT, AssistantId(assistant), frozenset())


def _assistant(name: str | None) -> AssistantId | None:
    return None if name is None else AssistantId(name)


def _raises(error: type[Exception], foreseen: bool) -> AbstractContextManager[object]:
    return pytest.raises(error) if foreseen else nullcontext()


@pytest.fixture
def deployment(tmp_path: Path, fresh_url: str) -> Iterator[Deployment]:
    deployment = Deployment(tmp_path / "data", fresh_url)
    yield deployment
    deployment.tacit.close()


@pytest.mark.timeout(3_600)
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
