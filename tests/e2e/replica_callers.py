"""Callers who store, recall, grant, withdraw, delete and forget, and hold servers to their word.

Rules:
- Only its caller changes a person; everyone looks at them, at whichever replica comes next.
- What a replica does not answer is asked of the next one, as a client does, with the same
  `request_id`. What was acknowledged in the end is what counts.
- A look that begins after a withdrawal or erasure was acknowledged, and ends before the next yes
  is asked for, must see nothing.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import grpc

from memory.client.errors import ClientError, refusal
from memory.v1.core_pb2 import Memory
from tests.e2e.actor import Actor
from tests.e2e.replicas import Deployment

T = TypeVar("T")

GIVE_UP_SECONDS = 180.0
"""For one answer, at all replicas together: longer than anything is away."""

REFUSED = ("CONSENT_MISSING", "ERASURE_IN_PROGRESS")

_WHO = ("my aunt", "the plumber", "our teacher", "a stranger", "the baker", "his captain")
_DID = ("painted", "sold", "repaired", "lost", "borrowed", "described", "hid", "weighed")
_WHAT = ("a violin", "the lighthouse", "some honey", "an old map", "a paddle", "three lamps")


def text_of(number: int) -> str:
    """A sentence of its own for each number."""
    words = random.Random(number)
    return f"{' '.join(words.choice(choice) for choice in (_WHO, _DID, _WHAT))}, entry {number}"


@dataclass
class Person:
    """What was acknowledged of one person."""

    name: str
    kept: dict[str, str] = field(default_factory=dict)
    """Names of memories and their texts."""
    gone: set[str] = field(default_factory=set)
    closed: object | None = field(default_factory=object)
    """Another object for each time that nothing may be read of them; None from when a yes is
    asked for.
    """
    told: int = 0
    erasure: str = ""

    def next_text(self) -> tuple[str, str]:
        """A text, and an id for it."""
        self.told += 1
        return text_of(self.told), f"{self.name}/{self.told}"


class World:
    """What all callers see, and what went wrong."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.people: list[Person] = []
        self.calls: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        """Calls that were not answered, by reason: those that may happen."""
        self.wrong: list[str] = []
        self._lock = threading.Lock()
        self._turn = itertools.count()

    def ask(self, what: str, call: Callable[[Actor], T], *refusals: str) -> T | None:
        """The answer of the first replica that has one; None if it refuses for one of these."""
        end = time.monotonic() + GIVE_UP_SECONDS
        while True:
            number = next(self._turn) % len(self.deployment.actors)
            began = time.monotonic()
            try:
                answer = call(self.deployment.actors[number])
            except grpc.RpcError as error:
                told = refusal(error.code(), error.details(), error.trailing_metadata())
                if told.reason in refusals:
                    self._count(self.calls, f"{what} refused")
                    return None
                self._failed(what, number, told, began)
                if time.monotonic() > end:
                    raise
                time.sleep(told.retry_seconds or 0.2)
            else:
                self._count(self.calls, what)
                return answer

    def say(self, problem: str) -> None:
        """Something that must never be."""
        with self._lock:
            self.wrong.append(problem)

    def _failed(self, what: str, number: int, told: ClientError, began: float) -> None:
        """Unavailable, and when to come back; or nobody there, for a replica that was killed."""
        away = self.deployment.replicas[number].was_away(began, time.monotonic())
        if told.status == "UNAVAILABLE" and told.retry_seconds is not None:
            self._count(self.failures, told.reason)
        elif told.status == "UNAVAILABLE" and not told.reason and away:
            self._count(self.failures, "connection of a killed replica")
        else:
            self.say(f"{what} at replica {number}: {told.status} {told}")

    def _count(self, counter: Counter[str], what: str) -> None:
        with self._lock:
            counter[what] += 1

    def recall(self, person: Person, query: str) -> list[Memory]:
        """What any replica shows of the person, held to what was acknowledged before."""
        closed, gone = person.closed, frozenset(person.gone)
        found = self.ask("recall", lambda a: a.recall(person.name, query), *REFUSED) or []
        if closed is not None and closed is person.closed and found:
            which = "erasure" if person.erasure else "consent"
            self.say(f"{which} violation: {len(found)} of {person.name} after the acknowledgement")
        if any(memory.name in gone for memory in found):
            self.say(f"erasure violation: a deleted memory of {person.name}")
        for memory in found:
            whose, _, number = memory.labels["id"].rpartition("/")
            if (whose, memory.text) != (person.name, text_of(int(number))):
                self.say(f"a memory of {whose} for {person.name}, or another text: {memory.text}")
        return found


