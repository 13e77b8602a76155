"""The access log that a person reads: who did what with their memories, when and why.

Rules:
- A right, not a use: it needs no consent, and covers every purpose and assistant.
- Each event comes with its leaf: what the person needs to check it offline.
- An unknown person has an empty log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from memory.app.keyring import Keyring
from memory.app.leaves import person_leaf
from memory.core.ledger import Leaf
from memory.core.values import Caller, PersonId, RecordId
from memory.errors import ErasureInProgressError
from memory.ports import AccessEvent, AccessFilter, PersonState, Store


@dataclass(frozen=True, slots=True)
class Logged:
    """An event, and the leaf that stands for it in the tree."""

    event: AccessEvent
    leaf: Leaf


@dataclass(frozen=True, slots=True)
class AccessLog:
    """The use case behind ListAccessEvents."""

    store: Store
    keyring: Keyring

    def __call__(
        self,
        caller: Caller,
        person: PersonId,
        filter: AccessFilter,
        limit: int,
        before: tuple[datetime, RecordId] | None = None,
    ) -> tuple[list[Logged], tuple[datetime, RecordId] | None]:
        """Up to `limit` events, newest first, from behind `before`; and where to go on, None at
        the end.

        Raises:
            ErasureInProgressError: the person is being forgotten.
            KeyUnavailableError: without the key there are no leaves.
        """
        with self.store.read() as uow:
            row = uow.person(self.keyring.ref(caller.tenant, person))
            if row is None:
                return [], None
            if row.state is PersonState.ERASING:
                raise ErasureInProgressError("this person is being forgotten, with their log")
            events = uow.access_events(row.subject, filter, limit + 1, before)
        keys = self.keyring.keys(row)
        page = [Logged(event, person_leaf(keys, event)) for event in events[:limit]]
        last = page[-1].event if len(events) > limit else None
        return page, None if last is None else (last.at, last.id)
