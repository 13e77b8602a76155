"""A profile is what holds of a person, with what it rests on, and under a consent of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from memory.app.profile import Known
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.values import MemoryKind, PurposeId, RawText, RecordId
from memory.errors import ConsentError, UnknownPurposeError
from memory.ports import AccessAction, AccessFilter
from tests.contract.conftest import MovableClock
from tests.integration.conftest import CARE, access, caller, draft, grant

PROFILE = PurposeId("profile")
DAY = timedelta(days=1)
FIRST = datetime(2024, 1, 8, tzinfo=UTC)


def _say(
    tacit: Tacit,
    *texts: str,
    person: str = "alice",
    purpose: PurposeId | None = None,
    **how: object,
) -> list[RecordId]:
    """One a day, by Amara."""
    drafts = [
        draft(text, speaker=RawText("Amara"), event_time=FIRST + day * DAY, **how)
        for day, text in enumerate(texts)
    ]
    done = tacit.remember(access(person, purpose or access().purpose), drafts)
    return [one.memory.id for one in done]


def _shown(tacit: Tacit) -> list[tuple[str, str]]:
    return [(one.trait.slot, one.text) for one in tacit.profile(access())]


def _by_slot(tacit: Tacit) -> dict[str, Known]:
    return {one.trait.slot: one for one in tacit.profile(access())}


@pytest.fixture
def known(tacit: Tacit) -> Tacit:
    for purpose in (access().purpose, PROFILE):
        grant(tacit, purpose=purpose)
    return tacit


def test_what_holds_is_told_with_what_it_rests_on(known: Tacit) -> None:
    old, new, again, _, taste, sister = _say(
        known,
        "I live in Leeds, and I love jazz.",
        "We moved to Bristol last week.",
        "I live in Bristol, near the docks.",
        "Can you water the ferns?",
        "I can't stand olives.",
        "My sister Ife lives in Leeds.",
    )
    assert _shown(known) == [
        ("home", "I live in Bristol, near the docks"),
        ("likes", "I love jazz"),
        ("likes", "I can't stand olives"),
        ("home", "My sister person_2 lives in Leeds"),
    ]
    home, jazz, olives, hers = known.profile(access())
    assert home.trait.evidence == (new, again)
    assert (jazz.trait.evidence, olives.trait.evidence) == ((old,), (taste,))
    assert (home.kind, jazz.kind) == (MemoryKind.FACT, MemoryKind.PREFERENCE)
    assert [one.trait.holds for one in (home, jazz, olives)] == [True, True, False]
    assert (home.trait.confidence, jazz.trait.confidence) == (0.8, 0.6)
    assert home.trait.said == (FIRST + DAY, FIRST + 2 * DAY)
    assert (hers.trait.subject, hers.trait.evidence) == ("person_1/sister", (sister,))


def test_what_was_replaced_comes_back_with_what_replaced_it_gone(known: Tacit) -> None:
    _, new = _say(known, "I live in Leeds.", "I live in Porto.")
    assert _shown(known) == [("home", "I live in Porto")]
    known.erase_memories.one(caller(), access().person, new)
    assert _shown(known) == [("home", "I live in Leeds")]


def test_facts_of_a_backend_are_in_it_until_they_end_or_are_superseded(known: Tacit) -> None:
    fact = {"kind": MemoryKind.FACT}
    window, past = _say(known, "Prefers a window seat.", "Needs a ramp.", **fact)
    (entry, ramp) = known.profile(access())
    assert {(one.trait.slot, one.kind, one.text) for one in (entry, ramp)} == {
        ("", MemoryKind.FACT, "Prefers a window seat."),
        ("", MemoryKind.FACT, "Needs a ramp."),
    }
    _say(known, "Aisle seats only.", supersedes=(window,), **fact)
    _say(known, "Orders the soup.", until=FIRST + DAY, **fact)
    known.erase_memories.one(caller(), access().person, past)
    assert _shown(known) == [("", "Aisle seats only.")]


def test_plans_and_what_an_assistant_said_are_not_in_it(known: Tacit) -> None:
    known.remember(access(), [draft("I live in a server.", speaker=RawText("assistant"))])
    _say(known, "I have tickets for Lisbon.")
    assert _shown(known) == []


def test_without_its_own_consent_there_is_none(tacit: Tacit) -> None:
    with pytest.raises(ConsentError):
        tacit.profile(access())
    grant(tacit)
    _say(tacit, "I live in Leeds.")
    with pytest.raises(ConsentError, match="profile"):
        tacit.profile(access())
    grant(tacit, purpose=PROFILE)
    assert _by_slot(tacit).keys() == {"home"}
    tacit.consents.withdraw(caller(), access().person, PROFILE, None)
    with pytest.raises(ConsentError):
        tacit.profile(access())
    with pytest.raises(UnknownPurposeError):
        tacit.profile(access(purpose=PurposeId("nothing")))


def test_what_the_caller_may_not_see_plays_no_part(known: Tacit) -> None:
    grant(known, purpose=CARE)
    grant(known, "bob")
    _say(known, "I live in Leeds.")
    _say(known, "I live in Rome.", person="bob")
    _say(known, "I'm allergic to penicillin.", purpose=CARE)
    assert _by_slot(known).keys() == {"home", "allergic"}
    assert _by_slot(known)["home"].text == "I live in Leeds"
    known.consents.withdraw(caller(), access().person, CARE, None)
    assert _by_slot(known).keys() == {"home"}


def test_what_has_expired_is_not_in_it(folder: Path) -> None:
    clock = MovableClock()
    with open_tacit(Config(data=folder), clock=clock) as tacit:
        for purpose in (access().purpose, PROFILE):
            grant(tacit, purpose=purpose)
        _say(tacit, "I love olives.", expire_time=clock() + DAY)
        _say(tacit, "I live in Leeds.")
        assert _by_slot(tacit).keys() == {"home", "likes"}
        clock.advance(2 * DAY)
        assert _by_slot(tacit).keys() == {"home"}


def test_it_is_in_the_ledger_as_a_read(known: Tacit) -> None:
    _say(known, "I live in Leeds.", "I love jazz.")
    known.profile(access())
    recall = known.recall
    with recall.store.read() as uow:
        person = uow.person(recall.keyring.ref(access().caller.tenant, access().person))
        assert person is not None
        event = uow.access_events(person.subject, AccessFilter(), 1)[0]
    assert (event.action, event.memories) == (AccessAction.READ, 2)
