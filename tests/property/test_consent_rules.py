"""The rules of core/consent.py against the plainest reading of them, over any history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from memory.core.consent import Consent, Decision, covered_purposes
from memory.core.purposes import Purpose, Purposes, Words
from memory.core.values import AssistantId, PurposeId, RecordId, SubjectId

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
BOTS: Final = (AssistantId("bot"), AssistantId("other"))
IDS: Final = (PurposeId("care"), PurposeId("help"))
YES: Final = (Decision.GIVEN, Decision.RENEWED)


def _at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


@st.composite
def _histories(draw: st.DrawFn) -> list[Consent]:
    """A decision a minute, each perhaps with an end or taken back; no two at one instant."""
    made = []
    for minute in range(draw(st.integers(0, 8))):
        ends = draw(st.none() | st.integers(minute + 1, 30))
        back = draw(st.none() | st.integers(minute, 30))
        made.append(
            Consent(
                id=RecordId(bytes([minute]) * 16),
                subject=SubjectId(b"p" * 16),
                purpose=draw(st.sampled_from(IDS)),
                assistant=draw(st.sampled_from((None, *BOTS))),
                given_at=_at(minute),
                expires_at=None if ends is None else _at(ends),
                withdrawn_at=None
                if back is None
                else _at(back) + timedelta(seconds=30, microseconds=minute),
                invalidated_at=draw(st.none() | st.just(_at(minute))),
                decision=draw(st.sampled_from(Decision)),
                notice_version=draw(st.sampled_from(("1", "2"))),
                explicit=draw(st.booleans()),
            )
        )
    return made


_purposes = st.builds(
    lambda special, version, allowed: Purposes(
        {
            id_: Purpose(
                id_,
                Words("t", "d"),
                "",
                special_category=special,
                notice_version=version,
                assistants=frozenset(allowed),
            )
            for id_ in IDS
        }
    ),
    st.booleans(),
    st.sampled_from(("1", "2")),
    st.sets(st.sampled_from(BOTS)),
)


def _covered(history: list[Consent], purpose: Purpose, bot: AssistantId, now: datetime) -> bool:
    """The last thing said that concerns the assistant is a yes to this notice, and still holds."""
    said = [c for c in history if c.purpose == purpose.id and c.assistant in (None, bot)]
    if not said:
        return False
    last = max(said, key=lambda c: c.withdrawn_at or c.given_at)
    return (
        last.decision in YES
        and last.withdrawn_at is None
        and last.invalidated_at is None
        and (last.expires_at is None or now < last.expires_at)
        and last.notice_version == purpose.notice_version
        and (last.explicit or not purpose.special_category)
        and (not purpose.assistants or bot in purpose.assistants)
    )


@given(_histories(), _purposes, st.sampled_from(BOTS), st.integers(0, 60), st.randoms())
def test_any_history_in_any_order_covers_what_its_last_word_says(
    history: list[Consent], purposes: Purposes, bot: AssistantId, minute: int, random: object
) -> None:
    now = _at(minute)
    expected = {p.id for p in purposes.by_id.values() if _covered(history, p, bot, now)}
    random.shuffle(history)  # type: ignore[attr-defined]
    assert covered_purposes(history, purposes, bot, now) == expected


@given(_histories(), _purposes, st.sampled_from(IDS), st.sampled_from(BOTS))
def test_a_later_no_ends_every_yes_whatever_came_before(
    history: list[Consent], purposes: Purposes, purpose: PurposeId, bot: AssistantId
) -> None:
    no = Consent(
        RecordId(b"n" * 16),
        SubjectId(b"p" * 16),
        purpose,
        None,
        _at(40),
        decision=Decision.REFUSED,
    )
    assert purpose not in covered_purposes([*history, no], purposes, bot, _at(41))
