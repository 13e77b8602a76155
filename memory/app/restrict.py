"""Restriction of processing (GDPR Art. 18) and legal hold (Art. 17(3)(e)).

Rules:
- Restricted: kept, not used. Nothing is stored, recalled, corrected or exported by an assistant;
  the person still sees, takes and erases what is theirs.
- The person lifts a restriction; whoever else does has told them before (Art. 18(3)). Both are in
  the access log.
- Held: used as ever, not erased: not by the person, not by retention. Only an operator holds, for
  a stated time and under a reference that says nothing of the person.
- Both hold for the very next call, on every replica.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from memory.app.keyring import Keyring
from memory.app.ledger import Ledger
from memory.app.newcomers import Newcomers
from memory.app.register import Register
from memory.core.requests import Right
from memory.core.values import Caller, PersonId
from memory.errors import InvalidArgumentError, NotFoundError
from memory.ports import AccessAction, Clock, PersonRow, Store, UnitOfWork

_REFERENCE: Final = re.compile(r"[A-Za-z0-9._/\-]{1,64}")


@dataclass(frozen=True, slots=True)
class Restrict:
    """The use cases behind RestrictProcessing, LiftRestriction and the legal holds."""

    store: Store
    keyring: Keyring
    newcomers: Newcomers
    register: Register
    clock: Clock
    ledger: Ledger

    def __call__(self, caller: Caller, person: PersonId) -> datetime:
        """Restricts; returns since when. Restricting again changes nothing."""

        def decide(uow: UnitOfWork, row: PersonRow) -> datetime:
            since = row.restricted_at or self.clock()
            uow.restrict(row.subject, since)
            if row.restricted_at is None:
                self.register.fulfilled(uow, caller, row.subject, Right.RESTRICTION)
                self._write(uow, caller, row)
            return since

        ref = self.keyring.ref(caller.tenant, person)
        return self.newcomers.welcome(caller.tenant, ref, decide)

    def since(self, caller: Caller, person: PersonId) -> datetime | None:
        """Since when it has been restricted, if it is."""
        with self.store.read() as uow:
            row = uow.person(self.keyring.ref(caller.tenant, person))
        return None if row is None else row.restricted_at

    def lift(
        self, caller: Caller, person: PersonId, informed_at: datetime | None = None
    ) -> datetime:
        """Lifts it; returns when. Where there is none, changes nothing.

        Args:
            informed_at: when the person was told that it would be lifted; not kept. The person's
                own token needs none.

        Raises:
            InvalidArgumentError: they were not told, or not since it was restricted.
        """
        now = self.clock()
        if caller.person is None and (informed_at is None or informed_at > now):
            raise InvalidArgumentError(
                "informed_time", "tell the person first, and say when you did (GDPR Art. 18(3))"
            )
        with self.store.write() as uow:
            row = uow.person(self.keyring.ref(caller.tenant, person), lock=True)
            if row is not None and row.restricted_at is not None:
                if informed_at is not None and informed_at < row.restricted_at:
                    raise InvalidArgumentError("informed_time", "lies before the restriction")
                uow.restrict(row.subject, None)
                self._write(uow, caller, row)
                uow.commit()
        return now

    def _write(self, uow: UnitOfWork, caller: Caller, row: PersonRow) -> None:
        keys = self.keyring.keys(row)
        self.ledger.write(uow, keys, caller.assistant, AccessAction.CONSENT, 0)

    def hold(self, caller: Caller, person: PersonId, until: datetime, reference: str) -> None:
        """Keeps everything of the person from being erased until then.

        Raises:
            InvalidArgumentError: a time that has passed, or a reference of another form.
            NotFoundError: nothing is kept of this person.
        """
        if until <= self.clock():
            raise InvalidArgumentError("expire_time", "must lie in the future")
        if not _REFERENCE.fullmatch(reference):
            raise InvalidArgumentError(
                "reference", "must be 1 to 64 letters, digits and '._/-', such as a case number"
            )
        self._hold(caller, person, until, reference)

    def release(self, caller: Caller, person: PersonId) -> None:
        """Ends the hold. Raises `NotFoundError` where nothing is kept of this person."""
        self._hold(caller, person, None, "")

    def _hold(
        self, caller: Caller, person: PersonId, until: datetime | None, reference: str
    ) -> None:
        ref = self.keyring.deployment.person_ref(caller.tenant, person)  # fenced or not
        with self.store.write() as uow:
            row = uow.person(ref, lock=True)
            if row is None:
                raise NotFoundError("nothing is kept of this person", resource="person")
            uow.hold(row.subject, until, reference)
            uow.commit()
