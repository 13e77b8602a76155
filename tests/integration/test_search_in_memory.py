"""Few memories are searched in memory, many by the index: nobody can tell which it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import memory.app.candidates
import memory.app.opened
from memory.app.narrow import Narrow
from memory.app.opened import OpenedFeatures
from memory.app.recall import Hit, Recall
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.values import MemoryKind, RawText, RecordId
from tests.contract.conftest import MovableClock
from tests.integration.conftest import (
    ASSISTANCE,
    CARE,
    access,
    caller,
    draft,
    grant,
    recall,
    store,
    wait_indexed,
    wait_until,
)

FEW = 40
QUERIES = ("gardening in spring", "what does my brother do?", "a trip in May 2024", "numbers")


def _texts(count: int) -> list[str]:
    topics = ("the garden", "my older brother", "a train to the coast", "chess", "tax forms")
    return [
        f"Note {n} about {topics[n % len(topics)]} and number {n * 7}" + "?" * (n % 4 == 0)
        for n in range(count)
    ]


def _ids(hits: list[Hit]) -> list[tuple[RecordId, float]]:
    return [(hit.memory.id, round(hit.score, 5)) for hit in hits]


def test_both_ways_of_searching_answer_alike(folder: Path) -> None:
    narrows = (
        Narrow(),
        Narrow(kinds=frozenset({MemoryKind.FACT})),
        Narrow(sessions=frozenset({"s1"})),
        Narrow(event_start=datetime(2024, 5, 1, tzinfo=UTC)),
    )
    with open_tacit(Config(data=folder)) as tacit:
        grant(tacit)
        drafts = [
            draft(
                text,
                kind=MemoryKind.FACT if n % 3 else MemoryKind.MESSAGE,
                session=f"s{n // 8}",
                event_time=datetime(2024, 1 + n % 12, 1, tzinfo=UTC),
            )
            for n, text in enumerate(_texts(FEW))
        ]
        tacit.remember(access(), drafts)
        wait_indexed(tacit)
        by_index: Recall = replace(tacit.recall, candidates=replace(tacit.recall.candidates, few=0))
        for narrow in narrows:
            for query in QUERIES:
                in_memory = tacit.recall(access(), RawText(query), 10, narrow)
                indexed = by_index(access(), RawText(query), 10, narrow)
                assert _ids(in_memory) == _ids(indexed)
                assert in_memory


def test_what_the_caller_may_not_see_plays_no_part_in_what_is_found(tacit: Tacit) -> None:
    asked, answer, after = (
        "Where did the garden hose go?",
        "It lies behind the shed.",
        "Good to know.",
    )

    def found() -> dict[str, Hit]:
        hits = tacit.recall(access(), RawText("where is the garden hose?"))
        return {hit.memory.content.text.value: hit for hit in hits}

    def scores(hits: dict[str, Hit]) -> dict[str, float]:
        return {text: round(hit.score, 5) for text, hit in hits.items()}

    for purpose in (ASSISTANCE, CARE):
        grant(tacit, purpose=purpose)
    tacit.remember(access(purpose=CARE), [draft(asked, session="s")])
    tacit.remember(access(), [draft(text, session="s") for text in (answer, after)])
    wait_indexed(tacit)
    seen = found()
    tacit.consents.withdraw(caller(), access().person, CARE, None)
    unseen = found()
    assert set(seen) == {asked, answer, after}
    assert set(unseen) == {answer, after}
    assert dict(seen[answer].parts)["answer"] > dict(unseen[answer].parts)["answer"] == 0
    assert dict(seen[after].parts)["session"] > dict(unseen[after].parts)["session"]
    tacit.erase_memories.one(caller(), access().person, seen[asked].memory.id)
    assert scores(found()) == scores(unseen)


def test_a_person_who_outgrows_memory_is_searched_by_the_index(folder: Path) -> None:
    with open_tacit(Config(data=folder, search_in_memory=FEW)) as tacit:
        grant(tacit)
        texts = _texts(FEW + 5)
        store(tacit, *texts[:FEW])
        assert set(recall(tacit, "Note about chess", limit=100)) == set(texts[:FEW])
        store(tacit, *texts[FEW:])
        assert set(recall(tacit, "Note about chess", limit=100)) == set(texts)


def test_what_lies_open_follows_every_change(folder: Path) -> None:
    with open_tacit(Config(data=folder)) as tacit:
        grant(tacit)
        kept, changed, deleted = store(tacit, "kept", "wrong", "deleted")
        assert set(recall(tacit, "word")) == {"kept", "wrong", "deleted"}
        tacit.rectify.update(
            access(), RecordId.parse(changed), lambda d: replace(d, text=RawText("right"))
        )
        assert set(recall(tacit, "word")) == {"kept", "right", "deleted"}
        tacit.erase_memories.one(caller(), access().person, RecordId.parse(deleted))
        lying_open = tacit.recall.candidates.opened._people

        def what_is_left() -> bool:  # once the erasure, which closes all of it, is through
            assert set(recall(tacit, "word")) == {"kept", "right"}
            opened = [{str(record) for record in one.opened} for one in lying_open.values()]
            return opened == [{kept, changed}]

        wait_until(what_is_left)
        tacit.forget(caller(), access().person)
        assert not lying_open


def test_what_is_stored_later_is_laid_out_behind_the_rest_and_found_alike(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory.app.opened, "ROOM", 6)
    texts, query = _texts(14), RawText("Note about chess and the train")
    clock = MovableClock()
    with open_tacit(Config(data=folder), clock=clock) as tacit:
        grant(tacit)
        tacit.remember(access(), [draft(text, session="s") for text in texts[:4]])
        tacit.recall(access(), query, 100)
        laid_out = tacit.recall.candidates.opened._people
        layouts = []
        for texts_now, hours in ((texts[4:5], 2), (texts[5:8], 1), (texts[8:14], 3)):
            ends = clock.now + timedelta(hours=hours)
            tacit.remember(access(), [draft(t, session="s", expire_time=ends) for t in texts_now])
            grown = tacit.recall(access(), query, 100)
            layouts += [whole.layout for one in laid_out.values() for whole in one.wholes.values()]
            unopened = replace(
                tacit.recall.candidates, opened=OpenedFeatures(lambda: 0.0, idle_seconds=10)
            )
            anew: Recall = replace(tacit.recall, candidates=unopened)
            assert grown == anew(access(), query, 100)
        assert len(grown) == len(texts)
        assert layouts[0] is layouts[1] is not layouts[2], "there was no room for six more"
        clock.advance(timedelta(hours=1))
        assert len(tacit.recall(access(), query, 100)) == len(texts) - 3


@pytest.mark.parametrize("room", [0, 128])
def test_who_is_recalled_for_the_first_time_is_found_alike_however_they_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(memory.app.opened, "ROOM", room)
    clock = MovableClock()
    with open_tacit(Config(data=folder), clock=clock) as tacit:
        for purpose in (ASSISTANCE, CARE):
            grant(tacit, purpose=purpose)
        ends = clock.now + timedelta(hours=1)
        tacit.remember(access(), [draft("kept"), draft("until noon", expire_time=ends)])
        tacit.remember(access(purpose=CARE), [draft("of the other purpose")])
        tacit.consents.withdraw(caller(), access().person, CARE, None)
        assert set(recall(tacit, "word")) == {"kept", "until noon"}
        clock.advance(timedelta(hours=1))
        assert recall(tacit, "word") == ["kept"]


def test_who_has_many_memories_is_laid_out_in_the_background_and_found_alike(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory.app.candidates, "AT_ONCE", FEW - 1)
    with open_tacit(Config(data=folder)) as tacit:
        grant(tacit)
        ids = store(tacit, *_texts(FEW))
        wait_indexed(tacit)
        query, lying_open = RawText(QUERIES[0]), tacit.recall.candidates.opened._people
        at_first = tacit.recall(access(), query, 10)
        wait_until(lambda: any(person.wholes for person in lying_open.values()))
        assert _ids(tacit.recall(access(), query, 10)) == _ids(at_first)
        tacit.erase_memories.one(caller(), access().person, RecordId.parse(ids[0]))
        assert len(tacit.recall(access(), query, 100)) == FEW - 1
        tacit.forget(caller(), access().person)
        assert not lying_open


def test_what_nobody_recalls_is_closed_again(folder: Path) -> None:
    seconds = [0.0]
    opened = OpenedFeatures(lambda: seconds[0], idle_seconds=10)
    with open_tacit(Config(data=folder)) as tacit:
        grant(tacit)
        store(tacit, "kept", "also kept")
        again: Recall = replace(
            tacit.recall, candidates=replace(tacit.recall.candidates, opened=opened)
        )
        again(access(), RawText("word"), 10)
        seconds[0] = 9.0
        opened.evict_idle()
        assert opened._people
        assert (opened.use().entries, opened.use().evicted) == (2, 0)
        seconds[0] = 10.0
        opened.evict_idle()
        assert not opened._people
        assert (opened.use().entries, opened.use().evicted) == (0, 2)
        assert len(again(access(), RawText("word"), 10)) == 2
