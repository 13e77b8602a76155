"""The shipped NER model: people, places and organisations in a text, on ONNX Runtime.

    NerModel(folder).find("Ask Aisha in Kano")
    ->  [(4, 9, "PERSON", 0.99), (13, 17, "LOCATION", 0.98)]

Rules:

- offsets are characters of the text as given; any Unicode is accepted, nothing is raised for it;
- the same text gives the same result whatever was asked before or beside it;
- a text longer than a window goes through in overlapping windows, and each token is judged in
  the window that shows most of its surroundings;
- a window is worked on by one thread, as two take longer over a short text; the windows of a long
  text are shared out between ``threads``;
- runs of tokens that say nothing (punctuation, unknown symbols) are shortened first, so that a
  hostile text costs no more than prose of its length.

``ner.json`` beside the weights holds the labels, the thresholds (chosen on dev data for recall)
and the window. A word's probability of a label is the highest of its tokens'. A word is tagged when
that reaches the label's threshold, or a lower one if the word stands beside a tagged one or is
tagged elsewhere in the text; or, but for an ordinary word, when it is surely a name of some kind,
with the likeliest label.
Thresholds differ by what the lexicon says: a word in no list, or only known as a place, is a
person's name only if the model is surer of it, an ordinary word only if it is all but certain; a
place, sooner if known as one. A word with an accent that English does not write is a person's
sooner: the tokenizer takes its accents away, and "Thaís" for "Thais".
In doubt between a person and a place or an organisation, it is the person; a handle, unless
another label is far likelier.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray
from tokenizers import Tokenizer

from memory.adapters.ner_lexicon import FAMILY, GIVEN, KINDS, ORGANIZATION, PLACE, Lexicon
from memory.adapters.ner_words import (
    SHAPES,
    TaggedWord,
    features,
    fold,
    group_words,
    handles,
    is_accented,
    join_words,
    network_addresses,
)

Floats = NDArray[np.float32]

_LONGEST_RUN = 8
"""Punctuation marks in a row that the model is shown."""


_PERSON_BESIDE_OTHERS = 0.5
"""A word that is a person's name at half the odds of a place's is taken for the person's: places
may stay visible under a policy, people may not."""

_PERSON_IN_DOUBT = 0.4
"""The threshold of a word that is known as a person's name and is surely a name of some kind."""

_HANDLE_OF_PERSON = 0.25
"""A handle is a person's when that is at least this likely beside the likeliest; most are."""


ACCENTED, UNLISTABLE, ORDINARY, COMPANY = range(KINDS, KINDS + 4)
"""Kinds of a word with an accent, unless the lexicon knows it as a place and nothing else; of one
that could not be in the lexicon: with a digit in it, or in another script; of one that it knows as
no name; and of one that it knows as an organisation's and hardly anybody's."""


@dataclass(frozen=True)
class Settings:
    """What ``ner.json`` holds."""

    labels: tuple[str, ...]
    """Label 0 is "none"."""
    thresholds: Floats
    """By the kind of a word, and label: (kinds, labels)."""
    beside: Floats
    """The same for a word next to a tagged one, or tagged elsewhere in the text: (1, labels)."""
    some: float
    """Threshold of the probability that a word has some label, whichever."""
    handle: float
    """The same for a word of a handle (``@name``)."""
    window: int
    overlap: int


@dataclass(frozen=True)
class Judged:
    """The words of a text and what is known of them, one row a word."""

    words: list[tuple[int, int]]
    """Start and end in characters."""
    kinds: NDArray[np.int64]
    """What the lexicon knows each as, or another of the kinds above."""
    scores: Floats
    """Probabilities of the labels, (words, labels)."""


