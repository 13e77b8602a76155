"""Promises of `core.pseudonyms` and its neighbours, for any text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.adapters.detection.anonymizer import PresidioAnonymizer
from memory.core.embedding_text import EmbedAs, embedding_text
from memory.core.pseudonyms import Entity, Plan, blind, hashes, plan, replace, reveal
from memory.core.query_names import candidate_names, query_mentions
from memory.core.spans import propagate, resolve
from memory.core.surfaces import kind, normalize, partial_forms, words
from memory.core.values import RawText, Secret, Span

KEY = Secret(b"k" * 32)
OTHER_KEY = Secret(b"o" * 32)
ANONYMIZER = PresidioAnonymizer()
TYPES = ("PERSON", "LOCATION", "EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD")
NAMES = (
    "Bob", "Bob Smith", "Mr. Smith", "bob jones", "Alice Smith", "B. Smith", "BOB", "José Núñez",
    "jose nunez's", "Smith, Bob", "Anna Maria Lopez", "Anna", "Lopez", "山田太郎", "Jones",
)  # fmt: skip


@st.composite
def texts_with_spans(draw: st.DrawFn) -> tuple[RawText, list[Span]]:
    """Any text, often with pseudonym-like and awkward pieces, and any spans over it."""
    awkward = st.sampled_from(
        ["person_1", " person_1 ", "e\u0301", "👩‍👩‍👧", "\u202e", "\x00", "  ", "\n", "ﬁ", "Ⅻ", "İ"]
    )
    pieces = draw(st.lists(st.one_of(st.text(max_size=12), awkward), max_size=12))
    text = "".join(pieces)
    spans = []
    for _ in range(draw(st.integers(0, 6)) if text else 0):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        spans.append(Span(start, end, draw(st.sampled_from(TYPES)), draw(st.floats(0, 1))))
    return RawText(text), resolve(text, spans)


def name_all(text: RawText, spans: list[Span], key: Secret = KEY) -> Plan:
    return plan(blind(text, spans, key), {}, {})


@given(texts_with_spans())
def test_replace_then_reveal_is_the_exact_original(case: tuple[RawText, list[Span]]) -> None:
    text, spans = case
    made = ANONYMIZER.replace(text, spans, name_all(text, spans).names)
    assert reveal(made.text, made.mentions).value == text.value
    for mention, span in zip(made.mentions, spans, strict=True):
        assert made.text.value[mention.start : mention.end] == mention.pseudonym
        assert mention.original.value == text.value[span.start : span.end]


@given(texts_with_spans())
def test_presidio_and_the_pure_function_replace_alike(case: tuple[RawText, list[Span]]) -> None:
    text, spans = case
    names = name_all(text, spans).names
    assert ANONYMIZER.replace(text, spans, names) == replace(text, spans, names)


@given(texts_with_spans())
def test_resolved_spans_are_sorted_apart_and_cover_every_find(
    case: tuple[RawText, list[Span]],
) -> None:
    text, spans = case
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert resolve(text.value, spans) == spans


@given(texts_with_spans(), st.sampled_from(EmbedAs))
def test_the_encoder_gets_no_character_of_a_find(
    case: tuple[RawText, list[Span]], style: EmbedAs
) -> None:
    text, spans = case
    hidden = {i for s in spans for i in range(s.start, s.end)}
    kept = "".join(c for i, c in enumerate(text.value) if i not in hidden)
    expected = sorted(kept + "".join(s.entity_type.lower().replace("_", " ") for s in spans))
    letters = [c for c in embedding_text(text, spans, style).value if not c.isspace()]
    for letter in set(letters):
        assert letters.count(letter) <= expected.count(letter)


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4), st.text(max_size=20))
def test_what_was_found_once_stands_nowhere_else_as_a_word(names: list[str], noise: str) -> None:
    text = f" {noise} ".join([*names, *names])
    spans = propagate(text, [Span(0, len(names[0]), "PERSON")])
    left = "".join(
        "\0" if any(s.start <= i < s.end for s in spans) else c for i, c in enumerate(text)
    )
    assert f" {names[0]} " not in left


@given(st.sampled_from(TYPES), st.text(min_size=1, max_size=30))
def test_a_canonical_form_is_never_empty_and_stays_itself(entity_type: str, surface: str) -> None:
    form = normalize(entity_type, surface)
    assert form
    assert normalize(entity_type, form) == form


@given(st.text(alphabet=st.characters(categories=["Lu", "Ll"]), min_size=2, max_size=12))
def test_case_possessive_and_punctuation_do_not_matter(name: str) -> None:
    form = normalize("PERSON", name)
    for other in (f"{name}'s", f"{name}’s", f" {name}, ", f'"{name}"', f"({name})"):
        assert normalize("PERSON", other) == form


@given(st.text(max_size=60))
def test_words_lie_where_they_say(text: str) -> None:
    found = words(text)
    assert all(0 <= w.start < w.end <= len(text) and w.form for w in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


def vault_after(surfaces: list[str], key: Secret = KEY) -> tuple[dict[bytes, Entity], list[str]]:
    """The vault after each surface came in a text of its own, and the names they got."""
    known: dict[bytes, Entity] = {}
    numbers: dict[str, int] = {}
    names: list[str] = []
    for surface in surfaces:
        blinded = blind(RawText(surface), [Span(0, len(surface), "PERSON")], key)
        asked = {h: known[h] for h in hashes(blinded) if h in known}
        made = plan(blinded, asked, numbers)
        assert not set(made.new_aliases) & set(known), "an alias never moves"
        known |= made.new_aliases
        numbers = dict(made.next_numbers)
        names += made.names
    return known, names


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=8), st.sampled_from(NAMES))
def test_a_name_keeps_its_pseudonym_whatever_comes_between(between: list[str], name: str) -> None:
    _, names = vault_after([name, *between, name])
    assert names[0] == names[-1]


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=8))
def test_a_query_finds_what_was_stored(surfaces: list[str]) -> None:
    known, names = vault_after(surfaces)
    for surface, name in zip(surfaces, names, strict=True):
        query = RawText(f"what did {surface.lower()} say?")
        candidates = candidate_names(query, KEY)
        found = query_mentions(candidates, known)
        assert name in [m.entity.pseudonym for m in found]


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=8))
def test_two_people_share_no_hash(surfaces: list[str]) -> None:
    mine, _ = vault_after(surfaces, KEY)
    theirs, _ = vault_after(surfaces, OTHER_KEY)
    assert not set(mine) & set(theirs)


@pytest.mark.parametrize(
    ("surfaces", "expected"),
    [
        (["Bob Smith", "Bob", "smith", "Mr. Smith", "BOB SMITH's", "B. Smith"], [1] * 6),
        (["Bob", "Bob Smith", "Smith"], [1, 1, 1]),
        (["Bob Smith", "Bob Jones", "Bob", "Jones"], [1, 2, 1, 2]),
        (["Alice Smith", "Bob Smith", "Smith", "Bob"], [1, 2, 1, 2]),
        (["Smith, Bob", "Dr. Bob Smith Jr."], [1, 1]),
        (["José Núñez", "jose nunez"], [1, 1]),
        (["Jean-Luc", "Jean Luc"], [1, 1]),
        (["山田太郎", "山田太郎さん"], [1, 2]),
        (["Ana", "Anna"], [1, 2]),
    ],
)
def test_who_a_name_means(surfaces: list[str], expected: list[int]) -> None:
    assert vault_after(surfaces)[1] == [f"person_{number}" for number in expected]


def test_partial_forms_are_the_ways_people_shorten_names() -> None:
    assert partial_forms("maria de la cruz") == (
        "maria de la", "de la cruz", "maria cruz", "m cruz", "maria", "cruz",
    )  # fmt: skip
    assert partial_forms("bob") == ()


def test_telephone_numbers_match_with_and_without_country_code() -> None:
    assert normalize("PHONE_NUMBER", "+44 20 7946 0958") == normalize(
        "PHONE_NUMBER", "(020) 7946-0958"
    )


def test_what_is_spelled_out_is_what_it_spells() -> None:
    assert (
        normalize("EMAIL_ADDRESS", "Jane dot Doe (at) example [dot] com") == "jane.doe@example.com"
    )
    assert normalize("PHONE_NUMBER", "five five five, oh one two three") == "5550123"


def test_different_kinds_never_match() -> None:
    text = RawText("Jordan Jordan")
    made = name_all(text, [Span(0, 6, "PERSON"), Span(7, 13, "LOCATION")])
    assert made.names == ("person_1", "location_1")
    assert kind("PERSON") is not kind("LOCATION")


def test_reveal_refuses_the_mentions_of_another_text() -> None:
    text = RawText("Bob came")
    made = replace(text, [Span(0, 3, "PERSON")], ["person_1"])
    other = replace(RawText("so Bob came"), [Span(3, 6, "PERSON")], ["person_1"])
    with pytest.raises(ValueError, match="another text"):
        reveal(made.text, other.mentions)
