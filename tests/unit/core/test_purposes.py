"""The registry says exactly what is wrong with it, and where."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files

import pytest

from memory.core.purposes import Registry, parse_registry
from memory.core.values import AssistantId, PurposeId, TenantId
from memory.errors import ConfigurationError, UnknownPurposeError

CARE = PurposeId("care")
GOOD = '[care]\ntitle = "t"\ndescription = "d"\ndpv = "https://w3id.org/dpv#X"\n'
SHIPPED = {f.name.removesuffix(".toml"): f for f in (files("memory") / "purposes").iterdir()}


def _preset(name: str) -> str | None:
    return SHIPPED[name].read_text("utf-8") if name in SHIPPED else None


def _parse(toml: str) -> Registry:
    return parse_registry(toml, "p.toml", _preset)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_shipped_registry_is_well_formed_and_translated(name: str) -> None:
    purposes = _parse(f'preset = "{name}"').default.by_id
    assert purposes
    for purpose in purposes.values():
        assert purpose.in_language("de-AT") == purpose.translations["de"]
        assert purpose.in_language("xx") == purpose.words


@pytest.mark.parametrize("name", ["education", "workplace"])
def test_where_the_law_forbids_it_no_mood_is_inferred_and_no_file_allows_it(name: str) -> None:
    preset = f'preset = "{name}"\n'
    assert not any(p.affect for p in _parse(preset).default.by_id.values())
    with pytest.raises(ConfigurationError, match=r"p.toml, line 6: \[care\] affect cannot be"):
        _parse(f"{preset}{GOOD}affect = true\n")
    tenant = GOOD.replace("[care]", "[tenants.x.care]")
    with pytest.raises(ConfigurationError, match=r"\[tenants.x.care\] affect cannot be"):
        _parse(f"{GOOD}[tenants.x]\n{preset}{tenant}affect = true\n")


def test_everything_that_can_be_said_of_a_purpose() -> None:
    purpose = _parse(
        GOOD
        + """legal_basis = "contract"
data_categories = ["https://w3id.org/dpv/pd#MedicalHealth"]
special_category = true
retention = "30d"
assistants = ["nurse"]
affect = true
notice = "n"
notice_version = "7"
minimum_age = { default = 16, AT = 14 }
[care.translations.pt-BR]
title = "T"
description = "D"
"""
    ).default.require(CARE)
    assert purpose.retention == timedelta(days=30)
    assert purpose.allows(AssistantId("nurse"))
    assert not purpose.allows(AssistantId("other"))
    assert (purpose.special_category, purpose.affect, purpose.notice_version) == (True, True, "7")
    assert purpose.minimum_age == {"default": 16, "AT": 14}
    assert purpose.in_language("pt-BR").title == "T"
    assert purpose.in_language("pt").title == "t"


def test_a_tenant_can_have_a_registry_of_its_own() -> None:
    registry = _parse(f'{GOOD}[tenants.clinic]\npreset = "health"\n')
    assert set(registry.of(TenantId("other")).by_id) == {CARE}
    assert PurposeId("research") in registry.of(TenantId("clinic")).by_id


def test_a_file_adds_to_its_preset_and_replaces_what_it_names() -> None:
    purposes = _parse(f'preset = "general"\n[controller]\nname = "C"\n{GOOD}').default
    assert purposes.require(CARE).words.title == "t"
    assert PurposeId("assistance") in purposes.by_id
    assert purposes.controller.name == "C"


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("", "at least one"),
        ("[care", "p.toml"),
        ("[care]", r"line 1: \[care\] needs title"),
        (GOOD + "extra = 1", r"line 5: \[care\] extra is no setting"),
        (GOOD.replace('"t"', "1"), r"line 2: \[care\] title must be a text"),
        (GOOD.replace("[care]", '["Not A Slug"]'), "Not A Slug"),
        (GOOD.replace("https://w3id.org/dpv#X", "x"), r"line 4: \[care\] dpv must be an IRI"),
        ("care = 1", "must be a table"),
        (GOOD.replace("[care]", "[rights]"), r"line 1: \[rights\] is Tacit's own name"),
        (GOOD + 'retention = "a year"', r"line 5: .*number of days"),
        (GOOD + 'retention = "0d"', "number of days"),
        (GOOD + 'legal_basis = "because"', "must be one of consent"),
        (GOOD + "affect = 1", "true or false"),
        (GOOD + "assistants = [1]", "list of client_ids"),
        (GOOD + 'assistants = ["Not OK"]', "list of client_ids"),
        (GOOD + "minimum_age = { default = 99 }", "must map countries"),
        (GOOD + "minimum_age = 16", "must map countries"),
        (GOOD + 'data_categories = "x"', "list of IRIs"),
        (GOOD + '[care.translations.de]\ntitle = "x"', r"\[care.translations.de\] needs title"),
        (GOOD + '[care.translations."?"]\ntitle = "x"', "no language tag"),
        (GOOD + "translations = 1", "one a language"),
        ('preset = "unknown"', "names no shipped registry"),
        (GOOD + '[controller]\ncontact = "x"', r"\[controller\] needs name"),
        ('forbidden = ["x"]\n' + GOOD, "can name affect"),
        ("tenants = 1\n" + GOOD, "one a tenant"),
        (GOOD + "[tenants.x]", "at least one"),
        (GOOD + '[tenants."X Y".care]', "tenants.X Y"),
    ],
)
def test_every_mistake_is_named(toml: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        _parse(toml)


def test_an_unknown_purpose_does_not_exist() -> None:
    with pytest.raises(UnknownPurposeError):
        _parse(GOOD).default.require(PurposeId("marketing"))
