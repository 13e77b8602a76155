"""The registry says exactly what is wrong with it."""

from __future__ import annotations

from importlib.resources import files

import pytest

from memory.core.purposes import parse_purposes
from memory.core.values import PurposeId
from memory.errors import ConfigurationError, UnknownPurposeError

GOOD = '[care]\ntitle = "t"\ndescription = "d"\ndpv = "https://w3id.org/dpv#X"\n'


def test_the_shipped_registry_is_well_formed() -> None:
    shipped = parse_purposes((files("memory") / "purposes.toml").read_text(), "purposes.toml")
    assert PurposeId("assistance") in shipped.by_id


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("", "at least one"),
        ("[care", "p.toml"),
        ("[care]", r"\[care\] needs exactly"),
        (GOOD + "extra = 1", r"\[care\] needs exactly"),
        (GOOD.replace('"t"', "1"), r"\[care\] title must be a text"),
        (GOOD.replace("[care]", '["Not A Slug"]'), "Not A Slug"),
    ],
)
def test_every_mistake_is_named(toml: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        parse_purposes(toml, "p.toml")


def test_an_unknown_purpose_does_not_exist() -> None:
    with pytest.raises(UnknownPurposeError):
        parse_purposes(GOOD, "p.toml").require(PurposeId("marketing"))
