"""Which entries are taken, and that the same entry is the same memory whenever it comes."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from memory.core.draft import MAX_TEXT_CHARS
from memory.errors import ConfigurationError
from server.moving.entries import By, Entry, Found
from server.moving.pieces import Choice, Piece, pieces, split

SAID = Entry("I keep bees.", By.PERSON, id="1", speaker="user", session="s")
CHOICE = Choice("zep", "assistance")


def take(*entries: Entry, choice: Choice = CHOICE) -> tuple[list[Piece], Found]:
    found = Found()
    return list(pieces(entries, choice, found)), found


def test_what_is_read_is_taken_or_left_for_a_reason() -> None:
    entries = (SAID, replace(SAID, by=By.ASSISTANT), replace(SAID, text=" \n"), SAID)
    taken, found = take(*entries)
    assert [piece.text for piece in taken] == ["I keep bees."]
    assert found.left == {"of the assistant": 1, "empty": 1, "stands there twice": 1}
    assert found.entries == len(entries) == found.taken + found.left.total()
    both, _ = take(*entries[:2], choice=replace(CHOICE, with_assistant=True))
    assert len(both) == 1  # the same words under the same id


def test_a_request_id_is_the_entrys_own() -> None:
    ids = {
        take(entry, choice=choice)[0][0].request_id
        for entry, choice in (
            (SAID, CHOICE),
            (replace(SAID, id="2"), CHOICE),
            (replace(SAID, text="I keep goats."), CHOICE),
            (replace(SAID, session="t"), CHOICE),
            (replace(SAID, kind="fact"), CHOICE),
            (SAID, replace(CHOICE, source="pam")),
            (SAID, replace(CHOICE, purpose="care")),
        )
    }
    assert len(ids) == 7
    later = replace(SAID, time=datetime(2026, 1, 1, tzinfo=UTC))
    assert take(SAID)[0][0].request_id == take(later)[0][0].request_id
    one, two = (replace(SAID, id="", time=datetime(2026, 1, day, tzinfo=UTC)) for day in (1, 2))
    assert len(take(one, two)[0]) == 2


def test_a_long_text_is_cut_where_something_ends() -> None:
    paragraph = "All work and no play. " * 150
    text = "\n\n".join([paragraph.strip()] * 8)
    parts = list(split(text))
    assert len(parts) > 1
    assert all(len(part) <= MAX_TEXT_CHARS and part.endswith("play.") for part in parts)
    assert "\n\n".join(parts) == text
    assert [len(part) for part in split("x" * (MAX_TEXT_CHARS + 5))] == [MAX_TEXT_CHARS, 5]
    assert list(split(" " * (3 * MAX_TEXT_CHARS) + "a")) == ["a"]
    taken, found = take(replace(SAID, text=text))
    assert (found.taken, found.split, found.memories) == (1, len(parts) - 1, len(taken))
    assert len({piece.request_id for piece in taken}) == len(taken)


def test_a_session_is_no_name() -> None:
    ours = str(uuid.uuid4())
    assert take(replace(SAID, session=ours))[0][0].session == ours
    (piece,), _ = take(replace(SAID, session="amara@example.org"))
    assert uuid.UUID(piece.session)
    assert take(replace(SAID, session=""))[0][0].session == ""


def test_what_store_refuses_is_taken_out() -> None:
    entry = replace(SAID, text="I\x00 keep\ud800 bees.", speaker="A\nB")
    (piece,), found = take(entry)
    assert (piece.text, piece.speaker) == ("I keep bees.", "A B")
    assert found.beside == {"control character": 2}
    assert take(replace(SAID, speaker="x" * 300))[0][0].speaker == ""


def test_one_persons_memories_are_not_mixed_with_anothers() -> None:
    amara, ben = replace(SAID, owner="amara"), replace(SAID, id="2", owner="ben")
    with pytest.raises(ConfigurationError, match="about 2 people"):
        take(amara, ben, SAID)
    taken, found = take(amara, ben, SAID, choice=replace(CHOICE, owner="ben"))
    assert len(taken) == 1
    assert found.left == {"about somebody else": 1, "does not say about whom": 1}