class NerModel:
    """Finds personal names, places and organisations; safe to share between threads."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        """Load ``model.onnx``, ``tokenizer.json``, ``lexicon.txt`` and ``ner.json``."""
        self._settings = read_settings(folder / "ner.json")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._lexicon = Lexicon.read(folder / "lexicon.txt")
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._ends = self._tokenizer.encode("", add_special_tokens=True).ids
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="ner")
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def find(self, text: str) -> list[tuple[int, int, str, float]]:
        """Return (start, end, label, score) of each span, in order; end is exclusive."""
        folded = fold(text)
        return decide(folded, self.judge(folded), self._settings)

    def judge(self, folded: str) -> Judged:
        """What the model and the lexicon say of each word of a folded text."""
        labels = len(self._settings.labels)
        encoding = self._tokenizer.encode(folded, add_special_tokens=False)
        if not encoding.ids:
            return Judged([], np.zeros(0, np.int64), np.zeros((0, labels), np.float32))
        owner, words = group_words(folded, encoding.offsets)
        parts = [folded[start:end] for start, end in words]
        silent = np.array([not any(map(str.isalnum, part)) for part in parts])[owner]
        kept = _without_long_runs(silent)
        seen = np.array(features(parts, self._lexicon), np.int64)
        probabilities = self._run(np.array(encoding.ids, np.int64)[kept], seen[owner][kept])
        best = np.zeros((len(words), labels), np.float32)
        probabilities[:, 0] = 1 - probabilities[:, 0]
        np.maximum.at(best, np.array(owner)[kept], probabilities)
        best[:, 0] = 1 - best[:, 0]
        kinds = seen // SHAPES
        for index, part in enumerate(parts):
            if is_accented(part) and kinds[index] != PLACE:
                kinds[index] = ACCENTED
            elif kinds[index] == 0 and not (part.isascii() and part.isalpha()):
                kinds[index] = UNLISTABLE
            elif kinds[index] == 0 and (entry := self._lexicon.entry(part)) is not None:
                kinds[index] = COMPANY if entry == ORGANIZATION else ORDINARY
        return Judged(words, kinds, best)

    def _run(self, ids: NDArray[np.int64], shapes: NDArray[np.int64]) -> Floats:
        """Probabilities of each token, (tokens, labels)."""
        size = min(self._settings.window, len(ids))
        starts = window_starts(len(ids), size, self._settings.overlap)
        windows = [self._window(ids, shapes, slice(at, at + size)) for at in starts]
        keys = [window.tobytes() for window in windows]
        todo = dict(zip(keys, windows, strict=True))  # a text that repeats itself is judged once
        work = map if len(todo) == 1 else self._threads.map
        known = dict(zip(todo, work(self._score, todo.values()), strict=True))
        result = np.zeros((len(ids), len(self._settings.labels)), np.float32)
        for number, start in enumerate(starts):
            seen = 0 if number == 0 else (starts[number - 1] + size - start) // 2
            result[start + seen : start + size] = known[keys[number]][1 + seen : -1]
        return result

    def _window(
        self, ids: NDArray[np.int64], shapes: NDArray[np.int64], part: slice
    ) -> NDArray[np.int64]:
        """The model's two inputs for one window, special tokens included."""
        rows = np.zeros((2, 1, part.stop - part.start + 2), np.int64)
        rows[0, 0, [0, -1]] = self._ends
        rows[0, 0, 1:-1] = ids[part]
        rows[1, 0, 1:-1] = shapes[part]
        return rows

    def _score(self, window: NDArray[np.int64]) -> Floats:
        """Probabilities of each token of a window, (tokens, labels)."""
        (scores,) = self._session.run(None, {"ids": window[0], "shapes": window[1]})
        of_tokens: Floats = scores[0]
        return of_tokens


