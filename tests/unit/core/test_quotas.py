"""What a limits file says of memories."""

from __future__ import annotations

import pytest

from memory.core.quotas import load_quotas
from memory.core.values import TenantId
from memory.errors import ConfigurationError


def test_tenants_have_their_own_and_other_keys_are_for_others() -> None:
    table = {"calls_per_second": 2, "tenants": {"clinic": {"memories_per_person": 7}}}
    quotas = load_quotas(table, "limits.toml")
    assert (quotas.of(TenantId("clinic")), quotas.of(TenantId("acme"))) == (7, None)


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "9", 10**9])
def test_a_mistake_is_named(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"limits\.toml: memories_per_person: must be"):
        load_quotas({"memories_per_person": value}, "limits.toml")
