"""Report: what is processed, why, and how it is protected, for who answers for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from memory.core.report import Document, Facts, ReportKind, make_report
from memory.core.values import TenantId
from memory.ports import Store


@dataclass(frozen=True, slots=True)
class Report:
    """The use case behind GetReport."""

    store: Store
    facts: Callable[[TenantId, int, int], Facts]
    """From a tenant, and how many people and memories it has."""

    def __call__(self, tenant: TenantId, kind: ReportKind) -> Document:
        """The report of a tenant, as things are now."""
        with self.store.read() as uow:
            people, memories = uow.totals_of([tenant])[tenant]
        return make_report(kind, self.facts(tenant, people, memories))
