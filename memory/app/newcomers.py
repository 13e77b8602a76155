"""A person becomes known with the first thing they decide: only then do they get keys.

Rules:
- Keys are made before the transaction that writes: a provider may be slow. If the epoch moves
  meanwhile, or another call made the person known, it is done once more.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from memory.app.keyring import Keyring
from memory.app.veiling import Veils
from memory.core.values import PersonRef, TenantId
from memory.errors import ErasureInProgressError, KeyMovedError, LostRaceError
from memory.ports import Clock, PersonRow, PersonState, Store, UnitOfWork

T = TypeVar("T")

_TRIES: Final = 2
"""More, where something changes between looking whether the person is known and storing them."""


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Makes people known."""

    store: Store
    keyring: Keyring
    veils: Veils
    clock: Clock

    def welcome(
        self, tenant: TenantId, ref: PersonRef, decide: Callable[[UnitOfWork, PersonRow], T]
    ) -> T:
        """What `decide` returns, in one transaction that is committed, with the person locked.

        Raises:
            ErasureInProgressError: forgotten meanwhile, or being forgotten.
            KeyUnavailableError: a new person's key cannot be wrapped.
        """
        for _ in range(_TRIES):
            with suppress(KeyMovedError, LostRaceError):
                return self._attempt(tenant, ref, decide)
        return self._attempt(tenant, ref, decide)

    def _attempt(
        self, tenant: TenantId, ref: PersonRef, decide: Callable[[UnitOfWork, PersonRow], T]
    ) -> T:
        with self.store.read() as uow:
            known = uow.person(ref)
        fresh = None if known else self.keyring.new_person(tenant, ref, self.clock())
        with self.store.write() as uow:
            decided = decide(uow, self._known(uow, ref, fresh))
            uow.commit()
        return decided

    def _known(self, uow: UnitOfWork, ref: PersonRef, fresh: PersonRow | None) -> PersonRow:
        """The person, locked; added from `fresh` if nobody was faster."""
        row = uow.person(ref, lock=True)
        if row is None:
            if fresh is None:
                raise ErasureInProgressError("this person was forgotten meanwhile; call again")
            row = replace(fresh, collection=self.veils.collection(fresh))
            uow.add_person(row)
        if row.state is PersonState.ERASING:
            raise ErasureInProgressError("this person is being forgotten; try again after it")
        return row
