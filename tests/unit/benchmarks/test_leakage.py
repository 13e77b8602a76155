"""The attacks find what is there to be found, and nothing in what tells nothing."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.leakage import candidates, try_out
from benchmarks.leakage_blind import averaged, ciphertext_only, linked, neighbours_told
from benchmarks.leakage_known import curve, pairs_to_half, permutation, theft
from benchmarks.leakage_plain import Decoder, lengths_tell
from benchmarks.leakage_plot import svg
from benchmarks.leakage_schemes import Scheme, chroma, code, rotation, sap, sealed, unit, veil
from benchmarks.leakage_texts import Corpus, Talk
from memory.core.veil import Basis

D, STORED, ALL = 48, 400, 800
RANDOM = np.random.default_rng(99)
SPREAD = np.linspace(1.0, 0.1, D)
BASIS = Basis(
    mean=np.zeros(D, np.float32),
    directions=np.eye(D, dtype=np.float32),
    spread=(SPREAD / np.linalg.norm(SPREAD)).astype(np.float32),
    keep=24,
    width=256,
    noise=0.25,
)


def _rows(count: int) -> np.ndarray:
    return unit((RANDOM.standard_normal((count, D)) * SPREAD + 0.2 * SPREAD).astype(np.float32))


CANDIDATES = _rows(ALL)
CORPUS = Corpus(
    talks=[Talk(CANDIDATES[:200], _rows(20)), Talk(CANDIDATES[200:400], _rows(20))],
    stored=STORED,
    candidates=CANDIDATES,
    public=_rows(300),
    texts=[f"text number {n}" for n in range(ALL + 300)],
)


def _half(scheme: Scheme) -> int | None:
    stored = scheme.store(7, 0, CANDIDATES[:STORED])
    thefts = [theft(stored, view) for view in scheme.views(CANDIDATES)]
    return pairs_to_half(curve(thefts, STORED, seed=7))


def _blind(scheme: Scheme) -> float:
    stored = scheme.store(7, 0, CANDIDATES[:STORED])
    return ciphertext_only(stored, scheme.views(CANDIDATES), scheme.views(CORPUS.public))


def test_vectors_stored_in_plain_are_named_without_any_pair() -> None:
    assert _half(chroma()) == 0
    assert _blind(chroma()) == 1
    assert linked(chroma(), CANDIDATES[:100]) == 1


def test_a_rotation_falls_to_few_pairs() -> None:
    half = _half(rotation(0))
    assert half is not None
    assert half <= 25


def test_a_code_falls_to_few_pairs() -> None:
    half = _half(code(128, CORPUS.public.mean(axis=0)))
    assert half is not None
    assert half <= 100


def test_a_shuffling_is_seen_through_and_links_people() -> None:
    scheme = sap(beta=0.2)
    assert _half(scheme) is not None
    assert _blind(scheme) > 0.5
    assert linked(scheme, CANDIDATES[:100]) > 0.5
    stolen = theft(scheme.store(7, 0, CANDIDATES[:STORED]), CANDIDATES)
    known, rest = np.arange(100), np.arange(200, 300)
    fit = permutation(stolen, known, known, rest)
    assert float((fit.argmax(axis=1) == rest).mean()) > 0.8


def test_the_veil_takes_more_pairs_than_a_rotation_and_links_nobody() -> None:
    scheme = veil("veil", BASIS, BASIS.keep, BASIS.width, BASIS.noise)
    half = _half(scheme)
    assert half is None or half > 25
    assert _blind(scheme) < 0.05
    assert linked(scheme, CANDIDATES[:100]) < 0.1


def test_sealed_bytes_tell_nothing() -> None:
    assert _half(sealed()) is None
    assert _blind(sealed()) < 0.02
    assert linked(sealed(), CANDIDATES[:100]) < 0.1
    stored = sealed().store(7, 0, CANDIDATES[:STORED])
    assert neighbours_told(stored, CANDIDATES[:STORED], 7) == pytest.approx(0.5, abs=0.15)


def test_plain_vectors_tell_which_memories_are_alike() -> None:
    assert neighbours_told(CANDIDATES[:STORED], CANDIDATES[:STORED], 7) > 0.95


def test_storing_again_under_new_ids_helps_the_thief_of_noisy_vectors() -> None:
    scheme = rotation(6.0)
    shares = [averaged(scheme, CANDIDATES[:300], [CANDIDATES[:300]], n, 150, 7) for n in (1, 16)]
    assert shares[0] < shares[1]


def test_candidates_are_all_found_where_nothing_is_hidden() -> None:
    found = candidates(chroma(), CORPUS, CANDIDATES[:STORED])
    assert found["candidates@50"] == found["candidates@100_heavy"] == 1.0
    assert candidates(sealed(), CORPUS, CANDIDATES[:STORED]) == {}


def test_a_decoder_says_words_of_the_text() -> None:
    words = [f"word{letter}" for letter in "abcdefghijklmnopqrst"]
    pairs = [(a, b) for a in range(20) for b in range(20) if a != b]
    texts = [f"{words[a]} {words[b]}" for a, b in pairs]
    vectors = np.stack([np.eye(24, dtype=np.float32)[[a, b]].sum(axis=0) for a, b in pairs])
    decoder = Decoder(vectors, texts)
    assert decoder.precision(vectors, texts) > 0.95
    assert decoder.precision(None, texts) < 0.6


def test_padded_lengths_tell_less_than_lengths() -> None:
    texts = ["x" * n for n in range(1, 400)]
    padded, plain = (lengths_tell(texts, 399, padded=p) for p in (True, False))
    assert padded["bits"] < plain["bits"]
    assert plain["named_by_length"] == 1.0


def test_half_is_read_off_a_line_between_the_counts_tried() -> None:
    assert pairs_to_half({0: {"a": 0.0}, 100: {"a": 0.25}, 200: {"a": 0.1, "b": 0.75}}) == 150
    assert pairs_to_half({0: {"a": 0.9}}) == 0
    assert pairs_to_half({0: {"a": 0.0}, 100: {"a": 0.5}}) is None


def test_the_table_says_how_far_an_attack_was_tried() -> None:
    tried = try_out(sealed(), CORPUS, 7)
    assert tried["known_pairs_to_half"] is None
    assert tried["known_pairs_tried"] >= 200


def test_the_plot_is_well_formed() -> None:
    import xml.etree.ElementTree as ET

    ET.fromstring(svg({"a & b": {0: 0.0, 100: 0.5}}))
