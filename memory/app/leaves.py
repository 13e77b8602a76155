"""Rows of events and the leaves that stand for them in the tree."""

from __future__ import annotations

from memory.app.keyring import Keyring
from memory.core.keys import PersonKeys
from memory.core.ledger import Event, Leaf
from memory.ports import AccessEvent, OperatorEvent


def person_leaf(keys: PersonKeys, event: AccessEvent) -> Leaf:
    """The leaf of an event of this person."""
    return Event(
        id=event.id.value,
        at=event.at,
        tenant=keys.tenant.value,
        assistant=event.assistant.value,
        purpose="" if event.purpose is None else event.purpose.value,
        action=event.action.value,
        count=event.memories,
        denied=event.denied,
    ).leaf(keys.ledger)


def operator_leaf(keyring: Keyring, event: OperatorEvent) -> Leaf:
    """The leaf of an operator event."""
    return Event(
        id=event.id.value,
        at=event.at,
        tenant=event.tenant.value,
        assistant=event.assistant.value,
        purpose="",
        action=event.action.value,
        count=event.count,
        denied=False,
    ).leaf(keyring.deployment.ledger)
