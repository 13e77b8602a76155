"""Leaves that wait, and who signs the tree over them."""

from __future__ import annotations

import os

from memory.adapters.sql.store import SqlStore
from memory.core.signing import Signer
from memory.core.values import Secret
from tests.contract.rows import a_record, an_access_event, stored_person

SIGNER = Signer("memory.example.org", Secret(bytes(range(32))))


def wait_leaves(store: SqlStore, count: int) -> list[bytes]:
    """Leaves that wait, of events of one person."""
    subject = stored_person(store).subject
    leaves = [os.urandom(32) for _ in range(count)]
    with store.write() as unit:
        unit.add_access_events([(an_access_event(subject, id=a_record()), leaf) for leaf in leaves])
        unit.commit()
    return leaves
