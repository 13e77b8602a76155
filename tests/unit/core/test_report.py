"""Reports: the same facts for programs and for people, and nothing made up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from memory.core.policy import DIRECT
from memory.core.protection import Mode
from memory.core.purposes import Purpose, Purposes, Words
from memory.core.report import TO_COMPLETE, Facts, ReportKind, make_report
from memory.core.values import PurposeId

HELP = Purpose(
    PurposeId("help"), Words("Help me", "It helps."), "https://w3id.org/dpv#ServiceProvision"
)


def facts(**changes: Any) -> Facts:
    fields: dict[str, Any] = {
        "tenant": "acme",
        "deployment": "memory.example.org",
        "at": datetime(2026, 3, 1, tzinfo=UTC),
        "purposes": Purposes({HELP.id: HELP}),
        "policy": DIRECT,
        "mode": Mode.VEILED,
        "encoder": "minilm",
        "key_provider": "file",
        "database": "sqlite",
        "index": "Chroma, in this process",
        "tls": "TLS",
        "key_cache_seconds": 900,
        "people": 3,
        "memories": 17,
    }
    return Facts(**(fields | changes))


@pytest.mark.parametrize("kind", list(ReportKind))
def test_both_forms_say_the_same(kind: ReportKind) -> None:
    document = make_report(kind, facts())
    read = json.loads(document.json())
    text = document.markdown()
    assert read["tenant"] == "acme"
    for title, entries in read["sections"].items():
        assert f"## {title}" in text
        for value in entries.values():
            for each in [value] if isinstance(value, str) else value:
                assert each in text
    assert TO_COMPLETE in text
    assert "help: Help me. It helps." in text


def test_the_record_follows_the_article() -> None:
    titles = list(json.loads(make_report(ReportKind.ROPA, facts()).json())["sections"])
    assert [title[title.rindex("(") :] for title in titles[1:]] == [f"({c})" for c in "bcdefg"]


def test_what_is_configured_is_what_is_told() -> None:
    text = make_report(ReportKind.DPIA, facts(mode=Mode.SEALED, key_provider="vault")).markdown()
    assert "no vector leaves the process" in text
    assert "keys are held by vault" in text
    assert "LOCATION: keep" in text
    assert "17 memories" in text
