"""Of something that changed, what holds now is found first, and what held before is told as past.

`stories.txt` was written before the rules, `stories_held_out.txt` after the first of them and read
while the others were written, `stories_unseen.txt` after all of them. A story is a question, then
what was said: "-" what held before, "+" what holds now.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memory.bootstrap import Tacit, open_tacit
from memory.config import Config
from memory.core.values import RawText
from tests.integration.conftest import access, draft, grant

HERE = Path(__file__).parent
LINE = re.compile(r"([-+ ]) (\d{4}-\d\d-\d\d) (\w+): (.+)")


@pytest.fixture(scope="module")
def tacit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tacit]:
    folder = tmp_path_factory.mktemp("stories")
    with open_tacit(Config(data=folder / "data")) as opened:
        yield opened


def _told(tacit: Tacit, story: str, person: str) -> tuple[bool, bool]:
    """Whether what holds is the first hit, and whether what held before is told as past."""
    question, *lines = story.splitlines()
    grant(tacit, person)
    marks = {}
    for line in lines:
        match = LINE.fullmatch(line)
        assert match, line
        mark, day, speaker, text = match.groups()
        said = draft(
            text,
            speaker=RawText(speaker),
            event_time=datetime.fromisoformat(day).replace(tzinfo=UTC),
        )
        (stored,) = tacit.remember(access(person), [said])
        marks[stored.memory.id] = mark
    assert sorted(marks.values()).count("+") == sorted(marks.values()).count("-") == 1
    hits = tacit.recall(access(person), RawText(question.removeprefix("? ")))
    past = [marks[h.superseded_by] for h in hits if h.superseded_by and marks[h.memory.id] == "-"]
    return marks[hits[0].memory.id] == "+", past == ["+"]


@pytest.mark.parametrize(
    ("file", "stories", "first", "past"),
    [("stories", 50, 47, 47), ("stories_held_out", 25, 20, 20), ("stories_unseen", 25, 13, 11)],
)
def test_what_holds_comes_first_and_what_held_is_past(
    tacit: Tacit, file: str, stories: int, first: int, past: int
) -> None:
    blocks = (HERE / f"{file}.txt").read_text(encoding="utf-8").strip().split("\n\n")
    assert len(blocks) == stories
    told = [_told(tacit, block, f"{file}-{i}") for i, block in enumerate(blocks)]
    assert sum(current for current, _ in told) >= first
    assert sum(before for _, before in told) >= past
