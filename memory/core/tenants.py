"""A setting that everyone has, and single tenants have in a way of their own.

key = 1
[tenants.clinic]
key = 2
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from memory.core.values import TenantId
from memory.errors import ConfigurationError, InvalidArgumentError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PerTenant(Generic[T]):
    """The setting of everyone, and of those tenants who have one of their own."""

    default: T
    by_tenant: Mapping[TenantId, T] = field(default_factory=dict)

    def of(self, tenant: TenantId) -> T:
        return self.by_tenant.get(tenant, self.default)


def per_tenant(
    table: Mapping[str, object], origin: str, load: Callable[[Mapping[str, object]], T]
) -> PerTenant[T]:
    """The settings of a TOML table, each as `load` reads it; `origin` names the file in errors.

    Raises:
        ConfigurationError: an unknown tenant name, or what `load` raises.
    """
    try:
        tenants = table.get("tenants", {})
        if not isinstance(tenants, dict) or not all(isinstance(t, dict) for t in tenants.values()):
            raise ConfigurationError("tenants: must be tables, one a tenant")
        default = load({key: value for key, value in table.items() if key != "tenants"})
        return PerTenant(default, {TenantId(name): load(own) for name, own in tenants.items()})
    except (ConfigurationError, InvalidArgumentError) as error:
        raise ConfigurationError(f"{origin}: {error.message}") from None
