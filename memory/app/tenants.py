"""What an operator may know of each tenant: counts, and what is due; nobody's name or id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from memory.core.purposes import Registry
from memory.core.requests import OpenRequests
from memory.core.values import PurposeId, TenantId
from memory.ports import Clock, Store


@dataclass(frozen=True, slots=True)
class TenantUse:
    """How much a tenant has, and how many consents are in force for each of its purposes."""

    tenant: TenantId
    people: int
    memories: int
    requests: OpenRequests
    consents: Mapping[PurposeId, int]
    """In the registry's order. A consent counts if it was given to the notice that holds."""


@dataclass(frozen=True, slots=True)
class Tenants:
    """The use case behind ListTenants."""

    store: Store
    registry: Registry
    clock: Clock

    def __call__(
        self, after: TenantId | None, limit: int
    ) -> tuple[list[TenantUse], TenantId | None]:
        """The tenants with names behind `after`, and behind which the next page begins."""
        now = self.clock()
        with self.store.read() as uow:
            names = uow.page_tenants(after, limit + 1)
            page = names[:limit]
            totals = uow.totals_of(page)
            requests = uow.open_requests(now)
            given = uow.consents_in_force(page, now)
        consents = {tenant: dict.fromkeys(self.registry.of(tenant).by_id, 0) for tenant in page}
        for one in given:
            purpose = self.registry.of(one.tenant).by_id.get(one.purpose)
            if purpose and purpose.accepts(one.notice_version, explicit=one.explicit):
                consents[one.tenant][purpose.id] += one.consents
        found = [
            TenantUse(t, *totals[t], requests.get(t, OpenRequests()), consents[t]) for t in page
        ]
        return found, page[-1] if len(names) > limit else None
