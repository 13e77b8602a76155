"""What holds no more is kept, told as past, and holds again once what replaced it is gone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from memory.app.recall import Hit
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.draft import MAX_SOURCES
from memory.core.values import MemoryKind, PersonId, PurposeId, RawText, RecordId
from memory.errors import InvalidArgumentError
from tests.integration.conftest import CARE, access, archive, caller, draft, exported, grant

THEN = datetime(2024, 1, 8, tzinfo=UTC)
LATER = datetime(2024, 5, 3, tzinfo=UTC)
LEEDS, BRISTOL = "I live in Leeds.", "We moved to Bristol last weekend."
AMARA = RawText("Amara")


def _say(
    tacit: Tacit,
    text: str,
    at: datetime,
    *,
    person: str = "alice",
    purpose: PurposeId | None = None,
    supersedes: Sequence[RecordId] = (),
    until: datetime | None = None,
) -> RecordId:
    said = draft(text, speaker=AMARA, event_time=at, supersedes=tuple(supersedes), until=until)
    with_purpose = access(person, purpose or access().purpose)
    return tacit.remember(with_purpose, [said])[0].memory.id


def _hits(tacit: Tacit, query: str = "where does Amara live?", person: str = "alice") -> list[Hit]:
    return tacit.recall(access(person), RawText(query))


def _ends(hits: Sequence[Hit]) -> dict[RecordId, tuple[datetime | None, RecordId | None]]:
    return {hit.memory.id: (hit.until, hit.superseded_by) for hit in hits}


def test_what_was_replaced_comes_second_and_is_told_as_past(tacit: Tacit) -> None:
    grant(tacit)
    old, new = _say(tacit, LEEDS, THEN), _say(tacit, BRISTOL, LATER)
    hits = _hits(tacit)
    assert [hit.memory.id for hit in hits] == [new, old]
    assert _ends(hits) == {new: (None, None), old: (LATER, new)}
    context = tacit.build_context(access(), RawText("where does Amara live?"), 200)
    assert "until 3 May 2024: person_1: I live in Leeds." in context.text
    before = tacit.recall(access(), RawText("where did Amara live before?"))
    assert not any(dict(hit.parts)["past"] for hit in before)


def test_deleting_or_correcting_what_replaced_it_revives_it(tacit: Tacit) -> None:
    grant(tacit)
    old, new = _say(tacit, LEEDS, THEN), _say(tacit, BRISTOL, LATER)
    tacit.rectify.update(access(), new, lambda d: replace(d, text=RawText("We visited Bath.")))
    assert _ends(_hits(tacit))[old] == (None, None)
    tacit.rectify.update(access(), new, lambda d: replace(d, text=RawText(BRISTOL)))
    assert _ends(_hits(tacit))[old] == (LATER, new)
    tacit.erase_memories.one(caller(), access().person, new)
    assert _ends(_hits(tacit)) == {old: (None, None)}


def test_what_the_caller_may_not_see_replaces_nothing(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, purpose=CARE)
    old, hidden = _say(tacit, LEEDS, THEN), _say(tacit, BRISTOL, LATER, purpose=CARE)
    assert _ends(_hits(tacit))[old] == (LATER, hidden)
    tacit.consents.withdraw(caller(), access().person, CARE, None)
    assert _ends(_hits(tacit)) == {old: (None, None)}


def test_a_caller_can_say_what_replaces_what_and_when_something_ends(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, "bob")
    old = _say(tacit, "Tea is at four.", THEN)
    new = _say(tacit, "Cake is at five.", LATER, supersedes=[old])
    ended = _say(tacit, "The ferry runs daily.", THEN, until=LATER)
    ends = _ends(_hits(tacit, "tea, cake, ferry"))
    assert ends == {new: (None, None), old: (LATER, new), ended: (LATER, None)}
    content = tacit.rectify.get(access(), new).content
    assert content.supersedes == (old,)
    assert tacit.rectify.get(access(), ended).content.until == LATER
    foreign = _say(tacit, "Hello.", THEN, person="bob")
    for named in ([foreign], [RecordId(bytes(16))]):
        with pytest.raises(InvalidArgumentError, match="supersedes"):
            _say(tacit, "Hi.", THEN, supersedes=named)
    for wrong in ([old, old], [RecordId(i.to_bytes(16)) for i in range(MAX_SOURCES + 1)]):
        with pytest.raises(InvalidArgumentError, match="supersedes"):
            draft("x", supersedes=tuple(wrong))


def test_an_end_that_lies_ahead_is_told_and_changes_nothing_yet(tacit: Tacit) -> None:
    grant(tacit)
    soon = datetime.now(UTC) + timedelta(days=30)
    ahead = _say(tacit, LEEDS, THEN, until=soon)
    (hit,) = _hits(tacit)
    assert (hit.memory.id, hit.until, dict(hit.parts)["past"]) == (ahead, soon, 0)


def test_it_survives_a_new_key_and_moving_to_another_tacit(tacit: Tacit, tmp_path: Path) -> None:
    grant(tacit)
    old, new = _say(tacit, LEEDS, THEN), _say(tacit, BRISTOL, LATER)
    tea = _say(tacit, "Tea is at four.", THEN, until=LATER)
    cake = _say(tacit, "Cake is at five.", LATER, supersedes=[tea])
    expected = {**_ends(_hits(tacit)), **_ends(_hits(tacit, "tea, cake"))}
    tacit.rekey(caller(), access().person, "r1")
    assert _ends(_hits(tacit)) == expected
    assert expected[old] == (LATER, new)
    assert expected[tea] == (LATER, cake)
    with open_tacit(Config(data=tmp_path / "other")) as other:
        grant(other)
        with closing(other.take_in.begin(caller(), PersonId("alice"))) as incoming:
            incoming.take(archive(tacit))
            assert incoming.finish().memories == 4
        assert _ends(_hits(other)) == expected
        assert _memories(other) == _memories(tacit)


def _memories(tacit: Tacit) -> list[object]:
    return [line for line in exported(tacit) if line["type"] == "memory"]


def test_facts_are_stored_beside_a_message_that_asks_for_them(tacit: Tacit) -> None:
    grant(tacit)
    text = "Good news! I live with Tobias in Leeds now, and I love rhubarb crumble. How are you?"
    asked = draft(text, speaker=AMARA, session="s", event_time=THEN, extract=True, request_id="r")
    (stored,) = tacit.remember(access(), [asked])
    made = [(one.kind, one.content.text.value) for one in stored.derived]
    assert made == [
        (MemoryKind.FACT, "I live with person_2 in Leeds now"),
        (MemoryKind.PREFERENCE, "I love rhubarb crumble"),
    ]
    for one in stored.derived:
        assert one.content.sources == (stored.memory.id,)
        assert (one.content.session, one.content.event_time) == ("s", THEN)
    grant(tacit, purpose=PurposeId("reveal"))
    words = tacit.reveal(access(), stored.derived)[0].words
    assert words is not None
    assert words.text.value == "I live with Tobias in Leeds now"
    (again,) = tacit.remember(access(), [asked])
    assert (again.repeated, again.derived) == (True, ())
    gone = tacit.erase_memories.one(caller(), access().person, stored.memory.id)
    assert gone.memories == 3


def test_nothing_is_derived_unasked_or_from_what_an_assistant_said(tacit: Tacit) -> None:
    grant(tacit)
    machine = draft("I live in Leeds.", speaker=RawText("assistant"), extract=True)
    for one in tacit.remember(access(), [draft(LEEDS), machine]):
        assert one.derived == ()
