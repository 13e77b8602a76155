"""The shipped NER model: what it finds, and that nothing it is given makes it fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import memory
from memory.adapters.ner_lexicon import GIVEN, PLACE
from memory.adapters.ner_model import (
    COMPANY,
    ORDINARY,
    Judged,
    NerModel,
    decide,
    read_settings,
    window_starts,
)

FOLDER = Path(memory.__file__).parent / "models" / "ner"
MODEL = NerModel(FOLDER)
SETTINGS = read_settings(FOLDER / "ner.json")


def found(text: str, label: str) -> list[str]:
    return [text[start:end] for start, end, kind, _ in MODEL.find(text) if kind == label]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My name is Katarzyna Wójcik.", "Katarzyna Wójcik"),
        ("my name is katarzyna wojcik", "katarzyna wojcik"),
        ("please call oluwaseun tomorrow", "oluwaseun"),
        ("MEET PRIYA RAMANATHAN AT NOON", "PRIYA RAMANATHAN"),
        ('{"name": "Mehmet Yıldırım", "age": 4}', "Mehmet Yıldırım"),
        ("Dear Mr Haugen, thanks for the call", "Haugen"),
    ],
)
def test_a_name_is_found_however_it_is_written(text: str, name: str) -> None:
    assert name in " | ".join(found(text, "PERSON"))


@pytest.mark.parametrize(
    "text",
    [
        "what is the weather tomorrow",
        "May I ask you something?",
        "i will mark it as done",
        "Set a timer for ten minutes",
        "",
        " \n ",
    ],
)
def test_a_text_without_names_gives_none(text: str) -> None:
    assert found(text, "PERSON") == []


def test_places_and_organisations_are_told_from_people() -> None:
    text = "Ingrid moved from Lisbon to Norway to work for Siemens"
    assert found(text, "PERSON") == ["Ingrid"]
    assert found(text, "LOCATION") == ["Lisbon", "Norway"]
    assert found(text, "ORGANIZATION") == ["Siemens"]


def test_a_name_is_found_anywhere_in_a_long_text() -> None:
    filler = "the weather was fine and we had a long walk by the sea. " * 40
    text = f"{filler}Then Zanele Dlamini came. {filler}"
    assert "Zanele Dlamini" in found(text, "PERSON")


def test_the_same_text_gives_the_same_result_beside_any_other() -> None:
    text = "tell Ingrid that Tomasz called"
    before = MODEL.find(text)
    MODEL.find("Ahmed " * 500)
    assert MODEL.find(text) == before


def test_windows_shared_between_threads_give_what_one_thread_gives() -> None:
    text = " ".join(f"Visit number {n} was by Zanele and Tomasz in Oslo." for n in range(60))
    assert NerModel(FOLDER, threads=1).find(text) == NerModel(FOLDER, threads=4).find(text)


def label_of(text: str, *scores: float, known: int = GIVEN) -> str:
    """The label of the only word of a text, given the probabilities of all labels."""
    start = len(text) - len(text.lstrip("@"))
    word = Judged([(start, len(text))], np.array([known]), np.array([scores], np.float32))
    spans = decide(text, word, SETTINGS)
    return spans[0][2] if spans else "none"


def test_in_doubt_between_a_person_and_a_place_it_is_the_person() -> None:
    assert label_of("Bethany", 0.05, 0.45, 0.45, 0.05) == "PERSON"
    assert label_of("Bethany", 0.0, 0.42, 0.58, 0.0) == "PERSON"
    assert label_of("Bethany", 0.0, 0.2, 0.8, 0.0) == "LOCATION"


def test_a_word_in_no_list_of_names_is_a_persons_only_if_the_model_is_surer() -> None:
    assert label_of("Bethany", 0.35, 0.65, 0.0, 0.0) == "PERSON"
    assert label_of("Mulching", 0.4, 0.6, 0.0, 0.0, known=0) == "none"
    assert label_of("Qwandre", 0.2, 0.75, 0.03, 0.02, known=0) == "PERSON"


def test_an_ordinary_word_is_a_persons_only_if_that_is_all_but_certain() -> None:
    assert label_of("Cumin", 0.05, 0.95, 0.0, 0.0, known=ORDINARY) == "none"
    assert label_of("Cumin", 0.01, 0.99, 0.0, 0.0, known=ORDINARY) == "PERSON"
    assert label_of("Cumin", 0.5, 0.1, 0.0, 0.4, known=ORDINARY) == "ORGANIZATION"
    assert found("we cooked lentils with cumin", "PERSON") == []


def test_an_organisation_that_nobody_is_called_after_is_no_person() -> None:
    assert label_of("Netflix", 0.05, 0.9, 0.0, 0.05, known=COMPANY) == "ORGANIZATION"
    assert label_of("Netflix", 0.3, 0.7, 0.0, 0.0, known=COMPANY) == "none"
    assert label_of("Netflix", 0.01, 0.99, 0.0, 0.0, known=COMPANY) == "PERSON"
    assert found("we watched it on netflix with Ingrid", "PERSON") == ["Ingrid"]


def test_a_word_only_known_as_a_place_is_one_in_doubt() -> None:
    assert label_of("Utrecht", 0.0, 0.7, 0.3, 0.0, known=PLACE) == "LOCATION"
    assert label_of("Utrecht", 0.02, 0.95, 0.03, 0.0, known=PLACE) == "PERSON"


def test_an_accented_word_is_a_persons_sooner() -> None:
    assert found("yesterday thaís and i finally finished the puzzle", "PERSON") == ["thaís"]
    assert found("THE PRESENT FOR INÊS STILL HAS TO BE WRAPPED", "PERSON") == ["INÊS"]
    assert found("we met at the café, déjà vu", "PERSON") == []


def test_a_handle_is_a_persons_unless_something_else_is_far_likelier() -> None:
    assert label_of("@bethany", 0.1, 0.3, 0.0, 0.6) == "PERSON"
    assert label_of("@bethany", 0.1, 0.05, 0.0, 0.85) == "ORGANIZATION"


def test_the_parts_of_a_newsgroups_name_are_no_names() -> None:
    assert found("Newsgroups: alt.fan.austin, rec.pets.jackson.felix", "PERSON") == []


@pytest.mark.parametrize("length", [1, 10, 126, 127, 128, 400, 1000])
def test_windows_cover_every_token(length: int) -> None:
    size = min(126, length)
    starts = window_starts(length, size, 24)
    assert set(range(length)) == {at + i for at in starts for i in range(size)}
    assert starts[-1] + size == length


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_unicode_gives_ordered_spans_inside_the_text(text: str) -> None:
    at = 0
    for start, end, label, score in MODEL.find(text):
        assert at <= start < end <= len(text)
        assert label in {"PERSON", "LOCATION", "ORGANIZATION"}
        assert 0 < score <= 1
        at = end


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f469\u200d\U0001f467 Ана \u202edrawkcab\u202c مرحبا",
        "\u0301\u0301\u0301",
        "\x00\x01\ufffe\U0010ffff",
        "a\u0300" * 300,
        "﷽" * 50,
        "!" * 3000,
        "@" * 10,
        "\ud800",
    ],
)
def test_strange_text_is_no_error(text: str) -> None:
    MODEL.find(text)
