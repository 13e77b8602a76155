"""A brief for a human colleague: by its own consent, of what the call may see, and logged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import memory
from memory.app.narrow import Narrow
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.values import PersonId, PurposeId, RawText, RecordId
from memory.errors import (
    ConsentError,
    InvalidArgumentError,
    RestrictedError,
    UnknownPurposeError,
)
from memory.ports import AccessAction, AccessEvent, AccessFilter
from tests.integration.conftest import (
    ASSISTANCE,
    CARE,
    REVEAL,
    access,
    caller,
    draft,
    grant,
    wait_until,
)

HANDOVER = PurposeId("handover")
AFFECT = PurposeId("affect")
ALICE = PersonId("alice")
FIRST = datetime(2026, 3, 1, 9, tzinfo=UTC)
SAID = (
    ("user", "I live in Leeds, and my sister Priya has a flat in York."),
    ("user", "When does the warranty of my washing machine end?"),
    ("assistant", "I'll ask Tomasz Nowak in the workshop."),
    ("user", "I HAVE BEEN WAITING for three weeks, this is ridiculous!!"),
)


def _say(
    tacit: Tacit, *said: tuple[str, str], session: str = "desk", purpose: PurposeId = ASSISTANCE
) -> list[RecordId]:
    drafts = [
        draft(
            text,
            speaker=RawText(speaker),
            session=session,
            event_time=FIRST + timedelta(minutes=minute),
        )
        for minute, (speaker, text) in enumerate(said)
    ]
    return [one.memory.id for one in tacit.remember(access(purpose=purpose), drafts)]


@pytest.fixture
def briefed(tacit: Tacit) -> Tacit:
    for purpose in (ASSISTANCE, HANDOVER):
        grant(tacit, purpose=purpose)
    return tacit


def _events(tacit: Tacit) -> list[AccessEvent]:
    logged, _ = tacit.access_log(caller(), ALICE, AccessFilter(), 50)
    return [one.event for one in logged]


def test_it_tells_what_is_open_what_holds_and_what_was_said_last(briefed: Tacit) -> None:
    home, question, promise, wait = _say(briefed, *SAID)
    brief = briefed.build_handover(access(), 400)
    assert brief.text == (
        "Open\n"
        "[1] 1 March 2026, to do: assistant: I'll ask person_2 in the workshop.\n"
        "\n"
        "What holds\n"
        "[2] 1 March 2026: user: I live in Leeds, and my sister person_1 has a flat in York.\n"
        "\n"
        "Last said\n"
        "[3] 1 March 2026: user: When does the warranty of my washing machine end?\n"
        "[4] 1 March 2026: user: I HAVE BEEN WAITING for three weeks, this is ridiculous!!"
    )
    assert brief.cited == (promise, home, question, wait)
    assert brief.tokens <= 400
    assert briefed.build_handover(access(), 400) == brief
    (event, *_) = _events(briefed)
    assert (event.action, event.memories, event.denied) == (AccessAction.READ, 4, False)


def test_without_its_own_consent_there_is_none_and_the_refusal_is_logged(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, purpose=PurposeId("profile"))
    _say(tacit, *SAID)
    with pytest.raises(ConsentError, match="purposes/handover"):
        tacit.build_handover(access(), 400)
    wait_until(lambda: _events(tacit)[0].denied)
    grant(tacit, purpose=HANDOVER)
    assert tacit.build_handover(access(), 400).cited
    tacit.consents.withdraw(caller(), ALICE, HANDOVER, None)
    with pytest.raises(ConsentError):
        tacit.build_handover(access(), 400)
    with pytest.raises(UnknownPurposeError):
        tacit.build_handover(access(purpose=PurposeId("nonsense")), 400)


def test_it_may_be_the_purpose_of_the_call_itself(briefed: Tacit) -> None:
    _say(briefed, *SAID)
    assert len(briefed.build_handover(access(purpose=HANDOVER), 400).cited) == 4
    briefed.consents.withdraw(caller(), ALICE, ASSISTANCE, None)
    assert briefed.build_handover(access(purpose=HANDOVER), 400).text == ""


def test_what_the_consent_does_not_cover_plays_no_part(briefed: Tacit) -> None:
    grant(briefed, purpose=CARE)
    _say(briefed, *SAID)
    _say(briefed, ("user", "I take the blue pills every morning."), purpose=CARE)
    assert "blue pills" in briefed.build_handover(access(), 400).text
    briefed.consents.withdraw(caller(), ALICE, CARE, None)
    assert "blue pills" not in briefed.build_handover(access(), 400).text


def test_mood_only_where_it_is_consented_to(briefed: Tacit) -> None:
    _say(briefed, *SAID)
    assert "Mood" not in briefed.build_handover(access(), 400).text
    grant(briefed, purpose=AFFECT)
    _say(
        briefed,
        ("user", "I am so annoyed, my order never arrived and nobody answers!!"),
        session="later",
    )
    assert "Mood, guessed from the last message" in briefed.build_handover(access(), 400).text
    briefed.consents.withdraw(caller(), ALICE, AFFECT, None)
    assert "Mood" not in briefed.build_handover(access(), 400).text


def test_real_names_by_right_only(briefed: Tacit) -> None:
    _say(briefed, *SAID)
    with pytest.raises(ConsentError, match="real names"):
        briefed.build_handover(access(), 400, with_names=True)
    grant(briefed, purpose=REVEAL)
    brief = briefed.build_handover(access(), 400, with_names=True)
    assert "I'll ask Tomasz Nowak in the workshop." in brief.text
    assert "my sister Priya" in brief.text
    assert "person_" not in brief.text
    assert brief.cited == briefed.build_handover(access(), 400).cited
    assert AccessAction.REVEAL in {event.action for event in _events(briefed)}


def test_of_one_conversation_what_is_open_and_said_and_of_the_person_what_holds(
    briefed: Tacit,
) -> None:
    _say(briefed, *SAID)
    _say(briefed, ("user", "Please cancel my order."), session="shop")
    brief = briefed.build_handover(access(), 400, Narrow(sessions=frozenset({"shop"})))
    assert "I live in Leeds" in brief.text
    assert "to do: user: Please cancel my order." in brief.text
    assert "warranty" not in brief.text
    none = Narrow(event_end=FIRST)
    assert len(briefed.build_handover(access(), 400, none).cited) == 1


def test_what_was_replaced_or_erased_is_in_no_brief(briefed: Tacit) -> None:
    ids = _say(
        briefed,
        *SAID,
        ("user", "We moved to Bristol last week."),
        ("assistant", "I asked, and the workshop found out: all is arranged."),
    )
    text = briefed.build_handover(access(), 400).text
    assert text.index("Bristol") < text.index("Last said")
    assert "until 1 March 2026: user: I live in Leeds" in text
    briefed.erase_memories.one(caller(), ALICE, ids[4])
    assert "Bristol" not in briefed.build_handover(access(), 400).text
    erasure = briefed.forget(caller(), ALICE)
    briefed.eraser.wait(erasure, 60)
    with pytest.raises(ConsentError):
        briefed.build_handover(access(), 400)


def test_what_is_restricted_is_handed_over_to_nobody(briefed: Tacit) -> None:
    _say(briefed, *SAID)
    briefed.restrict(caller(), ALICE)
    with pytest.raises(RestrictedError):
        briefed.build_handover(access(), 400)


def test_never_over_the_budget_as_the_encoder_counts(briefed: Tacit) -> None:
    _say(briefed, *[("user", f"{text} Number {n}.") for n in range(6) for _, text in SAID])
    for budget in (1, 12, 60, 150, 32_000):
        brief = briefed.build_handover(access(), budget)
        assert brief.tokens == briefed.recall.encoder.count_tokens(brief.text) <= budget
    for budget in (0, -1, 32_001):
        with pytest.raises(InvalidArgumentError):
            briefed.build_handover(access(), budget)


def test_a_registry_without_the_purpose_hands_nothing_over(tmp_path: Path) -> None:
    purposes = Path(memory.__file__).parent / "purposes" / "education.toml"
    with open_tacit(Config(data=tmp_path / "data", purposes=purposes)) as tacit:
        study = PurposeId("tutoring")
        grant(tacit, purpose=study)
        with pytest.raises(ConsentError):
            tacit.build_handover(access(purpose=study), 400)
