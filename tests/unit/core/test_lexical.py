"""Terms and BM25."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from memory.core.lexical import MAX_TERMS, bm25, terms

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
    scores = bm25(query, documents)
    assert scores.shape == (len(documents),)
    for score, document in zip(scores, documents, strict=True):
        assert (score > 0) == bool(set(query) & set(document))


def test_the_rarer_word_counts_more() -> None:
    documents = [("common", "rare"), ("common",), ("common",)]
    assert bm25(["rare"], documents)[0] > bm25(["common"], documents)[0]
    np.testing.assert_array_equal(bm25([], documents), 0)
