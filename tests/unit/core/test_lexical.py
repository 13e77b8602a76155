"""Terms and BM25."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from memory.core.lexical import MAX_TERMS, asks, postings, terms

DOCUMENTS = st.lists(st.lists(st.sampled_from("abcde"), max_size=8).map(tuple), max_size=10)


def test_forms_of_a_word_are_one_term() -> None:
    assert terms("Hiking, hikes and hiked!") == ("hik", "hik", "hik")
    assert terms("the cities of a city") == ("city", "city")


def test_other_scripts_keep_their_words_and_long_texts_are_bounded() -> None:
    assert terms("горы и море") == ("горы", "и", "море")
    assert len(terms("word " * 2000)) == MAX_TERMS


@given(documents=DOCUMENTS, query=st.lists(st.sampled_from("abcdef")))
def test_a_document_without_the_words_scores_zero_and_none_scores_less(
    documents: list[tuple[str, ...]], query: list[str]
) -> None:
    scores = postings(documents).bm25(query)
    assert scores.shape == (len(documents),)
    for score, document in zip(scores, documents, strict=True):
        assert (score > 0) == bool(set(query) & set(document))


def test_the_rarer_word_counts_more() -> None:
    documents = [("common", "rare"), ("common",), ("common",)]
    made = postings(documents)
    assert made.bm25(["rare"])[0] > made.bm25(["common"])[0]
    np.testing.assert_array_equal(made.bm25([]), 0)


def test_a_word_said_twice_counts_more_and_a_longer_text_less() -> None:
    scores = postings([("a", "a", "b"), ("a", "b", "b"), ("a", *"bcdefgh")]).bm25(["a"])
    assert scores[0] > scores[1] > scores[2]


def test_a_name_counts_for_how_few_share_it() -> None:
    told = postings([{"anna", "bo"}, {"anna"}, {"anna"}]).told(frozenset({"anna", "bo", "cy"}))
    assert told[0] > told[1] == told[2] == 0


def test_a_question_may_be_followed_by_a_few_words() -> None:
    assert asks("How was it? Tell me!")
    assert asks("元気ですか？")
    assert not asks("It was fine.")
    assert not asks("Why? " + "Because it was there, and so were we. " * 3)