class Caller(threading.Thread):
    """One assistant, without pause, until it is told to stop."""

    def __init__(self, world: World, number: int, stopping: threading.Event) -> None:
        super().__init__(daemon=True)
        self._world, self._number, self._stopping = world, number, stopping
        self._chance = random.Random(number)
        self._mine: list[Person] = []
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            self._mine = [self._newcomer(), self._newcomer()]
            while not self._stopping.is_set():
                person = self._chance.choice(self._mine)
                works = (self._store, self._look, self._take_away, self._withdraw, self._forget)
                (work,) = self._chance.choices(works, (60, 30, 4, 6, 1))
                work(person)
        except BaseException as error:
            self.failure = error

    def changes_minds(self, times: int) -> None:
        """A person whose consent is withdrawn and given again so many times."""
        person = self._newcomer()
        self._store(person)
        for _ in range(times):
            self._withdraw(person)

    def _newcomer(self) -> Person:
        known = len(self._world.people)
        person = Person(f"person-{self._number}-{known}")
        self._world.people.append(person)
        self._grant(person)
        return person

    def _grant(self, person: Person) -> None:
        person.closed = None
        self._world.ask("grant", lambda actor: actor.grant(person.name))

    def _store(self, person: Person) -> None:
        (text, id_), ask = person.next_text(), self._world.ask
        stored = ask("store", lambda actor: actor.store(person.name, [text], [id_]))
        assert stored is not None
        person.kept[stored[0].name] = text
        found = self._world.recall(person, text)
        if stored[0].name not in {memory.name for memory in found}:
            self._world.say(f"lost: {id_} was acknowledged, and the next recall misses it")

    def _look(self, _: Person) -> None:
        person = self._chance.choice(self._world.people)
        self._world.recall(person, text_of(self._chance.randint(1, person.told + 1)))

    def _take_away(self, person: Person) -> None:
        if person.kept:
            name = self._chance.choice(list(person.kept))
            del person.kept[name]
            self._world.ask("delete", lambda actor: actor.delete(name), "RESOURCE_NOT_FOUND")
            person.gone.add(name)

    def _withdraw(self, person: Person) -> None:
        ask = self._world.ask
        ask("withdraw", lambda actor: actor.withdraw(person.name))
        person.closed = object()
        for _ in self._world.deployment.actors:
            self._world.recall(person, "entry 1")
        text, id_ = person.next_text()
        if ask("store", lambda a: a.store(person.name, [text], [id_]), *REFUSED) is not None:
            self._world.say("consent violation: stored after a withdrawal was acknowledged")
        self._grant(person)
        if person.kept and not self._world.recall(person, "entry 1"):
            self._world.say(f"lost: {person.name} came back, and nothing is recalled")

    def _forget(self, person: Person) -> None:
        """Accepted while the database was away, it holds everywhere once it is carried over."""
        erasure = self._world.ask("forget", lambda actor: actor.forget(person.name))
        assert erasure is not None
        if erasure.waits_for == "STORAGE_UNAVAILABLE":
            self._world.failures["erasures kept while the database was away"] += 1
            self._until_carried_over(person)
        person.kept.clear()
        person.erasure = erasure.name
        person.closed = object()
        for _ in self._world.deployment.actors:
            self._world.recall(person, "entry 1")
        self._mine.remove(person)
        self._mine.append(self._newcomer())

    def _until_carried_over(self, person: Person) -> None:
        end = time.monotonic() + GIVE_UP_SECONDS
        while not all(_refuses(actor, person) for actor in self._world.deployment.actors):
            assert time.monotonic() < end, "an erasure was accepted and is not carried over"
            time.sleep(0.5)


def _refuses(actor: Actor, person: Person) -> bool:
    """Whether this replica shows nothing of the person, and says so."""
    try:
        actor.recall(person.name, "entry 1")
    except grpc.RpcError as error:
        told = refusal(error.code(), error.details(), error.trailing_metadata())
        return told.reason in REFUSED
    return False
