"""The same told again is seen once more and not stored twice; what only looks alike is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from memory.app.remember import Acknowledged
from memory.app.take_in import Taken
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.draft import Draft
from memory.core.values import MemoryKind, PersonId, PurposeId, RawText
from memory.errors import RequestIdReusedError
from memory.ports import AccessAction, AccessFilter, MemoryFilter
from tests.contract.conftest import MovableClock
from tests.integration.conftest import (
    CARE,
    access,
    archive,
    caller,
    draft,
    exported,
    grant,
    recall,
)
from tests.integration.test_archive import take_in, taken_over
from tests.integration.test_rekey import _rekey

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
THEN = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
FACT = MemoryKind.FACT
ALICE = PersonId("alice")
REGISTRY = "".join(
    f"""
[{purpose}]
title = "Help me"
description = "The assistant remembers what you told it."
dpv = "https://w3id.org/dpv#ServiceProvision"
retention = "30d"
"""
    for purpose in ("assistance", "care", "profile")
)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def config(folder: Path, tmp_path: Path) -> Config:
    (tmp_path / "purposes.toml").write_text(REGISTRY)
    return Config(data=folder, purposes=tmp_path / "purposes.toml")


@pytest.fixture
def tacit(config: Config, clock: MovableClock) -> Iterator[Tacit]:
    with open_tacit(config, clock=clock) as opened:
        for purpose in ("assistance", "care", "profile"):
            grant(opened, purpose=PurposeId(purpose))
        yield opened


def _tell(tacit: Tacit, text: str, **fields: Any) -> Acknowledged:
    return tacit.remember(access(), [draft(text, **fields)])[0]


def _count(tacit: Tacit) -> int:
    return len([line for line in exported(tacit) if line["type"] == "memory"])


def test_the_same_message_right_after_itself_is_one_memory_told_twice(
    tacit: Tacit, clock: MovableClock
) -> None:
    first = _tell(tacit, "Bob Smith likes tea.")
    clock.advance(20 * SECOND)
    again = _tell(tacit, "bob smith likes TEA")
    assert (first.merged, again.merged, again.repeated) == (False, True, False)
    assert again.memory.id == first.memory.id
    assert again.memory.content == first.memory.content
    assert (again.memory.sightings, again.memory.last_seen_at) == (2, clock.now)
    assert again.memory.stored_at == clock.now - 20 * SECOND
    assert again.memory.version == 1
    assert recall(tacit, "tea") == [first.memory.content.text.value]
    assert _count(tacit) == 1


def test_yes_said_twice_is_two_memories(tacit: Tacit, clock: MovableClock) -> None:
    _tell(tacit, "yes", session="monday")
    assert not _tell(tacit, "yes", session="tuesday").merged
    _tell(tacit, "Do you take milk?", session="monday", speaker=RawText("assistant"))
    assert not _tell(tacit, "yes", session="monday").merged
    clock.advance(61 * SECOND)
    assert not _tell(tacit, "yes", session="monday").merged
    assert _count(tacit) == 5


def test_a_message_with_its_time_is_the_same_however_late_it_comes_again(
    tacit: Tacit, clock: MovableClock
) -> None:
    said = [
        draft(t, session="s", event_time=THEN) for t in ("I like tea", "and cake", "I like tea")
    ]
    first = tacit.remember(access(), said)
    assert [one.merged for one in first] == [False] * 3
    clock.advance(3 * DAY)
    again = tacit.remember(access(), said)
    assert [one.merged for one in again] == [True] * 3
    assert _count(tacit) == 3
    later = replace(said[0], event_time=THEN + SECOND)
    assert not tacit.remember(access(), [later])[0].merged


@pytest.mark.parametrize(
    "other",
    [
        {"kind": MemoryKind.EVENT},
        {"speaker": RawText("Tomasz Nowak")},
        {"labels": {"id": "7"}},
        {"until": THEN},
        {"event_time": THEN},
    ],
)
def test_another_detail_makes_another_memory(tacit: Tacit, other: dict[str, Any]) -> None:
    _tell(tacit, "I like tea")
    assert not _tell(tacit, "I like tea", **other).merged


def test_another_purpose_assistant_or_person_never_merges(tacit: Tacit) -> None:
    for by, person, purpose in (
        ("bot", "alice", access().purpose),
        ("bot", "alice", CARE),
        ("other", "alice", CARE),
        ("bot", "bob", CARE),
    ):
        who = caller(assistant=by)
        tacit.consents.grant(who, PersonId(person), purpose, who.assistant)
        for kind in (MemoryKind.MESSAGE, FACT):
            told = [draft("I like tea", kind=kind)]
            (done,) = tacit.remember(access(person, purpose, by=who), told)
            assert not done.merged


def test_a_fact_is_the_same_in_any_session_and_counts_as_said_when_it_was_last(
    tacit: Tacit, clock: MovableClock
) -> None:
    start = clock.now
    leeds = _tell(tacit, "I live in Leeds.", kind=FACT, session="one")
    clock.advance(DAY)
    _tell(tacit, "I live in Bristol.", kind=FACT, session="two")
    clock.advance(DAY)
    again = _tell(tacit, "I live in Leeds", kind=FACT, session="three")
    assert (again.merged, again.memory.id) == (True, leeds.memory.id)
    (home,) = tacit.profile(access())
    assert (home.text, home.trait.said) == ("I live in Leeds", (start, clock.now))
    assert home.trait.confidence > 0.6
    hits = tacit.recall(access(), RawText("Where do I live?"))
    assert [hit.memory.content.text.value for hit in hits] == [
        "I live in Leeds.",
        "I live in Bristol.",
    ]
    assert [hit.until for hit in hits] == [None, clock.now]


def test_tomorrow_is_another_day_tomorrow(tacit: Tacit, clock: MovableClock) -> None:
    clock.now = clock.now.replace(hour=9)
    texts = ("I start at the library two days ago", "The exam was yesterday")
    for text in texts:
        _tell(tacit, text, kind=FACT)
        clock.advance(2 * SECOND)
        assert _tell(tacit, text, kind=FACT).merged
    clock.advance(DAY)
    assert [_tell(tacit, text, kind=FACT).merged for text in texts] == [False, False]


def test_what_was_superseded_by_name_is_news_when_it_is_told_again(tacit: Tacit) -> None:
    old = _tell(tacit, "The code word is heron", kind=FACT)
    new = _tell(tacit, "The code word is ibis", kind=FACT, supersedes=(old.memory.id,))
    again = _tell(tacit, "The code word is heron", kind=FACT)
    assert not again.merged
    assert _tell(tacit, "The code word is heron", kind=FACT).memory.id == again.memory.id
    assert new.memory.id != again.memory.id


def test_what_is_derived_is_found_beside_its_message(tacit: Tacit) -> None:
    text = "I love jazz, and I live in Leeds."
    first = _tell(tacit, text, extract=True)
    again = _tell(tacit, text, extract=True)
    assert again.merged
    assert [m.id for m in again.derived] == [m.id for m in first.derived]
    assert [m.sightings for m in again.derived] == [2, 2]
    assert _count(tacit) == 3
    other = _tell(tacit, f"Well, {text}", extract=True)
    assert {m.id for m in other.derived}.isdisjoint(m.id for m in first.derived)
    tacit.erase_memories.one(caller(), ALICE, first.memory.id)
    assert _count(tacit) == 3


def test_what_is_told_again_is_kept_as_if_it_were_new_and_never_shorter(
    tacit: Tacit, config: Config, clock: MovableClock
) -> None:
    first = _tell(tacit, "I like tea", kind=FACT)
    clock.advance(20 * DAY)
    again = _tell(tacit, "I like tea", kind=FACT)
    assert again.memory.expires_at == clock.now + 30 * DAY
    sooner = _tell(tacit, "I like tea", kind=FACT, expire_time=clock.now + DAY)
    assert (sooner.merged, sooner.memory.expires_at) == (False, clock.now + DAY)
    assert config.purposes is not None
    config.purposes.write_text(REGISTRY.replace("30d", "12d"))
    tacit.close()
    with open_tacit(config, clock=clock) as shortened:
        kept = shortened.rectify.get(access(), first.memory.id)
        assert kept.expires_at == clock.now + 12 * DAY
        shortened.expire.work_off()
        end = shortened.rectify.update(
            access(), first.memory.id, lambda now: replace(now, expire_time=None)
        )
        assert end.expires_at == clock.now + 12 * DAY
        clock.advance(12 * DAY)
        assert not _tell(shortened, "I like tea", kind=FACT).merged


def test_what_was_to_end_early_is_kept_on_when_it_is_told_again_without_that(
    tacit: Tacit, clock: MovableClock
) -> None:
    first = _tell(tacit, "I like tea", expire_time=clock.now + DAY)
    again = _tell(tacit, "I like tea")
    assert (again.memory.id, again.memory.expires_at) == (first.memory.id, clock.now + 30 * DAY)


def test_a_request_id_answers_with_what_its_call_found(tacit: Tacit) -> None:
    first = _tell(tacit, "I like tea", request_id="one")
    assert _tell(tacit, "I like tea", request_id="two").merged
    third = _tell(tacit, "I like tea", request_id="two")
    assert (third.repeated, third.merged, third.memory.sightings) == (True, False, 2)
    tacit.erase_memories.one(caller(), ALICE, first.memory.id)
    with pytest.raises(RequestIdReusedError):
        _tell(tacit, "I like tea", request_id="two")
    assert not _tell(tacit, "I like tea", request_id="three").merged


def test_a_batch_is_stored_as_it_was_said(tacit: Tacit) -> None:
    texts = ["yes", "yes", "no", "yes"]
    done = tacit.remember(access(), [draft(text) for text in texts])
    assert len({one.memory.id for one in done}) == 4
    assert _tell(tacit, "yes").memory.id == done[3].memory.id
    ahead = tacit.remember(access(), [draft("yes"), draft("right"), draft("yes")])
    assert [one.merged for one in ahead] == [True, False, False]


def test_every_telling_is_in_the_access_log(tacit: Tacit) -> None:
    for _ in range(3):
        _tell(tacit, "I like tea")
    only = AccessFilter(actions=frozenset({AccessAction.STORE}))
    events, _ = tacit.access_log(caller(), ALICE, only, 10)
    assert [logged.event.memories for logged in events] == [1, 1, 1]


def test_a_corrected_memory_is_found_by_what_it_says_now(tacit: Tacit) -> None:
    first = _tell(tacit, "I like tea", kind=FACT)
    _tell(tacit, "I like tea", kind=FACT)
    changed = tacit.rectify.update(
        access(), first.memory.id, lambda now: replace(now, text=RawText("I like coffee"))
    )
    assert changed.sightings == 2
    assert _tell(tacit, "I like coffee!", kind=FACT).memory.id == first.memory.id
    assert not _tell(tacit, "I like tea", kind=FACT).merged


def test_it_is_found_under_a_new_key_and_by_none_of_its_old_tags(tacit: Tacit) -> None:
    text = "Bob Smith likes tea, card 4111 1111 1111 1111"
    first = _tell(tacit, text, kind=FACT)
    before = _tag(tacit)
    assert _rekey(tacit) == 1
    assert before is not None
    assert _tag(tacit) not in (None, before)
    assert _tell(tacit, text, kind=FACT).memory.id == first.memory.id


def _tag(tacit: Tacit) -> bytes | None:
    with tacit.restrict.store.read() as uow:
        row = uow.person(tacit.restrict.keyring.ref(caller().tenant, ALICE))
        assert row is not None
        (memory,) = uow.page_memories(row.subject, MemoryFilter(), -1, 2)
        return memory.content_tag


def test_an_archive_keeps_how_often_and_when_last(
    tacit: Tacit, clock: MovableClock, config: Config, tmp_path: Path
) -> None:
    first = _tell(tacit, "I live in Leeds.", kind=FACT)
    clock.advance(DAY)
    _tell(tacit, "I live in Bristol.", kind=FACT)
    clock.advance(DAY)
    _tell(tacit, "I live in Leeds.", kind=FACT)
    was = exported(tacit)
    assert [line.get("sightings") for line in was if line["type"] == "memory"] == [2, None]
    elsewhere = Config(data=tmp_path / "elsewhere", purposes=config.purposes)
    with open_tacit(elsewhere, clock=clock) as empty:
        for purpose in (access().purpose, PurposeId("profile")):
            grant(empty, purpose=purpose)
        assert take_in(empty, archive(tacit)) == Taken(memories=2)
        assert taken_over(exported(empty)) == taken_over(was)
        assert [one.text for one in empty.profile(access())] == ["I live in Leeds"]
        again = _tell(empty, "I live in Leeds.", kind=FACT)
        assert (again.memory.id, again.memory.sightings) == (first.memory.id, 3)


def test_what_was_stored_before_there_were_tags_is_left_alone(tacit: Tacit) -> None:
    first = _tell(tacit, "I like tea")
    with tacit.restrict.store.write() as uow:
        row = uow.person(tacit.restrict.keyring.ref(caller().tenant, ALICE))
        assert row is not None
        uow.untag_memories(row.subject, [first.memory.id])
        uow.commit()
    assert not _tell(tacit, "I like tea").merged
    assert _rekey(tacit) == 1
    assert _count(tacit) == 2


def test_a_draft_is_what_is_compared(tacit: Tacit) -> None:
    """Output of one call, told again as it came, is the same memory."""
    told = Draft(RawText("I like tea"), kind=FACT, labels={"a": "1", "b": "2"})
    (first,) = tacit.remember(access(), [told])
    (again,) = tacit.remember(access(), [replace(told, labels={"b": "2", "a": "1"})])
    assert again.memory.id == first.memory.id
