"""Default deny, and the latest decision counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from memory.core.consent import (
    Consent,
    ConsentState,
    Decision,
    covered_purposes,
    objected,
)
from memory.core.purposes import Purpose, Purposes, Words
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
    **more: object,
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
        **more,  # type: ignore[arg-type]
    )


def _purposes(**care: object) -> Purposes:
    words = Words("t", "d")
    made = (Purpose(CARE, words, "", **care), Purpose(HELP, words, ""))  # type: ignore[arg-type]
    return Purposes({p.id: p for p in made})


def _covered(
    *consents: Consent, assistant: AssistantId = BOT, purposes: Purposes | None = None
) -> set[PurposeId]:
    return set(covered_purposes(consents, purposes or _purposes(), assistant, NOW))


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


def test_a_no_after_a_yes_covers_nothing_and_a_later_yes_does() -> None:
    no = _consent(given=-5, decision=Decision.REFUSED)
    assert _covered(_consent(), no) == set()
    assert _covered(_consent(), no, _consent(given=-1, decision=Decision.RENEWED)) == {CARE}
    assert no.state(NOW) is ConsentState.REFUSED


def test_a_changed_notice_asks_again() -> None:
    changed = _purposes(notice_version="2")
    assert _covered(_consent(), purposes=changed) == set()
    assert _covered(_consent(notice_version="2"), purposes=changed) == {CARE}


def test_special_categories_need_an_explicit_yes() -> None:
    special = _purposes(special_category=True)
    assert _covered(_consent(), purposes=special) == set()
    assert _covered(_consent(explicit=True), purposes=special) == {CARE}


def test_an_assistant_that_the_registry_does_not_allow_is_not_covered() -> None:
    assert _covered(_consent(), purposes=_purposes(assistants=frozenset({OTHER}))) == set()


def test_what_left_the_registry_covers_nothing() -> None:
    assert _covered(_consent(purpose=PurposeId("gone"))) == set()


def test_an_invalidated_consent_covers_nothing() -> None:
    invalid = _consent(invalidated_at=NOW)
    assert _covered(invalid) == set()
    assert (invalid.state(NOW), invalid.changed_at(NOW)) == (ConsentState.INVALIDATED, NOW)


def test_an_objection_is_to_the_purpose_as_a_whole_and_ends_with_a_later_yes() -> None:
    no = _consent(None, given=-5, decision=Decision.OBJECTED)
    assert objected([_consent(None), no], CARE)
    assert not objected([no], HELP)
    assert not objected([no, _consent(None, given=-1)], CARE)