def _without_long_runs(silent: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Indices of the tokens to look at: of a run of punctuation, only the first few."""
    place = np.arange(len(silent))
    since_word = place - np.maximum.accumulate(np.where(silent, -1, place))
    return np.flatnonzero(since_word <= _LONGEST_RUN)


def window_starts(length: int, size: int, overlap: int) -> list[int]:
    """Starts of windows of ``size`` tokens that cover ``length``; the last one ends with it."""
    last = length - size
    return [*range(0, last, size - overlap), last] if last > 0 else [0]


def decide(folded: str, judged: Judged, settings: Settings) -> list[tuple[int, int, str, float]]:
    """Tag each word with the label that stands highest above its threshold, and make spans."""
    words, scores = judged.words, judged.scores
    if not words:
        return []
    person = settings.labels.index("PERSON")
    organization = settings.labels.index("ORGANIZATION")
    surely_some = (scores[:, 0] <= 1 - settings.some) & (judged.kinds != ORDINARY)
    listed = (judged.kinds < KINDS) & ((judged.kinds & (GIVEN | FAMILY)) > 0)
    thresholds = settings.thresholds[judged.kinds]
    of_person = thresholds[:, person]
    lowered = np.minimum(of_person, _PERSON_IN_DOUBT)
    thresholds[:, person] = np.where(surely_some & listed, lowered, of_person)
    firm = _labels(scores, thresholds, person)
    if_some = np.where(judged.kinds == COMPANY, organization, _likeliest(scores))
    firm = np.where((firm == 0) & surely_some, if_some, firm)
    beside = _labels(scores, settings.beside, person)
    for index in _inside(words, handles(folded)):
        if scores[index, 0] <= 1 - settings.handle:
            likeliest = 1 + int(scores[index, 1:].argmax())
            of_person = scores[index, person] >= _HANDLE_OF_PERSON * scores[index, likeliest]
            firm[index] = person if of_person else likeliest
    labels = firm.copy()
    for shift in (1, -1):
        neighbour = np.roll(firm, shift)
        neighbour[0 if shift == 1 else -1] = 0
        labels = np.where((labels == 0) & (beside > 0) & (neighbour == beside), beside, labels)
    silent = _inside(words, network_addresses(folded))
    labels[silent] = firm[silent] = beside[silent] = 0
    texts = [folded[start:end].lower() for start, end in words]
    known = {(texts[index], firm[index]) for index in firm.nonzero()[0].tolist()}
    for index in ((labels == 0) & (beside > 0)).nonzero()[0].tolist():
        if (texts[index], beside[index]) in known:
            labels[index] = beside[index]
    tagged = [
        TaggedWord(
            *words[index],
            settings.labels[labels[index]],
            float(scores[index, labels[index]]),
            any(character.isalnum() for character in folded[slice(*words[index])]),
        )
        for index in labels.nonzero()[0].tolist()
    ]
    return [span[:4] for span in join_words(folded, tagged)]


def _inside(words: list[tuple[int, int]], spans: list[tuple[int, int]]) -> list[int]:
    """Indices of the words that start in one of the spans; both are in order."""
    found, at = [], 0
    for start, end in spans:
        while at < len(words) and words[at][0] < end:
            if words[at][0] >= start:
                found.append(at)
            at += 1
    return found


def _labels(scores: Floats, thresholds: Floats, person: int) -> NDArray[np.intp]:
    """The label that stands highest above its threshold; PERSON already if near the likeliest."""
    ratio: Floats = scores[:, 1:] / thresholds[:, 1:]
    best: NDArray[np.intp] = ratio.argmax(axis=1)
    labels: NDArray[np.intp] = np.where(ratio.max(axis=1) >= 1, best + 1, 0)
    near = scores[:, person] >= _PERSON_BESIDE_OTHERS * scores[:, 1:].max(axis=1)
    labels[near & (scores[:, person] >= thresholds[:, person])] = person
    return labels


def _likeliest(scores: Floats) -> NDArray[np.intp]:
    best: NDArray[np.intp] = scores[:, 1:].argmax(axis=1)
    return best + 1


def read_settings(path: Path) -> Settings:
    """Read ``ner.json``."""
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    labels = tuple(raw["labels"])
    return Settings(
        labels=labels,
        thresholds=_thresholds(labels, raw),
        beside=np.array([[raw["beside"].get(label, 1) for label in labels]], np.float32),
        some=raw["some"],
        handle=raw["handle"],
        window=raw["window"],
        overlap=raw["overlap"],
    )


def _thresholds(labels: Sequence[str], raw: Mapping[str, Mapping[str, float]]) -> Floats:
    """Those of all words, but for kinds that have their own."""
    by_kind = [{**raw["thresholds"]} for _ in range(COMPANY + 1)]
    by_kind[0].update(raw["unlisted"])
    by_kind[ACCENTED].update(raw["accented"])
    by_kind[ORDINARY].update(raw["ordinary"])
    by_kind[COMPANY].update(raw["companies"])
    for kind in range(KINDS):
        by_kind[kind].update(raw["places"] if kind & PLACE else {})
    by_kind[PLACE].update(raw["only_places"])
    return np.array([[known.get(label, 1) for label in labels] for known in by_kind], np.float32)
