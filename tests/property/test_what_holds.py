"""What replaced what depends on the memories that may be seen, and on nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from memory.core.content import Features
from memory.core.facts import claims
from memory.core.profile import traits
from memory.core.rows import MemoryHead
from memory.core.validity import Validity, validity
from memory.core.values import RecordId

SAID = (
    "I live in Leeds.", "I live in Porto.", "I no longer live in Leeds.", "We moved to Rome.",
    "I love coffee.", "I can't stand coffee anymore.", "I have a cat called Biscuit.",
    "Biscuit died on Sunday.", "We've swapped the houseboat for a farm.", "My houseboat is blue.",
    "My sister lives in Oslo.", "Hello there!",
)  # fmt: skip
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
LAST = FIRST + timedelta(days=99)

Memory = tuple[MemoryHead, Features]


@st.composite
def memories(draw: st.DrawFn) -> list[Memory]:
    """Said by two speakers on any days, some with an end or naming what they supersede."""
    made: list[Memory] = []
    for seq in range(draw(st.integers(0, 12))):
        speaker = draw(st.sampled_from(["", "person_1"]))
        text = draw(st.sampled_from(SAID))
        named = draw(st.frozensets(st.integers(0, 12), max_size=1))
        features = Features(
            np.array([1, 0], np.float32),
            (),
            speaker,
            frozenset(),
            FIRST + timedelta(days=draw(st.integers(0, 5))),
            claims=claims(text, speaker),
            until=draw(st.sampled_from([None, None, FIRST + timedelta(days=3)])),
            supersedes=tuple(RecordId(n.to_bytes(16)) for n in named),
        )
        made.append((MemoryHead(RecordId(seq.to_bytes(16)), seq, 1, b""), features))
    return made


def _by_id(of: list[Memory], found: Validity) -> dict[RecordId, tuple[RecordId | None, float]]:
    return {
        head.id: (of[by][0].id if by >= 0 else None, ends)
        for (head, _), by, ends in zip(of, found.by.tolist(), found.ends.tolist(), strict=True)
    }


def _validity(of: list[Memory]) -> Validity:
    return validity([head for head, _ in of], [features for _, features in of])


@given(memories(), st.randoms(use_true_random=False))
def test_the_order_in_which_they_lie_changes_nothing(of: list[Memory], dice: object) -> None:
    shuffled = list(of)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert _by_id(of, _validity(of)) == _by_id(shuffled, _validity(shuffled))


@given(memories())
def test_what_holds_in_the_end_was_not_replaced_and_what_ended_did_so_when_told(
    of: list[Memory],
) -> None:
    found = _validity(of)
    for row, (by, ends) in enumerate(zip(found.by.tolist(), found.ends.tolist(), strict=True)):
        given_end = of[row][1].until
        assert by != row
        if by >= 0:
            assert ends <= of[by][1].time.timestamp()
        elif given_end is None:
            assert ends == float("inf")


@given(memories(), st.data())
def test_what_may_not_be_seen_plays_no_part(of: list[Memory], data: st.DataObject) -> None:
    seen = [one for one in of if data.draw(st.booleans())]
    ids = {head.id for head, _ in seen}
    for by, _ in _by_id(seen, _validity(seen)).values():
        assert by is None or by in ids
    heads, features = [head for head, _ in seen], [one for _, one in seen]
    known = traits(heads, features, ids, LAST)
    assert known == traits(heads, features, ids, LAST)
    for trait in known:
        assert ids.issuperset(trait.evidence)
        assert 0.6 <= trait.confidence < 1


@given(memories())
def test_without_what_replaced_them_memories_are_as_if_it_had_never_been(of: list[Memory]) -> None:
    for gone in of:
        rest = [one for one in of if one is not gone]
        assert gone[0].id not in {by for by, _ in _by_id(rest, _validity(rest)).values()}
