"""What a thief of the database without keys learns from stored vectors.

    python -m benchmarks.leakage --json FILE [--data FOLDER] [--public FOLDER] [--plot FILE.svg]

Attacks the default veil, plain Chroma, scale-and-perturb as published and sealed mode with the
same texts (`leakage_texts`), schemes (`leakage_schemes`) and attacks (`leakage_known`: some texts
are known; `leakage_blind`: none; `leakage_plain`: words, lengths). Then it tries other veils,
rotations with noise and sign codes, for the known-pair attack and the candidates they find: the
table that the default was chosen by. Without `--data` it makes conversations, without `--public`
public text, from templates; their figures do not compare with those of real ones.

    results.S.known_pairs_to_half          of one person, until half of the rest is named among
                                           10,000 candidates; null: never
    results.S.ciphertext_only_identified   share named without any pair
    results.S.cross_person_linked          equal texts of two people, the share put together
    results.S.chance                       what guessing gives in these two
    results.S.candidates@K                 share of the exact top 10 within the first K, a person
                                           a conversation; @100_heavy: one person has them all
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.table import Table

from benchmarks.frame import Figure, parser, progress, publish, table
from benchmarks.leakage_blind import averaged, ciphertext_only, linked, neighbours_told
from benchmarks.leakage_known import curve, pairs_to_half, theft
from benchmarks.leakage_plain import Decoder, learn_decoder, lengths_tell, recovered
from benchmarks.leakage_plot import svg
from benchmarks.leakage_schemes import Scheme, chroma, code, rotation, sap, sealed, veil
from benchmarks.leakage_texts import CANDIDATES, Corpus, Matrix, read_corpus
from memory.adapters.veil_basis import load_basis
from memory.bootstrap import SHIPPED_ENCODER
from memory.core.veil import Basis

KEY: Final = 7
KNOWN: Final = 150
"""Pairs that the attacks on words and on stored-again texts start from."""

COPIES: Final = (1, 4, 16)
WATCHED: Final = 256
"""Queries that an operator of a Chroma server has seen."""

LINKED: Final = 500
CUTS: Final = (50, 100, 200)
TOP: Final = 10

Results = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    options_parser.add_argument("--data", type=Path, help="folder of conversations (*.json)")
    options_parser.add_argument("--public", type=Path, help="folder of public text (*.jsonl)")
    options_parser.add_argument("--plot", type=Path, help="write the plot to this file (SVG)")
    options = options_parser.parse_args(arguments)
    corpus = read_corpus(options.data, options.public, options.seed)
    basis = load_basis(SHIPPED_ENCODER, corpus.candidates.shape[1])
    public_texts = corpus.texts[CANDIDATES:]
    decoder = learn_decoder(corpus.public, public_texts)
    default = veil("tacit", basis, basis.keep, basis.width, basis.noise)
    compared = [default, chroma(), sap(), sealed()]
    results: Results = {s.name: attack(s, corpus, decoder, options.seed) for s in compared}
    results["tacit"] |= watcher(default, corpus, options.seed)
    results["sealed"] |= {f"candidates@{k}": 1.0 for k in CUTS}
    results["variants"] = {
        s.name: try_out(s, corpus, options.seed) for s in variants(basis, corpus)
    }
    results["texts"] = {
        "people": len(corpus.talks),
        "stored": corpus.stored,
        "candidates": len(corpus.candidates),
        "public": len(corpus.public),
        "real_conversations": options.data is not None,
        "real_public": options.public is not None,
    }
    if options.plot:
        names = {"tacit": "Tacit, veiled", "chroma": "plain Chroma", "sap": "scale-and-perturb"}
        names["sealed"] = "Tacit, sealed"
        shown = {title: results[name]["curve"] for name, title in names.items()}
        options.plot.write_text(svg(shown), encoding="utf-8")
    publish("leakage", options, results, tables(results))


def variants(basis: Basis, corpus: Corpus) -> list[Scheme]:
    """What else the veil could have been."""
    tried = ((64, 1024, 0.0), (64, 1024, 0.5), (64, 384, 0.25), (96, 1024, 0.25), (48, 1024, 0.0))
    veils = [
        veil(f"veil, {keep} of {width}, noise {noise:g}", basis, keep, width, noise)
        for keep, width, noise in tried
    ]
    mean = corpus.public.mean(axis=0)
    codes = [code(bits, mean) for bits in (128, 192, 256, 384)]
    return [*(rotation(noise) for noise in (0.0, 0.6, 1.25, 2.0)), *codes, *veils]


def attack(scheme: Scheme, corpus: Corpus, decoder: Decoder, seed: int) -> Results:
    """Everything, on one scheme."""
    stored = scheme.store(KEY, 0, corpus.candidates[: corpus.stored])
    results = try_out(scheme, corpus, seed, stored)
    views, public = scheme.views(corpus.candidates), scheme.views(corpus.public)
    plain, order = corpus.candidates[: corpus.stored], np.random.default_rng(seed)
    rows = order.permutation(corpus.stored)
    known, rest = rows[:KNOWN].tolist(), rows[-LINKED:].tolist()
    texts = [corpus.texts[row] for row in rest]
    stolen = theft(stored, views[0])
    back = plain[rest] if scheme.name == "chroma" else recovered(stolen, plain, known, rest)
    again = plain[rows[: KNOWN + 200]]
    results |= {
        "ciphertext_only_identified": ciphertext_only(stored, views, public),
        "cross_person_linked": linked(scheme, plain[rows[:LINKED]]),
        "chance": {
            "ciphertext_only_identified": 1 / len(corpus.candidates),
            "cross_person_linked": 1 / LINKED,
        },
        "neighbours_told": neighbours_told(stored, plain, seed),
        "words": decoder.precision(back, texts),
        "words_without_vectors": decoder.precision(None, texts),
        "stored_again": {
            str(n): averaged(scheme, again, scheme.views(again), n, KNOWN, seed) for n in COPIES
        },
        "lengths": lengths_tell(corpus.texts, corpus.stored, padded=scheme.name != "chroma"),
    }
    progress(f"{scheme.name}: attacked")
    return results


def try_out(scheme: Scheme, corpus: Corpus, seed: int, stored: Matrix | None = None) -> Results:
    """Candidates found, and the known-pair attack."""
    if stored is None:
        stored = scheme.store(KEY, 0, corpus.candidates[: corpus.stored])
    thefts = [theft(stored, view) for view in scheme.views(corpus.candidates)]
    found = curve(thefts, corpus.stored, seed)
    best = {count: max(shares.values()) for count, shares in found.items()}
    half = pairs_to_half(found)
    progress(f"{scheme.name}: {half} known pairs name half of the rest")
    return {
        "known_pairs_to_half": half,
        "known_pairs_tried": max(found),
        "curve": best,
        "by_attack": {str(count): shares for count, shares in found.items()},
    } | candidates(scheme, corpus, stored)


def candidates(scheme: Scheme, corpus: Corpus, heavy: Matrix) -> Results:
    """Of the exact top 10, the share within the first K: a person a talk, and one for all."""
    if scheme.ask is None:
        return {}
    shares: dict[str, list[float]] = {f"candidates@{k}": [] for k in CUTS}
    shares["candidates@100_heavy"] = []
    for number, talk in enumerate(corpus.talks):
        asked = scheme.ask(KEY + number, talk.asked)
        own = asked @ scheme.store(KEY + number, 0, talk.said).T
        exact = np.argsort(-(talk.asked @ talk.said.T), axis=1)[:, :TOP]
        for k in CUTS:
            shares[f"candidates@{k}"] += _within(own, exact, k)
        exact = np.argsort(-(talk.asked @ corpus.candidates[: len(heavy)].T), axis=1)[:, :TOP]
        asked = scheme.ask(KEY, talk.asked)
        shares["candidates@100_heavy"] += _within(asked @ heavy.T, exact, 100)
    return {name: float(np.mean(found)) for name, found in shares.items()}


def _within(scores: Matrix, exact: np.ndarray[Any, Any], k: int) -> list[float]:
    first = np.argsort(-scores, axis=1)[:, :k]
    return [len(set(a) & set(b)) / TOP for a, b in zip(first.tolist(), exact.tolist(), strict=True)]


def watcher(scheme: Scheme, corpus: Corpus, seed: int) -> Results:
    """The operator of a Chroma server, who sees queries: they span the secret subspace."""
    assert scheme.ask is not None
    asked = scheme.ask(KEY, np.concatenate([talk.asked for talk in corpus.talks])[:WATCHED])
    view = scheme.views(corpus.candidates)[0]
    _, _, directions = np.linalg.svd(asked, full_matrices=False)
    stored = scheme.store(KEY, 0, corpus.candidates[: corpus.stored])
    seen = theft(stored @ directions[: view.shape[1]].T, view)
    half = pairs_to_half(curve([seen], corpus.stored, seed))
    return {"known_pairs_to_half_after_queries": half, "queries_seen": len(asked)}


def tables(results: Results) -> list[Table]:
    """The schemes compared, then what the default was chosen by."""
    titles = {
        "known pairs to name half": "known_pairs_to_half",
        "named from ciphertext only": "ciphertext_only_identified",
        "two people's equal texts linked": "cross_person_linked",
        "which memories are alike (AUC)": "neighbours_told",
        f"words told, {KNOWN} pairs known": "words",
        "words told without any vector": "words_without_vectors",
        "candidates@50": "candidates@50",
        "candidates@100": "candidates@100",
        "candidates@200": "candidates@200",
        "candidates@100, one person has all": "candidates@100_heavy",
    }
    names = ("tacit", "chroma", "sap", "sealed")
    rows: list[list[Figure]] = [
        [title, *(_figure(results[name], key) for name in names)] for title, key in titles.items()
    ]
    for copies in COPIES:
        named = [results[name]["stored_again"][str(copies)] for name in names]
        rows.append([f"named, {KNOWN} pairs, stored {copies} times", *named])
    rows.append(["bits that lengths tell", *(results[n]["lengths"]["bits"] for n in names)])
    chosen: list[list[Figure]] = [
        [name, *(_figure(tried, key) for key in _CHOSEN_BY)]
        for name, tried in ({"tacit": results["tacit"]} | results["variants"]).items()
    ]
    return [
        table("Chosen by", ["", "pairs", "@50", "@100", "@200", "@100, all"], chosen),
        table("What the thief learns", ["", *names], rows),
    ]


_CHOSEN_BY: Final = (
    "known_pairs_to_half",
    "candidates@50",
    "candidates@100",
    "candidates@200",
    "candidates@100_heavy",
)


def _figure(results: Results, key: str) -> Figure:
    """A count that was not reached reads as more than was tried."""
    value: Figure = results.get(key)
    if key == "known_pairs_to_half" and value is None:
        return f"> {results['known_pairs_tried']}"
    return value


if __name__ == "__main__":
    main()
