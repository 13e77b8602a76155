"""Conversations with questions and gold evidence: the data of the retrieval benchmark.

    {"conversation", "speakers", "memories": [{"id", "session", "speaker", "time", "text"}],
     "questions": [{"question", "evidence": [memory id], "category"}]}

Rules:
- Files come from many hands: `session`, `speaker`, `time` and `category` may be missing or of
  another type. Only `id` and `text` of a memory, and `question` of a question, are needed.
- A text is what a server would take: control characters become spaces, length is capped. A blank
  one is left out for every system alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.times import parse_time

MAX_TEXT_CHARS: Final = 10_000
"""What the wire allows in one memory."""

UNKNOWN_CATEGORY: Final = "none"

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said."""

    id: str
    text: str
    speaker: str
    session: str
    time: datetime | None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the ids of the turns that hold the answer."""

    text: str
    evidence: frozenset[str]
    category: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns in order, and the questions that have evidence among them."""

    name: str
    turns: Sequence[Turn]
    questions: Sequence[Question]

    @property
    def end(self) -> datetime | None:
        """When the last was said, and so when the questions are asked; None if nobody wrote it."""
        return max((turn.time for turn in self.turns if turn.time is not None), default=None)


def read_folder(folder: Path) -> list[Conversation]:
    """Every `*.json` in the folder, by name.

    Raises:
        SystemExit: no such folder, none in it, or one that is no conversation.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise SystemExit(f"{folder}: no conversation files (*.json)")
    found = [read_file(file) for file in files]
    if not any(conversation.questions for conversation in found):
        raise SystemExit(f"{folder}: no question with evidence among the memories")
    return found


def read_file(file: Path) -> Conversation:
    """The conversation in a file; raises `SystemExit` when it is none."""
    try:
        content = json.loads(file.read_bytes())
        turns = list({t.id: t for t in map(_turn, content["memories"]) if t.text}.values())
        ids = frozenset(t.id for t in turns)
        questions = [_question(q, ids) for q in content.get("questions", [])]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise SystemExit(f"{file}: not a conversation ({reason})") from None
    name = str(content.get("conversation") or file.stem)
    return Conversation(name, turns, [q for q in questions if q.text and q.evidence])


def _turn(memory: dict[str, Any]) -> Turn:
    return Turn(
        id=str(memory["id"]),
        text=_clean(memory["text"]),
        speaker=_clean(memory.get("speaker") or ""),
        session=_clean("" if memory.get("session") is None else memory["session"]),
        time=parse_time(memory.get("time")),
    )


def _question(question: dict[str, Any], ids: frozenset[str]) -> Question:
    category = question.get("category")
    return Question(
        text=_clean(question["question"]),
        evidence=frozenset(map(str, question.get("evidence") or ())) & ids,
        category=UNKNOWN_CATEGORY if category is None else str(category),
    )


def _clean(value: object) -> str:
    text = str(value).encode("utf-8", "replace").decode()
    return _CONTROL.sub(" ", text).strip()[:MAX_TEXT_CHARS]
