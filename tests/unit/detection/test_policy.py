"""What a policy hides, what it puts there, and which settings it refuses."""

from __future__ import annotations

import tomllib

import pytest

from memory.adapters.detection.analyzer import PresidioDetector
from memory.adapters.detection.anonymizer import PresidioAnonymizer
from memory.core.generalize import month, region
from memory.core.policy import DIRECT, STRICT, Action, Policy, load
from memory.core.pseudonyms import blind, plan, reveal
from memory.core.values import RawText, Secret, Span
from memory.errors import ConfigurationError

TEXT = RawText("my sister Ana, an Italian, moved to 12 Oak Street, Springfield, IL on 3 May 2020")


def kinds(detector: PresidioDetector, policy: Policy, text: RawText = TEXT) -> list[str]:
    return [span.entity_type for span in detector.under(policy).detect(text)]


def test_direct_hides_who_and_strict_also_where_from_and_when(detector: PresidioDetector) -> None:
    assert kinds(detector, DIRECT) == ["PERSON", "STREET_ADDRESS"]
    assert kinds(detector, STRICT) == ["PERSON", "NRP", "STREET_ADDRESS", "DATE_TIME"]


def test_a_kept_find_never_uncovers_a_hidden_one(detector: PresidioDetector) -> None:
    text = RawText("see https://ana@example.com/profile and 3 May 2020")
    assert "EMAIL_ADDRESS" in kinds(detector, DIRECT, text)


def test_allowed_terms_stay_in_any_spelling(detector: PresidioDetector) -> None:
    policy = Policy(allow=("ANA",))
    assert "PERSON" not in kinds(detector, policy)


def test_denied_terms_always_go(detector: PresidioDetector) -> None:
    policy = load(tomllib.loads('allow = ["blue bird"]\n[deny]\n"Blue Bird" = "ORGANIZATION"'))
    text = RawText("project bluebird, BLUE-BIRD's plan, a blue  bird")
    found = detector.under(policy).detect(text)
    assert [text.value[s.start : s.end] for s in found] == ["BLUE-BIRD", "blue  bird"]
    assert {s.entity_type for s in found} == {"ORGANIZATION"}


def test_each_action_puts_its_own_text_there() -> None:
    text = RawText("Ana born 12 March 1980 at 12 Oak Street, Springfield, IL 62701 uses hunter2")
    spans = [
        Span(0, 3, "PERSON"),
        Span(9, 22, "DATE_OF_BIRTH"),
        Span(26, 62, "STREET_ADDRESS"),
        Span(68, 75, "CREDENTIAL"),
    ]
    policy = load(
        tomllib.loads(
            '[actions]\nDATE_OF_BIRTH = "generalize"\nSTREET_ADDRESS = "generalize"\n'
            'CREDENTIAL = "redact"'
        )
    )
    fixed = policy.stand_ins(text, spans)
    blinded = blind(text, spans, Secret(b"k" * 32), fixed)
    made = PresidioAnonymizer().replace(text, spans, plan(blinded, {}, {}).names)
    assert made.text.value == "person_1 born March 1980 at Springfield, IL uses [credential]"
    kept = policy.revealable(spans, made.mentions)
    assert reveal(made.text, kept).value == text.value.replace("hunter2", "[credential]")


@pytest.mark.parametrize(
    ("surface", "expected"),
    [
        ("12 March 1980", "March 1980"),
        ("1980-03-12", "March 1980"),
        ("23/04/1980", "April 1980"),
        ("04/23/1980", "April 1980"),
        ("03/04/1980", "1980"),
        ("the 3rd of may", "May"),
        ("in 1980", "1980"),
        ("12/3/80", None),
    ],
)
def test_a_date_becomes_its_month(surface: str, expected: str | None) -> None:
    assert month(surface) == expected


@pytest.mark.parametrize(
    ("surface", "expected"),
    [
        ("12 Oak Street, Springfield, IL 62701", "Springfield, IL"),
        ("Hauptstraße 12, 10115 Berlin", "Berlin"),
        ("12 Oak Street\nDover, TX 36591", "Dover, TX"),
        ("12 Oak Street", None),
    ],
)
def test_an_address_becomes_its_region(surface: str, expected: str | None) -> None:
    assert region(surface) == expected


@pytest.mark.parametrize(
    "table",
    [
        {"profile": "lax"},
        {"actoins": {}},
        {"actions": {"PERSON": "hide"}},
        {"actions": {"person": "redact"}},
        {"actions": ["PERSON"]},
        {"deny": {"": "PERSON"}},
        {"deny": {"Acme": "org anization"}},
        {"allow": "Acme"},
        {"allow": [1]},
    ],
)
def test_a_setting_that_is_not_understood_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=r"profile|actions|allow|deny|unknown setting"):
        load(table)


def test_a_tenant_names_only_what_differs() -> None:
    policy = load({"profile": "strict", "actions": {"URL": "keep"}})
    assert policy.action("URL") is Action.KEEP
    assert policy.action("LOCATION") is Action.PSEUDONYMIZE
    assert policy.action("SOMETHING_NEW") is Action.PSEUDONYMIZE
