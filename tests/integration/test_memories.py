"""From a text to a memory and back, with nothing between that a user would not have."""

from __future__ import annotations

import pytest

from memory.app.narrow import Narrow
from memory.bootstrap import Tacit
from memory.core.values import MemoryKind, RawText, RecordId
from memory.errors import (
    ConsentError,
    InvalidArgumentError,
    NotFoundError,
    RequestIdReusedError,
    UnknownPurposeError,
    VersionConflictError,
)
from tests.integration.conftest import (
    CARE,
    REVEAL,
    access,
    caller,
    draft,
    grant,
    recall,
    store,
    wait_indexed,
)


def test_a_memory_is_recalled_by_its_meaning_before_and_after_it_is_indexed(tacit: Tacit) -> None:
    grant(tacit)
    store(tacit, "I go hiking in the mountains every weekend", "The invoice is overdue")
    assert recall(tacit, "outdoor hobbies", limit=1) == [
        "I go hiking in the mountains every weekend"
    ]
    wait_indexed(tacit)
    assert recall(tacit, "outdoor hobbies", limit=1) == [
        "I go hiking in the mountains every weekend"
    ]


def test_without_consent_nothing_is_stored_or_recalled(tacit: Tacit) -> None:
    with pytest.raises(ConsentError):
        store(tacit, "anything")
    with pytest.raises(ConsentError):
        recall(tacit, "anything")
    grant(tacit, purpose=CARE)
    with pytest.raises(ConsentError):
        store(tacit, "anything")
    assert tacit.status().memories == 0


def test_consent_for_one_assistant_lets_no_other_in(tacit: Tacit) -> None:
    grant(tacit)
    store(tacit, "for the bot only")
    other = access(by=caller(assistant="other"))
    with pytest.raises(ConsentError):
        tacit.recall(other, RawText("bot"))


def test_a_withdrawn_consent_stops_the_next_recall(tacit: Tacit) -> None:
    grant(tacit)
    store(tacit, "something")
    tacit.consents.withdraw(caller(), access().person, access().purpose, None)
    with pytest.raises(ConsentError):
        recall(tacit, "something")
    grant(tacit)
    assert recall(tacit, "something") == ["something"]


def test_a_memory_of_one_purpose_is_not_seen_under_another_without_consent_for_both(
    tacit: Tacit,
) -> None:
    grant(tacit)
    (name,) = store(tacit, "told for assistance")
    tacit.consents.withdraw(caller(), access().person, access().purpose, None)
    grant(tacit, purpose=CARE)
    care = access(purpose=CARE)
    assert tacit.recall(care, RawText("told")) == []
    with pytest.raises(NotFoundError):
        tacit.rectify.get(care, RecordId.parse(name))
    grant(tacit)
    assert len(tacit.recall(care, RawText("told"))) == 1


def test_an_unknown_purpose_is_an_error_of_its_own(tacit: Tacit) -> None:
    grant(tacit)
    with pytest.raises(UnknownPurposeError):
        tacit.remember(access(purpose=type(CARE)("marketing")), [draft("x")])


def test_a_repeated_request_id_stores_once(tacit: Tacit) -> None:
    grant(tacit)
    first = tacit.remember(access(), [draft("once", request_id="r1")])[0]
    again = tacit.remember(access(), [draft("once", request_id="r1"), draft("new")])
    assert again[0].memory == first.memory
    assert [a.repeated for a in again] == [True, False]
    assert tacit.status().memories == 2


def test_a_request_id_whose_memory_was_deleted_is_refused(tacit: Tacit) -> None:
    grant(tacit)
    (stored,) = tacit.remember(access(), [draft("once", request_id="r1")])
    tacit.erase_memories.one(caller(), access().person, stored.memory.id)
    with pytest.raises(RequestIdReusedError):
        tacit.remember(access(), [draft("once", request_id="r1")])
    assert tacit.status().memories == 0


def test_a_request_id_twice_in_a_batch_stores_nothing(tacit: Tacit) -> None:
    grant(tacit)
    with pytest.raises(InvalidArgumentError):
        tacit.remember(access(), [draft("a", request_id="r"), draft("b", request_id="r")])
    assert tacit.status().memories == 0


