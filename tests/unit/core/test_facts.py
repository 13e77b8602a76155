"""Claims are found by the rules that the docs list, of whom they tell, and with their sign."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.facts import (
    CHANGES,
    HINTS,
    MAX_CLAIMS,
    MAX_VALUE_TERMS,
    SAYS,
    Claim,
    claims,
    find,
)
from memory.core.facts_rules import ENDINGS, ONE_VALUE, PREFERENCES, RULES
from memory.core.facts_stated import stated
from memory.core.lexical import terms
from memory.core.values import MemoryKind, RawText, Span

DOCS = (Path(__file__).parents[3] / "docs" / "facts.md").read_text(encoding="utf-8")
ROWS = [
    (name, second.strip(), example)
    for name, second, example in re.findall(
        r"^\| `([\w-]+)` \|([^|]*)\| (.+) \|$", DOCS, re.MULTILINE
    )
]
WORDS = st.sampled_from(
    "i my not no longer live in Leeds like olives any more , . quit moved to from changed is are "
    "on sister person_1 now at four ? and but used work for the".split()
)


def _facts(text: str, speaker: str = "") -> list[Claim]:
    return [claim for claim in claims(text, speaker) if claim.is_fact]


@pytest.mark.parametrize(("name", "second", "example"), ROWS)
def test_each_example_of_the_docs_is_found_by_its_rule(
    name: str, second: str, example: str
) -> None:
    slots = [claim.slot for claim in claims(example)]
    if name in ENDINGS:
        assert f"ends:{name}" in slots
    else:
        assert name in {slot.partition(":")[0] for slot in slots}
        assert (name in ONE_VALUE) is second.startswith("yes")


def test_the_docs_list_every_rule() -> None:
    assert {name for name, _, _ in ROWS} == {rule.slot for rule in RULES} | set(ENDINGS)
    assert {rule.slot for rule in RULES} >= ONE_VALUE | PREFERENCES


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("I live in Leeds.", "person_9"),
        ("My little sister lives in Leeds.", "person_9/sister"),
        ("person_3 lives in Leeds.", "person_3"),
        ("person_3 and I live in Leeds.", "person_9"),
        ("She lives in Leeds.", None),
        ("Do you know whether I live in Leeds?", None),
        ("If I lived here, I would live in Leeds.", None),
    ],
)
def test_a_clause_tells_of_its_first_subject(text: str, subject: str | None) -> None:
    homes = [claim for claim in _facts(text, "person_9") if claim.slot == "home"]
    assert [claim.subject for claim in homes] == ([] if subject is None else [subject])


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("I like olives.", True),
        ("I don't like olives.", False),
        ("I can't stand olives.", False),
        ("I used to like olives.", False),
        ("I no longer like olives.", False),
        ("I like olives no more than I like olives.", True),
        ("I not only like olives.", True),
        ("I like olives any more than you.", True),
        ("I don’t like olives any more.", False),
    ],
)
def test_a_claim_holds_unless_it_is_denied(text: str, holds: bool) -> None:
    assert [(c.slot, c.holds) for c in _facts(text)][:1] == [("likes", holds)]


@pytest.mark.parametrize(
    ("newer", "older", "replaces"),
    [
        ("I live in Porto.", "I live in Leeds.", True),
        ("I live in Leeds near the park.", "I live in Leeds.", False),
        ("My lesson is on Monday at six.", "My lesson is on Monday at five.", True),
        ("My new manager is Pierre.", "My boss is Helga.", True),
        ("My sister lives in Porto.", "I live in Leeds.", False),
        ("I play the harp.", "I play the violin.", False),
        ("I stopped playing the violin.", "I play the violin.", True),
        ("I stopped playing the violin.", "I have a violin from Cremona.", False),
        ("I broke up with Jo.", "I live with Jo.", False),
        ("I sold the Volvo.", "I drive an old Volvo.", True),
        ("I changed my mind about olives.", "I don't like olives.", True),
    ],
)
def test_a_claim_replaces_what_it_contradicts(newer: str, older: str, replaces: bool) -> None:
    pairs = [(new, old) for new in claims(newer) for old in _facts(older)]
    assert any(new.replaces(old) for new, old in pairs) is replaces
    assert not any(old.replaces(new) for new, old in pairs if new.ending)


def test_what_is_corrected_goes_on_with_what_was_denied() -> None:
    made = _facts("I'm not allergic to nuts after all, it was milk.")
    assert [(c.slot, c.value, c.holds) for c in made] == [
        ("allergic", ("nut",), False),
        ("allergic", ("milk",), True),
    ]


def test_a_sentence_that_something_changed_says_what_it_is_about() -> None:
    slots = {c.slot for c in claims("We've swapped the houseboat for a farmhouse.")}
    assert CHANGES in slots
    assert HINTS in {c.slot for c in claims("I cycle to work now.")}
    assert {c.slot for c in claims("I cycle along the river.")} == {SAYS, "does"}


@given(text=st.lists(WORDS, max_size=60).map(" ".join) | st.text(), speaker=st.just("person_1"))
def test_claims_are_bounded_repeatable_and_made_of_the_text(text: str, speaker: str) -> None:
    made = claims(text, speaker)
    assert made == claims(text, speaker)
    assert len(made) <= MAX_CLAIMS
    words = set(terms(text.replace("’", "'")))
    for claim in made:
        assert len(claim.value) <= MAX_VALUE_TERMS
        assert set(claim.value) <= words
    for found in find(text):
        assert 0 <= found.start < found.end <= len(text)


def test_a_clause_is_stated_in_the_words_of_the_person_with_what_is_hidden_in_it() -> None:
    text = "Hi Bo, it's me. I live with Tobias Lindqvist in Ulm, and I love rhubarb!"
    names = ["Bo", "Tobias Lindqvist"]
    spans = [Span(text.index(n), text.index(n) + len(n), "PERSON") for n in names]
    home, taste = stated(RawText(text), spans)
    assert home.text.value == "I live with Tobias Lindqvist in Ulm"
    (inside,) = home.spans
    assert home.text.value[inside.start : inside.end] == "Tobias Lindqvist"
    assert (home.kind, taste.kind) == (MemoryKind.FACT, MemoryKind.PREFERENCE)
    assert (taste.text.value, taste.spans) == ("I love rhubarb", ())
