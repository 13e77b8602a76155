"""What the small encoder learns from: the same each time, and nothing that must not be in it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from training.query_encoder.questions import Asker
from training.query_encoder.texts import make_texts
from training.query_encoder.wordnet import read_wordnet

_NOUN = (
    "  1 This software and database is being provided to you, the LICENSEE\n"
    '02084071 05 n 02 dog 0 domestic_dog 0 000 | a tame animal; "the dog barked all night"  \n'
)
_ADJECTIVE = (
    "00001740 00 a 02 able 0 fit(p) 0 000 | having the skill; (usually followed by `to')  \n"
)


def _wordnet(folder: Path) -> Path:
    folder.mkdir()
    for part in ("noun", "verb", "adj", "adv"):
        (folder / f"data.{part}").write_text("")
    (folder / "data.noun").write_text(_NOUN)
    (folder / "data.adj").write_text(_ADJECTIVE)
    (folder / "data.verb").write_text("00001 29 v 01 bark 0 000 01 + 02 00 | make a noise  \n")
    (folder / "cntlist.rev").write_text(
        "bark%2:32:00:: 1 3\ndog%1:05:00:: 1 42\nfit%5:00:00:able:00 1 2\n"
    )
    return folder


def _span_files(folder: Path) -> Path:
    folder.mkdir()
    row = {"text": "Amara walks the dog", "spans": [{"start": 0, "end": 5, "type": "PERSON"}]}
    secret = {"text": "share alike and therefore left out", "spans": []}
    (folder / "chat.jsonl").write_text(json.dumps(row) + "\n")
    (folder / "english_web.jsonl").write_text(json.dumps(secret) + "\n")
    return folder


def test_wordnet_gives_sentences_and_words_with_how_often_they_were_met(tmp_path: Path) -> None:
    known = read_wordnet(_wordnet(tmp_path / "wordnet"))
    assert known.sentences[:2] == ["a tame animal", "the dog barked all night"]
    assert known.words["noun"] == Counter({"dog": 42, "domestic dog": 0})
    assert known.words["adj"] == Counter({"able": 0, "fit": 2})
    assert known.words["verb"] == Counter({"bark": 3})


def test_texts_are_the_same_each_time_with_and_without_names_and_nothing_left_out_is_in_them(
    tmp_path: Path,
) -> None:
    wordnet, spans = _wordnet(tmp_path / "wordnet"), _span_files(tmp_path / "spans")
    texts = make_texts(spans, wordnet, seed=7, asked=500)
    assert texts == make_texts(spans, wordnet, seed=7, asked=500)
    assert texts != make_texts(spans, wordnet, seed=8, asked=500)
    assert len(texts) == len(set(texts))
    assert {"Amara walks the dog", "walks the dog", "the dog barked all night", "dog"} <= set(texts)
    assert not [text for text in texts if "share alike" in text]


def test_questions_leave_no_gap_unfilled() -> None:
    words = {"noun": {"dog": 3}, "verb": {"bake": 2}, "adj": {"red": 1}, "adv": {}}
    asker = Asker(words, ["a walk at night"], seed=1)
    asked = [asker.ask() for _ in range(2_000)]
    assert not [text for text in asked if "{" in text or "  " in text]
    assert any("baking" in text for text in asked)
    assert len(set(asked)) > 500
