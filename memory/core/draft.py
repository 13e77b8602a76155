"""What a caller hands in to be remembered, checked before anything looks at it.

Rules:
- Every limit is a named constant and stands in the proto's comments too.
- Errors name the field as the wire does, and never quote the value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from memory.core.values import MemoryKind, RawText, RecordId
from memory.errors import InvalidArgumentError, TextTooLongError

MAX_TEXT_CHARS: Final = 10_000
"""What detection reads in bounded time; longer texts are several memories."""

MAX_NAME_CHARS: Final = 256
"""For a speaker or a session."""

MAX_LABELS: Final = 16
MAX_LABEL_KEY_CHARS: Final = 63
MAX_LABEL_VALUE_CHARS: Final = 256

MAX_REQUEST_ID_CHARS: Final = 128

MAX_SOURCES: Final = 100
"""Memories it was derived from; as many it may supersede."""

NOT_IN_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters but tab, line feed and carriage return, and what is no Unicode."""

NOT_IN_LINE: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
"""The same in a name of somebody or something: all control characters."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A memory before it is one. `request_id` empty: every call stores. `expire_time` None: kept
    as long as its purpose says. `until` is when it stops to hold, `supersedes` what it replaces;
    `importance` is 0..1, None where nobody said; `extract` asks for what it says of facts to be
    stored beside it.
    """

    text: RawText
    kind: MemoryKind = MemoryKind.MESSAGE
    speaker: RawText | None = None
    session: str = ""
    event_time: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""
    expire_time: datetime | None = None
    sources: tuple[RecordId, ...] = ()
    until: datetime | None = None
    supersedes: tuple[RecordId, ...] = ()
    importance: float | None = None
    extract: bool = False

    def __post_init__(self) -> None:
        check_text("memory.text", self.text.value)
        if self.speaker is not None:
            _check_line("memory.speaker", self.speaker.value, MAX_NAME_CHARS)
        _check_line("memory.session", self.session, MAX_NAME_CHARS)
        _check_line("request_id", self.request_id, MAX_REQUEST_ID_CHARS)
        if self.importance is not None and not 0 <= self.importance <= 1:
            raise InvalidArgumentError("memory.importance", "must be 0 to 1")
        if len(self.labels) > MAX_LABELS:
            raise InvalidArgumentError("memory.labels", f"at most {MAX_LABELS}")
        for name, named in (("sources", self.sources), ("supersedes", self.supersedes)):
            if len(named) > MAX_SOURCES:
                raise InvalidArgumentError(f"memory.{name}", f"at most {MAX_SOURCES}")
            if len(set(named)) < len(named):
                raise InvalidArgumentError(f"memory.{name}", "each memory may stand only once")
        for key, value in self.labels.items():
            if not key:
                raise InvalidArgumentError("memory.labels", "a key must not be empty")
            _check_line("memory.labels", key, MAX_LABEL_KEY_CHARS)
            _check_line("memory.labels", value, MAX_LABEL_VALUE_CHARS)


def check_text(name: str, text: str) -> None:
    """A text to store or to search with: not blank, not too long, no control characters."""
    if not text.strip():
        raise InvalidArgumentError(name, "must not be empty")
    if len(text) > MAX_TEXT_CHARS:
        raise TextTooLongError(name, f"at most {MAX_TEXT_CHARS} characters; split longer texts")
    if NOT_IN_TEXT.search(text):
        raise InvalidArgumentError(
            name, "no control characters but tab, line feed and carriage return"
        )


def _check_line(name: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise InvalidArgumentError(name, f"at most {limit} characters")
    if NOT_IN_LINE.search(text):
        raise InvalidArgumentError(name, "no control characters")
