"""RebuildIndex: the vectors of a person, or of everyone of a tenant, go into the index anew.

Rules:
- Recall goes on meanwhile: whoever the index does not hold in full is found in SQL.
- It is written down and queued in one transaction, before anything is dropped.
- Unknown people and those who are being forgotten have nothing to index.
"""

from __future__ import annotations

from dataclasses import dataclass

from memory.app.index import Indexer
from memory.app.keyring import Keyring
from memory.app.ledger import Ledger
from memory.core.values import Caller, PersonId
from memory.ports import OperatorAction, PersonState, Store


@dataclass(frozen=True, slots=True)
class Reindex:
    """The use case behind RebuildIndex."""

    store: Store
    keyring: Keyring
    indexer: Indexer
    ledger: Ledger

    def __call__(self, caller: Caller, person: PersonId | None) -> int:
        """Has it done for one person, or for everyone of the caller's tenant; returns how many
        memories are indexed for it. A server that stops meanwhile writes over what is there.

        Raises:
            StorageUnavailableError, StorageFullError: nothing was begun; call again.
        """
        with self.store.write() as uow:
            if person is None:
                wanted = uow.people_of(caller.tenant)
            else:
                row = uow.person(self.keyring.ref(caller.tenant, person))
                wanted = [] if row is None or row.state is PersonState.ERASING else [row.subject]
            count = sum(uow.queue_all(subject) for subject in wanted)
            self.ledger.operate(uow, caller, OperatorAction.REINDEX, count)
            uow.commit()
        self.indexer.renew(wanted)
        return count
