"""The register of requests: written by the calls that fulfil rights, read by those who answer.

Rules:
- A request is written in the transaction that fulfils it, or opened before the work begins and
  closed when it is done: what was never finished stays open, and falls due.
- Rectifying and erasing single memories is everyday work of an assistant; it is a request when the
  person's own token does it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from memory.app.keyring import Keyring
from memory.core.requests import Extension, Outcome, Right, RightsRequest, received
from memory.core.values import Caller, PersonId, RecordId, SubjectId
from memory.errors import NotFoundError
from memory.ports import Clock, RandomBytes, Store, UnitOfWork

After = tuple[datetime, RecordId]
"""Where a page ended."""

FIRST: Final[After] = (datetime(1, 1, 1, tzinfo=UTC), RecordId(bytes(16)))


@dataclass(frozen=True, slots=True)
class Register:
    """The use cases behind the lists of data-subject requests."""

    store: Store
    keyring: Keyring
    clock: Clock
    random: RandomBytes

    def fulfilled(
        self, uow: UnitOfWork, caller: Caller, subject: SubjectId | None, right: Right
    ) -> None:
        """Writes down a request that this transaction fulfils."""
        now = self.clock()
        request = received(RecordId(self.random(16)), caller.tenant, subject, right, now)
        uow.put_rights_request(request.finished(Outcome.FULFILLED, now))

    def own(self, uow: UnitOfWork, caller: Caller, subject: SubjectId, right: Right) -> None:
        """The same, if the person's own token calls."""
        if caller.person is not None:
            self.fulfilled(uow, caller, subject, right)

    def open(self, caller: Caller, subject: SubjectId | None, right: Right) -> RecordId:
        """Opens a request whose fulfilling begins now."""
        request = received(RecordId(self.random(16)), caller.tenant, subject, right, self.clock())
        with self.store.write() as uow:
            uow.put_rights_request(request)
            uow.commit()
        return request.id

    def close(self, caller: Caller, id_: RecordId, outcome: Outcome) -> RightsRequest:
        """Ends a request; one that has ended stays as it was. Raises `NotFoundError`."""
        return self._change(caller, id_, lambda r: r.finished(outcome, self.clock()))

    def extend(self, caller: Caller, id_: RecordId, reason: Extension) -> RightsRequest:
        """Two further months. Raises `NotFoundError`, `RequestClosedError`."""
        return self._change(caller, id_, lambda r: r.extended(reason))

    def due(
        self, caller: Caller, after: After, limit: int, *, unfinished: bool
    ) -> tuple[list[RightsRequest], After | None]:
        """The tenant's requests by when they are due, and where the next page begins."""
        with self.store.read() as uow:
            rows = uow.page_rights_requests(caller.tenant, after, limit + 1, unfinished=unfinished)
        more = (rows[limit - 1].due_at, rows[limit - 1].id) if len(rows) > limit else None
        return rows[:limit], more

    def of(
        self, caller: Caller, person: PersonId, after: After, limit: int
    ) -> tuple[list[RightsRequest], After | None]:
        """One person's requests by when they came; none for an unknown person."""
        with self.store.read() as uow:
            row = uow.person(self.keyring.ref(caller.tenant, person))
            if row is None:
                return [], None
            rows = uow.page_persons_requests(row.subject, after, limit + 1)
        more = (rows[limit - 1].received_at, rows[limit - 1].id) if len(rows) > limit else None
        return rows[:limit], more

    def _change(
        self, caller: Caller, id_: RecordId, change: Callable[[RightsRequest], RightsRequest]
    ) -> RightsRequest:
        with self.store.write() as uow:
            row = uow.rights_request(caller.tenant, id_)
            if row is None:
                raise NotFoundError("no such request of this tenant", resource="request")
            changed = change(row)
            uow.put_rights_request(changed)
            uow.commit()
        return changed