def test_names_become_the_same_pseudonym_every_time(tacit: Tacit) -> None:
    grant(tacit)
    for text in ("my sister Priya moved to a new flat", "I called my sister Priya yesterday"):
        tacit.remember(access(), [draft(text, speaker=RawText("Tomasz"))])
    store(tacit, "the weather is fine")
    hits = tacit.recall(access(), RawText("what does PRIYA do?"))[:2]
    texts = [hit.memory.content.text.value for hit in hits]
    assert "Priya" not in " ".join(texts)
    assert all("person_2" in text for text in texts)
    assert {str(h.memory.content.speaker and h.memory.content.speaker.value) for h in hits} == {
        "person_1"
    }
    assert all(dict(hit.parts)["entity"] > 0 for hit in hits)


def test_real_names_are_revealed_only_under_their_own_consent(tacit: Tacit) -> None:
    grant(tacit)
    tacit.remember(access(), [draft("my sister Priya is 30", speaker=RawText("Tomasz"))])
    memories = [hit.memory for hit in tacit.recall(access(), RawText("sister"))]
    with pytest.raises(ConsentError):
        tacit.reveal(access(), memories)
    grant(tacit, purpose=REVEAL)
    (revealed,) = tacit.reveal(access(), memories)
    assert revealed.words is not None
    assert revealed.words.text.value == "my sister Priya is 30"
    assert revealed.words.speaker is not None
    assert revealed.words.speaker.value == "Tomasz"


def test_a_correction_is_found_and_the_old_text_is_not(tacit: Tacit) -> None:
    grant(tacit)
    (name,) = store(tacit, "I live near the harbour")
    wait_indexed(tacit)
    record = RecordId.parse(name)
    updated = tacit.rectify.update(
        access(), record, lambda now: draft(now.text.value.replace("harbour", "forest")), version=1
    )
    assert updated.version == 2
    assert updated.content.text.value == "I live near the forest"
    assert recall(tacit, "harbour") == ["I live near the forest"]
    wait_indexed(tacit)
    assert recall(tacit, "forest") == ["I live near the forest"]
    with pytest.raises(VersionConflictError):
        tacit.rectify.update(access(), record, lambda now: now, version=1)


def test_a_deleted_memory_is_gone(tacit: Tacit) -> None:
    grant(tacit)
    keep, gone = store(tacit, "keep this", "delete this")
    wait_indexed(tacit)
    tacit.erase_memories.one(caller(), access().person, RecordId.parse(gone))
    assert recall(tacit, "delete this") == ["keep this"]
    with pytest.raises(NotFoundError):
        tacit.rectify.get(access(), RecordId.parse(gone))
    with pytest.raises(NotFoundError):
        tacit.erase_memories.one(caller(), access().person, RecordId.parse(gone))
    assert str(tacit.rectify.get(access(), RecordId.parse(keep)).id) == keep


def test_a_foreign_memory_and_a_missing_one_read_alike(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, "bob")
    (name,) = store(tacit, "alice's own", person="alice")
    said = set()
    for record in (RecordId.parse(name), RecordId(b"\0" * 16)):
        with pytest.raises(NotFoundError) as caught:
            tacit.rectify.get(access("bob"), record)
        said.add(str(caught.value))
    assert len(said) == 1


def test_two_people_and_two_tenants_never_meet(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, "bob")
    store(tacit, "the blue notebook", person="alice")
    assert recall(tacit, "the blue notebook", person="bob") == []
    elsewhere = caller(tenant="other")
    tacit.consents.grant(elsewhere, access().person, access().purpose, None)
    assert tacit.recall(access(by=elsewhere), RawText("the blue notebook")) == []


def test_pages_hold_everything_once_in_order(tacit: Tacit) -> None:
    grant(tacit)
    texts = [f"note number {n}" for n in range(25)]
    store(tacit, *texts)
    seen: list[str] = []
    after: int | None = -1
    while after is not None:
        page, after = tacit.rectify.page(access(), Narrow(), after, 10)
        seen += [m.content.text.value for m in page]
    assert seen == texts


def test_filters_narrow_recall_even_when_few_fit(tacit: Tacit) -> None:
    grant(tacit)
    store(tacit, *(f"about the garden {n}" for n in range(150)))
    tacit.remember(access(), [draft("the car needs oil", kind=MemoryKind.FACT, session="workshop")])
    wait_indexed(tacit)
    for narrow in (
        Narrow(kinds=frozenset({MemoryKind.FACT})),
        Narrow(sessions=frozenset({"workshop"})),
    ):
        hits = tacit.recall(access(), RawText("about the garden"), narrow=narrow)
        assert [h.memory.content.text.value for h in hits] == ["the car needs oil"]


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_absurd_limits_are_refused(tacit: Tacit, limit: int) -> None:
    grant(tacit)
    with pytest.raises(InvalidArgumentError):
        tacit.recall(access(), RawText("x"), limit)
