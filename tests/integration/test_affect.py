"""Mood is inferred under a consent of its own, where the purpose allows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.affect import Affect
from memory.core.values import Access, MemoryKind, PersonId, PurposeId, RawText, RecordId
from tests.integration.conftest import ASSISTANCE, CARE, access, caller, draft, exported, grant

AFFECT = PurposeId("affect")
ANGRY = "I am so annoyed, my order never arrived and Priya Raman doesn't answer!!"


@pytest.fixture
def tacit(folder: Path) -> Iterator[Tacit]:
    with open_tacit(Config(data=folder)) as opened:
        yield opened


def _stored(
    tacit: Tacit, text: str = ANGRY, purpose: PurposeId = ASSISTANCE, **f: object
) -> RecordId:
    return tacit.remember(access(purpose=purpose), [draft(text, **f)])[0].memory.id


def _seen(tacit: Tacit, record: RecordId, by: Access | None = None) -> Affect | None:
    return tacit.rectify.get(by or access(), record).content.affect


def _own() -> Access:
    return access(by=replace(caller(), person=PersonId("alice")))


def test_without_its_own_consent_nothing_is_inferred(tacit: Tacit) -> None:
    grant(tacit)
    record = _stored(tacit)
    grant(tacit, purpose=AFFECT)
    assert _seen(tacit, record) is None
    assert _seen(tacit, record, _own()) is None


def test_with_it_every_answer_has_it_and_names_no_one(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, purpose=AFFECT)
    record = _stored(tacit)
    affect = _seen(tacit, record)
    assert affect is not None
    assert affect.valence < 0 < 0.5 < affect.frustration
    assert {"lexicon", "said-so", "not-served", "exclamation"} <= {c.rule for c in affect.cues}
    assert "Priya" not in str(affect)
    (hit,) = tacit.recall(access(), RawText("order"))
    assert hit.memory.content.affect == affect


def test_a_purpose_that_does_not_allow_it_infers_and_shows_none(tacit: Tacit) -> None:
    for purpose in (ASSISTANCE, CARE, AFFECT):
        grant(tacit, purpose=purpose)
    assert _seen(tacit, _stored(tacit, purpose=CARE)) is None
    record = _stored(tacit)
    assert _seen(tacit, record) is not None
    assert _seen(tacit, record, access(purpose=CARE)) is None


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("Das ist so ein Mist, ich bin wütend auf euch!!", {}),
        (ANGRY, {"kind": MemoryKind.FACT}),
        (ANGRY, {"speaker": RawText("assistant")}),
        (ANGRY, {"speaker": RawText("Tomasz")}),
    ],
)
def test_of_other_languages_facts_and_other_speakers_nothing_is_inferred(
    tacit: Tacit, text: str, fields: dict[str, object]
) -> None:
    grant(tacit)
    grant(tacit, purpose=AFFECT)
    assert _seen(tacit, _stored(tacit, text, **fields)) is None


def test_a_withdrawal_hides_it_at_once_and_the_person_still_sees_it(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, purpose=AFFECT)
    record = _stored(tacit)
    tacit.consents.withdraw(caller(), PersonId("alice"), AFFECT, None)
    assert _seen(tacit, record) is None
    (hit,) = tacit.recall(access(), RawText("order"))
    assert hit.memory.content.affect is None
    assert _seen(tacit, record, _own()) is not None
    assert _exported(tacit)["frustration"] > 0.5


def test_a_withdrawal_that_erases_leaves_the_memory_and_takes_the_mood(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, purpose=AFFECT)
    record, calm = _stored(tacit), _stored(tacit, "das Sofa")
    ended = tacit.consents.withdraw(caller(), PersonId("alice"), AFFECT, None, erase=True)
    assert ended.erased == 1
    assert _seen(tacit, record, _own()) is None
    assert tacit.rectify.get(access(), record).version == 1
    assert tacit.rectify.get(access(), calm).content.text.value == "das Sofa"
    assert _exported(tacit) is None


def test_a_correction_infers_anew(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, purpose=AFFECT)
    record = _stored(tacit)
    calm = RawText("I am happy with the answer that you gave me, thanks")
    changed = tacit.rectify.update(access(), record, lambda d: replace(d, text=calm))
    assert changed.content.affect is not None
    assert changed.content.affect.valence > 0
    tacit.consents.withdraw(caller(), PersonId("alice"), AFFECT, None)
    tacit.rectify.update(access(), record, lambda d: replace(d, text=RawText(ANGRY)))
    assert _seen(tacit, record, _own()) is None
    assert [affect is None for affect in _older(tacit)] == [False, False]


def test_a_withdrawal_that_erases_reaches_what_was_said_before(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, purpose=AFFECT)
    record = _stored(tacit)
    tacit.rectify.update(access(), record, lambda d: replace(d, text=RawText("das Sofa")))
    assert _older(tacit) != [None]
    ended = tacit.consents.withdraw(caller(), PersonId("alice"), AFFECT, None, erase=True)
    assert ended.erased == 1
    assert _older(tacit) == [None]


def test_a_new_key_leaves_the_mood_as_it_was(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, purpose=AFFECT)
    record = _stored(tacit)
    was = _seen(tacit, record)
    assert was is not None
    tacit.rekey(caller(), PersonId("alice"), "a new key")
    assert _seen(tacit, record) == was


def _older(tacit: Tacit) -> list[object]:
    return [line["affect"] for line in exported(tacit) if line["type"] == "version"]


def _exported(tacit: Tacit):  # type: ignore[no-untyped-def]
    lines = exported(tacit, revealed=False)
    return next(line["affect"] for line in lines if line["type"] == "memory")
