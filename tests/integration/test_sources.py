"""A derived memory says what it was made of, and goes when one of these goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memory.bootstrap import Tacit
from memory.core.draft import MAX_SOURCES
from memory.core.values import MemoryKind, RawText, RecordId
from memory.errors import InvalidArgumentError, NotFoundError
from tests.integration.conftest import CARE, access, caller, draft, grant, recall, store


def _derive(tacit: Tacit, text: str, *sources: str) -> str:
    made = draft(
        text, kind=MemoryKind.SUMMARY, sources=tuple(RecordId.parse(source) for source in sources)
    )
    (stored,) = tacit.remember(access(), [made])
    return str(stored.memory.id)


def _delete(tacit: Tacit, record: str) -> int:
    return tacit.erase_memories.one(caller(), access().person, RecordId.parse(record)).memories


def test_what_was_derived_goes_with_any_of_its_sources_to_any_depth(tacit: Tacit) -> None:
    grant(tacit)
    first, second, other = store(tacit, "I run.", "I swim.", "I read.")
    sporty = _derive(tacit, "Does sports.", first, second)
    _derive(tacit, "Is fit.", sporty)
    kept = _derive(tacit, "Is a reader.", other)
    assert tacit.rectify.get(access(), RecordId.parse(sporty)).content.sources == (
        RecordId.parse(first),
        RecordId.parse(second),
    )
    assert _delete(tacit, second) == 3
    assert set(recall(tacit, "what")) == {"I run.", "I read.", "Is a reader."}
    assert _delete(tacit, kept) == 1
    assert _delete(tacit, other) == 1


def test_a_correction_keeps_the_sources(tacit: Tacit) -> None:
    grant(tacit)
    (first,) = store(tacit, "I run.")
    sporty = RecordId.parse(_derive(tacit, "Does sport.", first))
    tacit.rectify.update(access(), sporty, lambda d: replace(d, text=RawText("Does sports.")))
    assert tacit.rectify.get(access(), sporty).content.sources == (RecordId.parse(first),)
    assert _delete(tacit, first) == 2
    with pytest.raises(NotFoundError):
        tacit.rectify.get(access(), sporty)


def test_sources_must_be_memories_that_the_caller_may_read(tacit: Tacit) -> None:
    for purpose in (access().purpose, CARE):
        grant(tacit, purpose=purpose)
    grant(tacit, "bob")
    (hidden,) = (str(a.memory.id) for a in tacit.remember(access(purpose=CARE), [draft("ill")]))
    (foreign,) = store(tacit, "I am Bob.", person="bob")
    tacit.consents.withdraw(caller(), access().person, CARE, None)
    for source in (hidden, foreign, "0" * 32):
        with pytest.raises(InvalidArgumentError) as refused:
            _derive(tacit, "Something.", source)
        assert refused.value.field == "requests[0].memory.sources"
    assert recall(tacit, "what") == []


def test_sources_are_few_and_each_is_named_once() -> None:
    one = RecordId(bytes(16))
    for sources in ((one, one), tuple(RecordId(i.to_bytes(16)) for i in range(MAX_SOURCES + 1))):
        with pytest.raises(InvalidArgumentError, match=r"memory\.sources"):
            draft("x", sources=sources)


def test_who_is_forgotten_takes_the_lineage_along(tacit: Tacit) -> None:
    grant(tacit)
    (first,) = store(tacit, "I run.")
    _derive(tacit, "Does sports.", first)
    tacit.forget(caller(), access().person)
    grant(tacit)
    assert recall(tacit, "what") == []
