"""A tenant's protection is what its table says, and a typing mistake never weakens it."""

from __future__ import annotations

import tomllib

import pytest

from memory.core.protection import Mode, Protection, load_protections
from memory.core.values import TenantId
from memory.core.veil import Basis
from memory.errors import ConfigurationError

BASIS = Basis.plain(32)


def test_without_a_file_vectors_are_veiled_as_the_basis_recommends() -> None:
    protection = load_protections({}, "none").of(TenantId("anyone"))
    assert protection == Protection(Mode.VEILED)
    veil = protection.veil(BASIS)
    assert (len(veil.basis.spread), veil.width, veil.noise) == (
        BASIS.keep,
        BASIS.width,
        BASIS.noise,
    )


def test_a_tenant_can_differ_from_the_others() -> None:
    table = tomllib.loads(
        """
        directions = 16
        width = 96
        noise = 0.5
        [tenants.clinic]
        protection = "sealed"
        """
    )
    protections = load_protections(table, "file")
    assert protections.of(TenantId("clinic")) == Protection(Mode.SEALED)
    veil = protections.of(TenantId("other")).veil(BASIS)
    assert (len(veil.basis.spread), veil.width, veil.noise) == (16, 96, 0.5)


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ('protektion = "sealed"', "protektion"),
        ('protection = "open"', "protection"),
        ("noise = -1", "noise"),
        ("noise = true", "noise"),
        ('noise = "much"', "noise"),
        ("directions = 2", "directions"),
        ("directions = 16.5", "directions"),
        ("width = 100000", "width"),
        ('tenants = "clinic"', "tenants"),
        ('[tenants."No Slug"]', "tenant"),
        ("[tenants.clinic]\nnois = 1", "nois"),
    ],
)
def test_a_mistake_is_refused_by_name(table: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named) as refused:
        load_protections(tomllib.loads(table), "here.toml")
    assert refused.value.message.startswith("here.toml")


@pytest.mark.parametrize(
    ("protection", "named"),
    [(Protection(directions=33), "directions"), (Protection(directions=32, width=16), "width")],
)
def test_a_veil_the_encoder_cannot_have_is_refused(protection: Protection, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        protection.veil(BASIS)
