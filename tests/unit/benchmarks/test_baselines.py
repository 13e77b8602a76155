"""Baselines and made texts."""

import numpy as np

from benchmarks.baselines import BM25, Dense
from benchmarks.made_texts import TextSource


def one_hot(texts):
    return np.array([[float("cat" in t), float("dog" in t)] for t in texts], np.float32)


def test_bm25_finds_the_rarer_word_first_and_leaves_out_what_shares_none():
    bm25 = BM25(["a", "b", "c"], ["the cat", "the dog the", "sun"])
    assert bm25.ask("the cat") == ["a", "b"]
    assert bm25.ask("moon") == []


def test_dense_orders_by_cosine():
    dense = Dense(["a", "b"], one_hot(["cat", "dog"]), one_hot)
    assert dense.ask("my dog") == ["b", "a"]


def test_made_texts_are_all_different_and_the_same_for_a_seed():
    source = TextSource(7)
    made = source.said(500) + source.asked(500)
    assert len(set(made)) == 1000
    again = TextSource(7)
    assert again.said(500) + again.asked(500) == made
    assert TextSource(8).said(5) != made[:5]


def test_two_speakers_take_turns():
    speakers = TextSource(7).speakers()
    first, second, third = (next(speakers) for _ in range(3))
    assert first == third != second
