"""Resource names: one form, whose person is the credential's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.values import AssistantId, Caller, PersonId, PurposeId, RecordId, TenantId
from memory.errors import InvalidArgumentError, PersonMismatchError
from server.names import (
    consent_name,
    erasure_name,
    memory_from,
    memory_name,
    person_from,
    person_name,
    purpose_from,
    purpose_name,
)

ASSISTANT = Caller(TenantId("acme"), AssistantId("helper"), frozenset())
JANE = Caller(TenantId("acme"), AssistantId("page"), frozenset(), PersonId("jane"))
RECORD = RecordId(bytes(range(16)))


@given(st.text(min_size=1, max_size=256))
def test_a_person_reads_back_as_written_or_is_no_person(text: str) -> None:
    try:
        person = PersonId(text)
    except InvalidArgumentError:
        return
    if text != "me":
        assert person_from(ASSISTANT, person_name(person), "parent") == person
        assert memory_from(ASSISTANT, memory_name(person, RECORD), "name") == (person, RECORD)


@given(st.text(max_size=80).filter(lambda text: not text.startswith("people/")))
def test_any_other_text_is_refused_by_its_field(text: str) -> None:
    for parse in (person_from, memory_from):
        with pytest.raises(InvalidArgumentError) as caught:
            parse(ASSISTANT, text, "some.field")
        assert caught.value.metadata == {"field": "some.field"}
        assert len(text) < 8 or text not in caught.value.message


@pytest.mark.parametrize(
    "name",
    [
        "", "jane", "people", "people/", "people/me", "/people/jane", "people/jane/", "People/jane",
        "people/a\nb", "people/jane/memories", "purposes/x", f"people/{'x' * 257}",
    ],
)  # fmt: skip
def test_what_names_no_person_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        person_from(ASSISTANT, name, "parent")
    assert caught.value.field == "parent"


@pytest.mark.parametrize(
    "name", ["people/jane", "people/jane/memories/", "people/jane/memories/7", "people/jane/x/7"]
)
def test_what_names_no_memory_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match="name"):
        memory_from(ASSISTANT, name, "name")


def test_me_is_whom_the_token_names() -> None:
    assert person_from(JANE, "people/me", "parent") == JANE.person
    assert person_from(JANE, "people/jane", "parent") == JANE.person
    assert memory_from(JANE, f"people/me/memories/{RECORD}", "name") == (JANE.person, RECORD)


def test_a_persons_token_opens_nobody_elses_resources() -> None:
    for name in ("people/john", "people/Jane", "people/jane "):
        with pytest.raises(PersonMismatchError) as caught:
            person_from(JANE, name, "parent")
        assert "jane" not in caught.value.message.lower()


def test_a_purpose_reads_back_as_written() -> None:
    assert purpose_from(purpose_name(PurposeId("assistance")), "p") == PurposeId("assistance")
    for name in ("assistance", "purposes/", "purposes/Not A Slug", ""):
        with pytest.raises(InvalidArgumentError, match="purpose"):
            purpose_from(name, "access.purpose")


def test_names_hold_ids_and_an_erasure_no_person() -> None:
    hexed = "000102030405060708090a0b0c0d0e0f"
    assert consent_name(PersonId("jane"), RECORD) == f"people/jane/consents/{hexed}"
    assert erasure_name(RECORD) == f"erasures/{hexed}"
