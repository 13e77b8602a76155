"""Which memory replaced which: by what it claims, by what it names, and from when on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from memory.core.content import Features
from memory.core.facts import claims
from memory.core.rows import MemoryHead
from memory.core.validity import FEW, NEAR, Validity, asks_of_before, validity
from memory.core.values import RecordId

DAY = timedelta(days=1)
FIRST = datetime(2024, 1, 1, tzinfo=UTC)


def _head(seq: int) -> MemoryHead:
    return MemoryHead(RecordId(seq.to_bytes(16)), seq, 1, b"")


def _said(
    text: str,
    day: int,
    speaker: str = "",
    vector: tuple[float, float] = (1, 0),
    until: datetime | None = None,
    supersedes: tuple[int, ...] = (),
) -> Features:
    return Features(
        np.array(vector, np.float32),
        (),
        speaker,
        frozenset(),
        FIRST + day * DAY,
        claims=claims(text, speaker),
        until=until,
        supersedes=tuple(_head(seq).id for seq in supersedes),
    )


def _of(*said: Features) -> Validity:
    return validity([_head(seq) for seq in range(len(said))], said)


def test_a_later_claim_replaces_what_it_contradicts_from_its_own_time_on() -> None:
    found = _of(
        _said("I live in Porto.", 9),
        _said("I live in Leeds.", 1),
        _said("My sister lives in Oslo.", 5),
        _said("I live in Leeds.", 3),
    )
    assert found.by.tolist() == [-1, 0, -1, 0]
    assert found.ends[1] == found.ends[3] == (FIRST + 9 * DAY).timestamp()
    assert found.over(FIRST + 8 * DAY).tolist() == []
    assert found.over(FIRST + 9 * DAY).tolist() == [1, 3]


def test_each_is_replaced_by_the_next_and_the_last_one_holds() -> None:
    found = _of(*(_said(f"I live in {city}.", day) for day, city in enumerate(("A1", "B2", "C3"))))
    assert found.by.tolist() == [1, 2, -1]
    assert found.holds.tolist() == [2, 2, 2]


def test_without_the_newer_one_the_older_one_holds_again() -> None:
    old, new = _said("I love coffee.", 1), _said("I can't stand coffee anymore.", 2)
    assert _of(old, new).by.tolist() == [1, -1]
    assert _of(old).by.tolist() == [-1]


def test_of_one_instant_the_one_stored_later_is_later() -> None:
    assert _of(_said("I am 30.", 1), _said("I am 31.", 1)).by.tolist() == [1, -1]


def test_another_speaker_replaces_nothing() -> None:
    mine, theirs = _said("I live in Leeds.", 1, "person_1"), _said("I live in Rome.", 2, "person_2")
    assert _of(mine, theirs).by.tolist() == [-1, -1]


def test_what_is_named_as_superseded_is_replaced_and_what_is_not_there_is_passed_over() -> None:
    found = _of(_said("Tea at four.", 1), _said("Cake at five.", 2, supersedes=(0, 7)))
    assert found.by.tolist() == [1, -1]
    assert _of(_said("Tea.", 1, supersedes=(0,))).by.tolist() == [-1]


def test_an_end_that_was_given_holds_and_the_earlier_end_counts() -> None:
    end = FIRST + 4 * DAY
    assert _of(_said("Tea at four.", 1, until=end)).ends.tolist() == [end.timestamp()]
    old, new = _said("I live in Leeds.", 1, until=end), _said("I live in Rome.", 9)
    found = _of(old, new)
    assert (found.by[0], found.ends[0]) == (1, end.timestamp())


@pytest.mark.parametrize(
    ("cosine", "others", "changed"),
    [(NEAR + 0.1, 0, True), (NEAR - 0.1, 0, False), (NEAR + 0.1, FEW, False)],
    ids=["near", "far", "a word in too much that was said"],
)
def test_that_something_changed_replaces_what_it_shares_a_word_and_its_meaning_with(
    cosine: float, others: int, changed: bool
) -> None:
    near = (cosine, (1 - cosine**2) ** 0.5)
    said = [_said("We run the bakery by ourselves.", 1, vector=near)]
    said += [_said("My bakery smells.", 2, vector=(0, 1))] * others
    found = _of(*said, _said("We've sold the bakery.", 3))
    assert bool(found.by[0] >= 0) is changed
    assert found.by[1:].tolist() == [-1] * (others + 1)


@pytest.mark.parametrize(
    ("query", "before"),
    [
        ("where did she live before?", True),
        ("what did he used to play?", True),
        ("where does she live?", False),
    ],
)
def test_a_query_may_ask_for_what_held_before(query: str, before: bool) -> None:
    assert asks_of_before(query) is before
