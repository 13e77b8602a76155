"""The name model's place: its recognizer, its budget, and the shipped model itself."""

from __future__ import annotations

import pytest

from memory.adapters.detection.analyzer import PresidioDetector
from memory.adapters.detection.catalogue import Catalogue
from memory.adapters.detection.model_budget import MAX_TOKENS, readable
from memory.adapters.detection.ner_recognizer import NerRecognizer
from memory.adapters.detection.shipped import shipped_model
from memory.core.policy import STRICT
from memory.core.values import RawText


class Gazetteer:
    """A name model that knows a handful of names by heart."""

    NAMES = (("Ana Lima", "PERSON"), ("EMP-36007", "PERSON"), ("DOB", "LOCATION"),
             ("Israeli", "LOCATION"))  # fmt: skip

    def find(self, text: str) -> list[tuple[int, int, str, float]]:
        return [
            (text.index(name), text.index(name) + len(name), label, 0.9)
            for name, label in self.NAMES
            if name in text
        ]


def found(text: str) -> list[tuple[str, str]]:
    detector = PresidioDetector(Catalogue(Gazetteer()), STRICT)
    return [(s.entity_type, text[s.start : s.end]) for s in detector.detect(RawText(text))]


def test_a_pattern_that_fits_gives_the_type() -> None:
    assert found("Ana Lima has EMP-36007") == [("PERSON", "Ana Lima"), ("ID_NUMBER", "EMP-36007")]


def test_a_field_of_a_form_is_no_name() -> None:
    assert found("DOB unknown") == []


def test_where_someone_is_from_is_no_place() -> None:
    assert found("an Israeli doctor") == [("NRP", "Israeli")]


def test_a_label_counts_from_its_threshold_on() -> None:
    strict = NerRecognizer(Gazetteer(), {"PERSON": 0.95})
    assert strict.analyze("Ana Lima", ["PERSON"]) == []


def test_prose_is_read_whole() -> None:
    prose = ("The quick brown fox told my neighbour about the long journey to the sea. " * 140)[
        :10_000
    ]
    assert readable(prose) == prose


@pytest.mark.parametrize("atom", ["1-", "a ", "4111 ", "漢", "a@b.", "Zq Xv ", "\n", "👩‍👩‍👧"])
def test_the_model_never_reads_more_than_its_budget(atom: str) -> None:
    text = (atom * 10_000)[:10_000]
    left = readable(text)
    assert len(left) <= len(text)
    assert len(left.split()) <= MAX_TOKENS
    assert all(a in (b, " ") for a, b in zip(left, text, strict=False))


def test_offsets_hold_in_a_text_over_budget() -> None:
    text = "1-" * 4_000 + " Ana Lima " + "2-" * 900
    assert ("PERSON", "Ana Lima") in found(text)


@pytest.fixture(scope="module")
def shipped() -> PresidioDetector:
    model = shipped_model()
    if model is None:
        pytest.skip("the package was built without its model")
    return PresidioDetector(Catalogue(model), STRICT)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("I had lunch with Wanjiru Kamau yesterday", "Wanjiru Kamau"),
        ("i had lunch with priyanka yesterday", "priyanka"),
        ("TELL JOAQUÍN THAT I AM LATE", "JOAQUÍN"),
        ("Agnieszka's brother fixed it", "Agnieszka"),
    ],
)
def test_the_shipped_model_finds_names_in_any_case(
    shipped: PresidioDetector, text: str, name: str
) -> None:
    people = [text[s.start : s.end] for s in shipped.detect(RawText(text))]
    assert name in people


@pytest.mark.parametrize(
    "text", ["will you mark the date in may", "what a lovely rose", "how do I reset my router?"]
)
def test_words_that_are_also_names_are_left_alone(shipped: PresidioDetector, text: str) -> None:
    assert shipped.detect(RawText(text)) == []
