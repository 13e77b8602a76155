"""How the use cases write down what they do: one event for each call, or the call fails.

    write     in the transaction that stores, changes, erases or decides
    record    beside a call that only reads: wait for it before answering
    refused   what the gate turned away
    operate   what was done to the deployment

Rules:
- It lives beside the gate, in the domain, so that no entry point goes around it.
- An event's leaf is salted under a key that is gone once its person is forgotten.
- A refusal is written down by another thread, which looks the person up again: how long a call is
  refused says nothing of whether there is such a person. Nothing was read, so nobody waits; a crash
  may lose the refusals of the last moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar

from memory.app.keyring import Keyring
from memory.app.leaves import operator_leaf, person_leaf
from memory.app.recorder import Recorded, Recorder
from memory.app.refusals import Refusals, Refused
from memory.core.keys import PersonKeys
from memory.core.ledger import Leaf
from memory.core.values import (
    Access,
    AssistantId,
    Caller,
    PersonId,
    PurposeId,
    RecordId,
    TenantId,
)
from memory.errors import ConsentError, RestrictedError
from memory.ports import (
    AccessAction,
    AccessEvent,
    Clock,
    OperatorAction,
    OperatorEvent,
    RandomBytes,
    UnitOfWork,
)

ENGINE: Final = AssistantId("tacit.erasure")
"""What an event names where the erasure engine acts of itself: new keys, and key epochs."""


def engine(tenant: TenantId) -> Caller:
    """The erasure engine, as the caller of what it does for an erasure of this tenant."""
    return Caller(tenant, ENGINE, frozenset())


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the use cases call."""

    keyring: Keyring
    recorder: Recorder
    refusals: Refusals
    clock: Clock
    random: RandomBytes
    wake: Callable[[], None]
    """Called when a leaf waits to be taken into the tree."""

    def write(
        self,
        uow: UnitOfWork,
        keys: PersonKeys,
        by: AssistantId,
        action: AccessAction,
        count: int,
        purpose: PurposeId | None = None,
    ) -> None:
        """Writes an event in the transaction of what it is about; commit it."""
        event, leaf = self._event(keys, by, action, count, purpose)
        uow.add_access_events([(event, leaf.hash)])
        self.wake()

    def record(
        self,
        keys: PersonKeys,
        by: AssistantId,
        action: AccessAction,
        count: int,
        purpose: PurposeId | None = None,
    ) -> Recorded:
        """Puts an event on its way to the disk; `wait` for it before what was read leaves."""
        event, leaf = self._event(keys, by, action, count, purpose)
        return self.recorder.submit(event, leaf.hash)

    def refused(
        self, caller: Caller, person: PersonId, action: AccessAction, purpose: PurposeId | None
    ) -> None:
        """Notes that the gate turned a call away; of an unknown person nothing is written."""
        ref = self.keyring.ref(caller.tenant, person)
        self.refusals.note(Refused(ref, caller.assistant, action, purpose, self.clock()))

    def operate(
        self, uow: UnitOfWork, by: Caller, action: OperatorAction, count: int
    ) -> OperatorEvent:
        """Writes an operator event in the transaction of what it is about; commit it."""
        id_ = RecordId(self.random(16))
        event = OperatorEvent(id_, self.clock(), by.tenant, by.assistant, action, count)
        self.erased(uow, event)
        return event

    def erased(self, uow: UnitOfWork, event: OperatorEvent) -> None:
        """The same of an event that a certificate will name."""
        uow.add_operator_event(event, operator_leaf(self.keyring, event).hash)
        self.wake()

    def _event(
        self,
        keys: PersonKeys,
        by: AssistantId,
        action: AccessAction,
        count: int,
        purpose: PurposeId | None,
    ) -> tuple[AccessEvent, Leaf]:
        id_ = RecordId(self.random(16))
        event = AccessEvent(id_, keys.subject, self.clock(), by, purpose, action, count)
        return event, person_leaf(keys, event)


DENIALS = (ConsentError, RestrictedError)
"""What the gate raises when it turns a call away."""

P = ParamSpec("P")
Answer = TypeVar("Answer")


class _UseCase(Protocol):
    @property
    def ledger(self) -> Ledger: ...


Self_ = TypeVar("Self_", bound=_UseCase)
Method = Callable[Concatenate[Self_, Access, P], Answer]


def refusals_logged(
    action: AccessAction,
) -> Callable[[Method[Self_, P, Answer]], Method[Self_, P, Answer]]:
    """For the method of a use case: what the gate turns away is written down as denied."""

    def decorate(method: Method[Self_, P, Answer]) -> Method[Self_, P, Answer]:
        @wraps(method)
        def call(self: Self_, access: Access, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
            try:
                return method(self, access, *args, **kwargs)
            except DENIALS:
                self.ledger.refused(access.caller, access.person, action, access.purpose)
                raise

        return call

    return decorate
