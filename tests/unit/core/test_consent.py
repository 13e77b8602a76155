"""Default deny, and the latest decision counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from memory.core.consent import Consent, ConsentState, covered_purposes
from memory.core.values import AssistantId, PurposeId, RecordId, SubjectId

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CARE, HELP = PurposeId("care"), PurposeId("help")
BOT, OTHER = AssistantId("bot"), AssistantId("other")


def _consent(
    assistant: AssistantId | None = BOT,
    *,
    given: int = -10,
    expires: int | None = None,
    withdrawn: int | None = None,
    purpose: PurposeId = CARE,
) -> Consent:
    """Times in minutes from now."""

    def at(minutes: int | None) -> datetime | None:
        return None if minutes is None else NOW + timedelta(minutes=minutes)

    return Consent(
        RecordId(b"c" * 16),
        SubjectId(b"s" * 16),
        purpose,
        assistant,
        NOW + timedelta(minutes=given),
        at(expires),
        at(withdrawn),
    )


def _covered(*consents: Consent, assistant: AssistantId = BOT) -> set[PurposeId]:
    return set(covered_purposes(consents, assistant, NOW))


def test_without_a_decision_nothing_is_covered() -> None:
    assert _covered() == set()


def test_a_consent_covers_its_own_purpose_and_assistant_only() -> None:
    assert _covered(_consent()) == {CARE}
    assert _covered(_consent(), assistant=OTHER) == set()


def test_a_consent_for_all_assistants_covers_each() -> None:
    assert _covered(_consent(None), assistant=OTHER) == {CARE}


def test_a_withdrawn_or_expired_consent_covers_nothing() -> None:
    assert _covered(_consent(withdrawn=-1)) == set()
    assert _covered(_consent(expires=0)) == set()
    assert _covered(_consent(expires=1)) == {CARE}


def test_giving_again_after_withdrawing_covers_again() -> None:
    assert _covered(_consent(withdrawn=-5), _consent(given=-1)) == {CARE}


def test_one_assistant_can_be_taken_out_of_a_consent_for_all() -> None:
    decisions = (_consent(None, given=-10), _consent(given=-5, withdrawn=-5))
    assert _covered(*decisions) == set()
    assert _covered(*decisions, assistant=OTHER) == {CARE}


def test_a_later_consent_for_all_takes_it_back_in() -> None:
    assert _covered(_consent(given=-5, withdrawn=-5), _consent(None, given=-1)) == {CARE}


def test_purposes_do_not_mix() -> None:
    assert _covered(_consent(), _consent(purpose=HELP, withdrawn=-1)) == {CARE}


def test_a_decision_names_its_own_state() -> None:
    assert _consent().state(NOW) is ConsentState.GIVEN
    assert _consent(expires=-1).state(NOW) is ConsentState.EXPIRED
    assert _consent(expires=-1, withdrawn=-2).state(NOW) is ConsentState.WITHDRAWN
