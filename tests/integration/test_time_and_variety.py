"""What a memory tells of, how new and important it is, and lists that do not repeat themselves."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memory.app.recall import Hit
from memory.app.sealing import open_features
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.content import Features
from memory.core.values import PersonId, RawText, RecordId
from memory.errors import InvalidArgumentError
from memory.ports import MemoryFilter
from tests.integration.conftest import access, archive, caller, draft, grant, recall, store

MAY = datetime(2023, 5, 8, 12, tzinfo=UTC)
HIKING = (
    "I love hiking in the mountains.",
    "I really love hiking in the mountains!",
    "i love to hike in mountains",
    "Hey, I love hiking in the mountains.",
    "I just love hiking in the mountains, lol",
)


def _features(tacit: Tacit, record: RecordId) -> Features:
    recall_ = tacit.recall
    ref = recall_.keyring.ref(access().caller.tenant, access().person)
    with recall_.store.read() as uow:
        person = uow.person(ref)
        assert person is not None
        (row,) = uow.memories(person.subject, [record], MemoryFilter())
        return open_features(recall_.keyring.keys(person), row)


def _hits(tacit: Tacit) -> list[Hit]:
    return tacit.recall(access(), RawText("where is the spare key?"))


def test_what_tells_of_a_day_is_found_by_that_day(tacit: Tacit) -> None:
    grant(tacit)
    said = [
        draft("The recital is tomorrow.", event_time=MAY),
        draft("The recital was a month ago.", event_time=MAY),
        draft("The recital went well.", event_time=MAY.replace(month=8)),
    ]
    tomorrow, *_ = [one.memory.id for one in tacit.remember(access(), said)]
    hits = tacit.recall(access(), RawText("which recital was on 9 May 2023?"))
    assert hits[0].memory.id == tomorrow
    assert dict(hits[0].parts)["told"] > 0


def test_a_corrected_memory_is_as_old_as_it_was_and_tells_of_days_seen_from_then(
    tacit: Tacit,
) -> None:
    grant(tacit)
    (stored,) = tacit.remember(access(), [draft("I swam.")])
    (dated,) = tacit.remember(access(), [draft("I swam.", event_time=MAY)])
    for one, day in ((stored, stored.memory.stored_at), (dated, MAY)):
        record = one.memory.id
        changed = tacit.rectify.update(
            access(),
            record,
            lambda now: replace(now, text=RawText("I ran the day before yesterday.")),
        )
        features = _features(tacit, record)
        assert changed.stored_at == one.memory.stored_at <= changed.updated_at
        assert features.time == day
        assert [(day.date() - span.first).days for span in features.days] == [2]


def test_a_list_does_not_say_one_thing_over_and_over_and_leaves_nothing_out(tacit: Tacit) -> None:
    grant(tacit)
    others = ("We went hiking in the Alps.", "My boots for the mountains are wet.")
    store(tacit, *HIKING, *others)
    found = recall(tacit, "hiking in the mountains", limit=3)
    assert len(set(found) & set(HIKING)) == 1
    assert set(others) <= set(found)
    assert set(recall(tacit, "hiking in the mountains", limit=100)) == {*HIKING, *others}
    text = tacit.build_context(access(), RawText("hiking in the mountains"), 1000).text.lower()
    assert text.count("love") == 1
    assert all(other.lower() in text for other in others)


def test_what_is_new_counts_a_little_and_more_when_that_is_asked_for(tacit: Tacit) -> None:
    grant(tacit)
    texts = ("We cooked lentils with mint.", "We cooked lentils with cumin.")
    old = draft(texts[0], event_time=MAY)
    tacit.remember(access(), [old, replace(old, text=RawText(texts[1]), event_time=None)])
    little, much = (
        {
            h.memory.content.text.value: dict(h.parts)["recent"]
            for h in tacit.recall(access(), query)
        }
        for query in (RawText("lentils with what?"), RawText("which lentils did we cook lately?"))
    )
    assert little[texts[0]] < 1e-9
    assert little[texts[1]] == pytest.approx(0.01)
    assert much[texts[1]] == pytest.approx(0.1)


def test_importance_is_kept_counts_and_can_be_corrected(tacit: Tacit, tmp_path: Path) -> None:
    grant(tacit)
    said = [
        draft("The spare key is with the neighbour."),
        draft("The spare key is with the porter.", importance=0.75),
    ]
    plain, important = [one.memory.id for one in tacit.remember(access(), said)]
    points = {h.memory.id: dict(h.parts)["important"] for h in _hits(tacit)}
    assert points == {plain: 0, important: pytest.approx(0.075)}
    assert tacit.rectify.get(access(), plain).content.importance is None
    tacit.rekey(caller(), access().person, "r1")
    tacit.rectify.update(access(), plain, lambda now: replace(now, importance=1.0))
    with open_tacit(Config(data=tmp_path / "other")) as other:
        grant(other)
        with closing(other.take_in.begin(caller(), PersonId("alice"))) as incoming:
            incoming.take(archive(tacit))
            incoming.finish()
        kept = {h.memory.id: h.memory.content.importance for h in _hits(other)}
    assert kept == {plain: 1.0, important: 0.75}


@pytest.mark.parametrize("importance", [-0.01, 1.01, float("nan")])
def test_importance_out_of_its_range_is_refused(importance: float) -> None:
    with pytest.raises(InvalidArgumentError, match="importance"):
        draft("x", importance=importance)
