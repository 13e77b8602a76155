"""Conversation files from many hands."""

import json
from pathlib import Path

import pytest

from benchmarks.conversations import read_file, read_folder
from benchmarks.retrieval import as_memory

TALK = {
    "conversation": "talk",
    "speakers": ["Ana", "Ben"],
    "memories": [
        {"id": "1", "session": 1, "speaker": "Ana", "time": "5/8/23, 1:56 PM", "text": "hi\x00!"},
        {"id": 2, "text": "no speaker, no time"},
        {"id": "3", "session": None, "speaker": None, "time": ["?"], "text": "odd"},
        {"id": "4", "text": "  "},
    ],
    "questions": [
        {"question": "who said hi?", "evidence": ["1"], "category": 4},
        {"question": "what is odd?", "evidence": ["3", "gone"]},
        {"question": "nothing here", "evidence": ["4"], "category": 1},
        {"question": "no evidence", "evidence": [], "category": 5},
    ],
}


def write(folder: Path, content: object, name: str = "talk.json") -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_missing_and_odd_fields_are_left_alone(tmp_path: Path):
    talk = read_file(write(tmp_path, TALK))
    assert [(t.id, t.text, t.speaker, t.session) for t in talk.turns] == [
        ("1", "hi !", "Ana", "1"),
        ("2", "no speaker, no time", "", ""),
        ("3", "odd", "", ""),
    ]
    assert talk.turns[0].time is not None
    assert talk.turns[1].time is talk.turns[2].time is None


def test_only_questions_with_evidence_among_the_memories_count(tmp_path: Path):
    questions = read_file(write(tmp_path, TALK)).questions
    assert [(q.text, q.evidence, q.category) for q in questions] == [
        ("who said hi?", {"1"}, "4"),
        ("what is odd?", {"3"}, "none"),
    ]


def test_a_turn_goes_over_the_wire_with_and_without_a_time(tmp_path: Path):
    timed, untimed, _ = read_file(write(tmp_path, TALK)).turns
    assert as_memory(timed).event_time.ToJsonString() == "2023-05-08T13:56:00Z"
    assert not as_memory(untimed).HasField("event_time")


@pytest.mark.parametrize("content", ["{", "[]", '{"memories": [{"text": "no id"}]}'])
def test_what_is_no_conversation_is_told_by_its_file(tmp_path: Path, content: str):
    file = write(tmp_path, content)
    with pytest.raises(SystemExit, match=r"talk\.json: not a conversation"):
        read_file(file)


def test_an_empty_folder_is_told(tmp_path: Path):
    with pytest.raises(SystemExit, match="no conversation files"):
        read_folder(tmp_path)
