"""What comes in is checked before anything looks at it, and errors never quote it."""

from __future__ import annotations

import pytest

from memory.core.draft import MAX_TEXT_CHARS, Draft
from memory.core.values import PersonId, PurposeId, RawText, RecordId
from memory.errors import InvalidArgumentError, TextTooLongError


@pytest.mark.parametrize("text", ["", "  \n", "null\x00byte", "esc\x1b[31m", "lone \ud800"])
def test_blank_and_control_characters_are_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Draft(RawText(text))
    assert caught.value.field == "memory.text"


def test_an_over_long_text_is_refused_with_the_limit() -> None:
    Draft(RawText("x" * MAX_TEXT_CHARS))
    with pytest.raises(TextTooLongError, match=str(MAX_TEXT_CHARS)):
        Draft(RawText("x" * (MAX_TEXT_CHARS + 1)))


def test_ordinary_white_space_and_any_script_pass() -> None:
    Draft(RawText("tab\tline\ncarriage\r שלום 你好 👩‍👩‍👧"), speaker=RawText("Zoë"))


@pytest.mark.parametrize(
    "fields",
    [
        {"session": "s" * 257},
        {"request_id": "r" * 129},
        {"request_id": "a\nb"},
        {"speaker": RawText("n" * 257)},
        {"labels": {"": "v"}},
        {"labels": {"k" * 64: "v"}},
        {"labels": {"k": "v" * 257}},
        {"labels": {str(n): "v" for n in range(17)}},
    ],
)
def test_every_other_field_has_its_limit(fields: dict[str, object]) -> None:
    with pytest.raises(InvalidArgumentError):
        Draft(RawText("text"), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", ["", "x" * 257, "a/b", "line\nfeed"])
def test_malformed_person_ids_are_refused_without_quoting_them(bad: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        PersonId(bad)
    assert not bad or bad not in str(caught.value)


@pytest.mark.parametrize("bad", ["", "Upper", "ünicode", "-dash", "x" * 64, "a b"])
def test_malformed_purposes_are_refused(bad: str) -> None:
    with pytest.raises(InvalidArgumentError):
        PurposeId(bad)


@pytest.mark.parametrize("bad", ["", "xyz", "12345678-1234", "g" * 32])
def test_malformed_memory_ids_are_refused(bad: str) -> None:
    with pytest.raises(InvalidArgumentError):
        RecordId.parse(bad)


def test_texts_and_people_hide_themselves() -> None:
    shown = f"{RawText('my secret')!r} {PersonId('alice')!r} {PersonId('alice')}"
    assert "secret" not in shown
    assert "alice" not in shown
