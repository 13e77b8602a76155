"""Ratings tune what comes first for the person they are of, by consent, visibly, and for as long as
the person wants.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from memory.app.narrow import Narrow
from memory.app.opened import OpenedFeatures
from memory.app.recall import Recall, Recalled
from memory.app.recall_tokens import LIFETIME
from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.feedback import BOUND, TUNED, Feedback, Rating
from memory.core.ranking import WEIGHTS
from memory.core.values import PersonId, PurposeId, RawText, RecordId
from memory.errors import (
    ArchiveError,
    ConsentError,
    InvalidArgumentError,
    LegalHoldError,
    NotFoundError,
    RestrictedError,
)
from memory.ports import AccessAction, AccessEvent, AccessFilter, PersonRow
from tests.contract.conftest import MovableClock
from tests.integration.conftest import (
    CARE,
    access,
    archive,
    caller,
    draft,
    grant,
    recall,
    wait_until,
)

ALICE, BOB = PersonId("alice"), PersonId("bob")
TUNING, PROFILE = PurposeId("tuning"), PurposeId("profile")
QUERY = RawText("which food does the cello teacher like?")
SAID = (
    "My cello teacher likes figs and good bread.",
    "The teacher of my son plays chess.",
    "Which food is good for a hedgehog?",
    "I had bread and olives for lunch.",
    "A cello needs new strings every year.",
    "It rained on Monday.",
)
THEN = datetime(2024, 1, 8, tzinfo=UTC)


def _ready(tacit: Tacit, person: str = "alice", *, tuning: bool = True) -> list[RecordId]:
    grant(tacit, person)
    if tuning:
        grant(tacit, person, TUNING)
    done = tacit.remember(access(person), [draft(text) for text in SAID])
    return [one.memory.id for one in done]


def _found(of: Tacit | Recall, person: str = "alice") -> Recalled:
    recall = of if isinstance(of, Recall) else of.recall
    return recall.best(access(person), QUERY, 10, Narrow())


def _scores(of: Tacit | Recall, person: str = "alice") -> dict[RecordId, float]:
    return {hit.memory.id: hit.score for hit in _found(of, person).hits}


def _rate_all(tacit: Tacit, rating: Rating = Rating.USEFUL, person: str = "alice") -> None:
    """Of three recalls, the hit that shares most words: so the weight of words must move."""
    for words in ("figs and good bread", "my son plays chess", "food for a hedgehog"):
        found = tacit.recall.best(access(person), RawText(words), 10, Narrow())
        hit = max(found.hits, key=lambda hit: dict(hit.parts)["lexical"])
        token = found.token(found.hits)
        assert tacit.personalize.rate(access(person), hit.memory.id, rating, token)


def _feedback(tacit: Tacit, person: str = "alice") -> Feedback:
    return tacit.personalize.show(access(person)).feedback


def _row(tacit: Tacit) -> PersonRow:
    with tacit.recall.store.read() as uow:
        row = uow.person(tacit.recall.keyring.ref(caller().tenant, ALICE))
    assert row is not None
    return row


def _events(tacit: Tacit) -> list[AccessEvent]:
    with tacit.recall.store.read() as uow:
        return uow.access_events(_row(tacit).subject, AccessFilter(), 5)


@pytest.mark.parametrize(("rating", "more"), [(Rating.USEFUL, True), (Rating.NOT_USEFUL, False)])
def test_ratings_move_the_weights_the_scores_add_up_and_a_reset_restores_them(
    tacit: Tacit, rating: Rating, more: bool
) -> None:
    _ready(tacit)
    before = _scores(tacit)
    _rate_all(tacit, rating)
    own = _feedback(tacit).weights
    assert own != WEIGHTS
    assert (own.lexical > WEIGHTS.lexical) is more
    for part in TUNED:
        factor = getattr(own, part) / getattr(WEIGHTS, part)
        assert 1 / BOUND <= factor <= BOUND
    found = _found(tacit)
    assert {hit.memory.id: hit.score for hit in found.hits} != before
    for hit in found.hits:
        assert sum(points for _, points in hit.parts) == pytest.approx(hit.score, abs=1e-9)
    assert tacit.personalize.reset(caller(), ALICE) == 3
    assert _feedback(tacit) == Feedback()
    assert _scores(tacit) == before
    assert tacit.personalize.reset(caller(), ALICE) == 0
    assert tacit.personalize.reset(caller(), PersonId("nobody")) == 0


def test_another_server_sees_it_at_its_next_recall(tacit: Tacit) -> None:
    _ready(tacit)
    opened = OpenedFeatures(time.monotonic, 60)
    other = replace(tacit.recall, candidates=replace(tacit.recall.candidates, opened=opened))
    before = _scores(other)
    _rate_all(tacit)
    assert _scores(other) == _scores(tacit) != before
    tacit.personalize.reset(caller(), ALICE)
    assert _scores(other) == before


def test_two_people_never_influence_each_other(tacit: Tacit) -> None:
    mine = _ready(tacit)
    _ready(tacit, "bob")
    before = list(_scores(tacit, "bob").values())
    token = _found(tacit).token(_found(tacit).hits)
    _rate_all(tacit)
    assert list(_scores(tacit, "bob").values()) == before
    assert _feedback(tacit, "bob") == Feedback()
    with pytest.raises(NotFoundError):
        tacit.personalize.rate(access("bob"), mine[0], Rating.WRONG)
    theirs = _found(tacit, "bob").hits[0].memory.id
    with pytest.raises(InvalidArgumentError, match="recall_token"):
        tacit.personalize.rate(access("bob"), theirs, Rating.USEFUL, token)
    tacit.personalize.reset(caller(), BOB)
    assert _feedback(tacit).weights != WEIGHTS


def test_what_is_wrong_ranks_behind_until_it_is_corrected(tacit: Tacit) -> None:
    ids = _ready(tacit, tuning=False)
    assert _found(tacit).hits[0].memory.id == ids[0]
    assert tacit.personalize.rate(access(), ids[0], Rating.WRONG) is False
    hits = _found(tacit).hits
    assert hits[-1].memory.id == ids[0]
    assert dict(hits[-1].parts)["doubted"] == -2.0
    context = tacit.build_context(access(), QUERY, 500).text
    assert "said to be wrong: My cello teacher" in context
    assert context.count("said to be wrong") == 1
    right = RawText("My cello teacher likes plums and good bread.")
    tacit.rectify.update(access(), ids[0], lambda now: replace(now, text=right))
    assert _found(tacit).hits[0].memory.id == ids[0]
    assert "said to be wrong" not in tacit.build_context(access(), QUERY, 500).text


def test_what_is_wrong_replaces_nothing_and_is_in_no_profile(tacit: Tacit) -> None:
    for purpose in (access().purpose, PROFILE, TUNING):
        grant(tacit, purpose=purpose)
    said = ("I live in Leeds.", "We moved to Bristol last week.")
    drafts = [
        draft(text, speaker=RawText("Amara"), event_time=THEN + day * timedelta(days=1))
        for day, text in enumerate(said)
    ]
    old, new = (one.memory.id for one in tacit.remember(access(), drafts))
    asked = RawText("where does Amara live?")
    assert [one.text for one in tacit.profile(access())] == ["We moved to Bristol last week"]
    tacit.personalize.rate(access(), new, Rating.WRONG)
    assert [(h.memory.id, h.until) for h in tacit.recall(access(), asked)] == [
        (old, None),
        (new, None),
    ]
    assert [one.text for one in tacit.profile(access())] == ["I live in Leeds."[:-1]]
    assert tacit.personalize.show(access()).doubted == [new]
    token = (found := tacit.recall.best(access(), asked, 10, Narrow())).token(found.hits)
    tacit.personalize.rate(access(), new, Rating.USEFUL, token)
    assert tacit.recall(access(), asked)[0].memory.id == new


def test_without_its_own_consent_nothing_is_learnt_and_nothing_learnt_is_used(
    tacit: Tacit,
) -> None:
    ids = _ready(tacit, tuning=False)
    plain = _scores(tacit)
    assert _found(tacit).token(_found(tacit).hits) == ""
    for rating in (Rating.USEFUL, Rating.NOT_USEFUL):
        with pytest.raises(ConsentError, match="purposes/tuning"):
            tacit.personalize.rate(access(), ids[0], rating, "x")
    with pytest.raises(ConsentError, match="purposes/tuning"):
        tacit.personalize.show(access())
    grant(tacit, purpose=TUNING)
    _rate_all(tacit)
    assert _scores(tacit) != plain
    tacit.consents.withdraw(caller(), ALICE, TUNING, None)
    assert _scores(tacit) == plain
    own = replace(caller(), person=ALICE)
    assert len(tacit.personalize.show(access(by=own)).feedback.ratings) == 3
    grant(tacit, purpose=TUNING)
    assert _scores(tacit) != plain


def test_withdrawing_erases_what_was_learnt_if_asked_and_no_doubt(tacit: Tacit) -> None:
    ids = _ready(tacit)
    _rate_all(tacit)
    found = _found(tacit)
    tacit.personalize.rate(access(), ids[5], Rating.WRONG, found.token(found.hits))
    done = tacit.consents.withdraw(caller(), ALICE, TUNING, None, erase=True)
    assert done.erased == 4
    grant(tacit, purpose=TUNING)
    feedback = _feedback(tacit)
    assert [(one.record, one.steps) for one in feedback.ratings] == [(ids[5], ())]
    assert feedback.weights == WEIGHTS
    assert tacit.consents.withdraw(caller(), ALICE, TUNING, None, erase=True).erased == 0


def test_a_rating_needs_a_token_of_a_recall_that_showed_the_memory(folder: Path) -> None:
    clock = MovableClock()
    with open_tacit(Config(data=folder), clock=clock) as tacit:
        ids = _ready(tacit)
        found = _found(tacit)
        token = found.token(found.hits[:2])
        shown, unshown = found.hits[0].memory.id, found.hits[2].memory.id
        rate = tacit.personalize.rate
        for bad in ("", "x", "é", token[:-4], token[:-4] + "AAAA", "A" * 100_000):
            with pytest.raises(InvalidArgumentError, match="recall_token"):
                rate(access(), shown, Rating.USEFUL, bad)
        with pytest.raises(InvalidArgumentError, match="did not show"):
            rate(access(), unshown, Rating.USEFUL, token)
        assert rate(access(), shown, Rating.WRONG, "") is False
        assert rate(access(), shown, Rating.USEFUL, token) is True
        context = tacit.build_context(access(), QUERY, 200)
        assert context.cited
        assert rate(access(), context.cited[0], Rating.NOT_USEFUL, context.recall_token)
        clock.advance(LIFETIME + timedelta(seconds=1))
        with pytest.raises(InvalidArgumentError, match="seven days"):
            rate(access(), ids[0], Rating.USEFUL, token)


def test_the_gate_is_that_of_a_read_and_each_rating_is_in_the_ledger(tacit: Tacit) -> None:
    ids = _ready(tacit)
    grant(tacit, purpose=CARE)
    (care,) = tacit.remember(access(purpose=CARE), [draft("Dr. Lindqvist said to rest")])
    tacit.personalize.rate(access(), ids[0], Rating.WRONG)
    assert (_events(tacit)[0].action, _events(tacit)[0].memories) == (AccessAction.RATE, 1)
    tacit.personalize.rate(access(), care.memory.id, Rating.WRONG)
    tacit.consents.withdraw(caller(), ALICE, CARE, None)
    with pytest.raises(NotFoundError):
        tacit.personalize.rate(access(), care.memory.id, Rating.WRONG)
    assert tacit.personalize.show(access()).doubted == [ids[0]]
    tacit.personalize.reset(caller(), ALICE)
    assert (_events(tacit)[0].action, _events(tacit)[0].memories) == (AccessAction.RATE, 2)
    with pytest.raises(ConsentError):
        tacit.personalize.rate(access(purpose=CARE), ids[0], Rating.WRONG)
    wait_until(lambda: _events(tacit)[0].denied)
    assert _events(tacit)[0].action is AccessAction.RATE


def test_restricted_ratings_are_the_persons_alone_and_held_ones_stay(tacit: Tacit) -> None:
    ids = _ready(tacit)
    own = replace(caller(), person=ALICE)
    tacit.restrict(caller(), ALICE)
    with pytest.raises(RestrictedError):
        tacit.personalize.rate(access(), ids[0], Rating.WRONG)
    with pytest.raises(RestrictedError):
        tacit.personalize.show(access())
    tacit.personalize.rate(access(by=own), ids[0], Rating.WRONG)
    tacit.restrict.hold(caller(), ALICE, datetime.now(UTC) + timedelta(days=1), "case-1")
    with pytest.raises(LegalHoldError):
        tacit.personalize.reset(own, ALICE)
    tacit.restrict.release(caller(), ALICE)
    assert tacit.personalize.reset(own, ALICE) == 1


def test_a_new_key_keeps_ratings_and_lets_go_those_of_what_was_erased(tacit: Tacit) -> None:
    _ready(tacit)
    _rate_all(tacit)
    old = _found(tacit)
    token = old.token(old.hits)
    was = _feedback(tacit)
    tacit.rekey(caller(), ALICE, "r1")
    assert _feedback(tacit) == was
    with pytest.raises(InvalidArgumentError, match="recall_token"):
        tacit.personalize.rate(access(), old.hits[0].memory.id, Rating.USEFUL, token)
    gone = was.ratings[0].record
    tacit.erase_memories.one(caller(), ALICE, gone)
    assert not [line for line in _lines(tacit) if line.get("memory") == str(gone)]
    tacit.rekey(caller(), ALICE, "r2")
    assert _feedback(tacit).ratings == was.ratings[1:]


def test_with_the_person_their_ratings_are_forgotten(tacit: Tacit) -> None:
    _ready(tacit)
    _rate_all(tacit)
    subject = _row(tacit).subject
    with tacit.recall.store.read() as uow:
        assert uow.rows_of(subject)["feedback"] == 1
    tacit.forget(caller(), ALICE, at_once=True, wait=30)
    with tacit.recall.store.read() as uow:
        assert not any(uow.rows_of(subject).values())
        assert uow.feedback(subject) is None
    _ready(tacit)
    assert _feedback(tacit) == Feedback()


def _lines(tacit: Tacit) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in archive(tacit).splitlines()]
    return [line for line in lines if line["type"] == "rating"]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Tacit]:
    with open_tacit(Config(data=tmp_path / "elsewhere")) as opened:
        yield opened


def _take_in(tacit: Tacit, data: bytes) -> None:
    incoming = tacit.take_in.begin(caller(), ALICE)
    try:
        incoming.take(data)
        incoming.finish()
    finally:
        incoming.close()


def test_they_go_with_the_archive_and_come_back_exactly(tacit: Tacit, empty: Tacit) -> None:
    ids = _ready(tacit)
    _rate_all(tacit)
    tacit.personalize.rate(access(), ids[5], Rating.WRONG)
    data, lines = archive(tacit), _lines(tacit)
    assert [line["rating"] for line in lines] == ["useful"] * 3 + ["wrong"]
    assert lines[0]["steps"]
    assert lines[3]["steps"] == {}
    for purpose in (access().purpose, TUNING):
        grant(empty, purpose=purpose)
    for _ in range(2):
        _take_in(empty, data)
        assert _lines(empty) == lines
    assert _feedback(empty) == _feedback(tacit)
    _take_in(tacit, data)
    assert _lines(tacit) == lines


def test_without_consent_here_an_archive_brings_doubts_and_no_weights(
    tacit: Tacit, empty: Tacit
) -> None:
    ids = _ready(tacit)
    _rate_all(tacit)
    tacit.personalize.rate(access(), ids[5], Rating.WRONG)
    grant(empty)
    _take_in(empty, archive(tacit))
    assert [(line["memory"], line["steps"]) for line in _lines(empty)] == [(str(ids[5]), {})]
    assert recall(empty, QUERY.value)[-1] == SAID[5]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rating", "great"),
        ("memory", "0" * 32),
        ("steps", [1]),
        ("steps", {"lexical": True}),
        ("steps", {"lexical": 4.0}),
        ("steps", {"lexical": "much"}),
        ("at", "2999-01-01T00:00:00+00:00"),
        ("more", 1),
    ],
)
def test_a_rating_that_could_not_have_been_given_is_refused(
    tacit: Tacit, empty: Tacit, field: str, value: object
) -> None:
    from tests.integration.test_archive import forged

    _ready(tacit)
    _rate_all(tacit)
    lines = [json.loads(line) for line in archive(tacit).splitlines()]
    next(line for line in lines if line["type"] == "rating")[field] = value
    for purpose in (access().purpose, TUNING):
        grant(empty, purpose=purpose)
    with pytest.raises(ArchiveError):
        _take_in(empty, forged(tacit, lines))
