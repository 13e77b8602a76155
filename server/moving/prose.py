"""A long text that holds several things, paragraph by paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_BLANK_LINES: Final = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_HEADING: Final = re.compile(r"#{1,6} .*|\*\*[^*\n]+\*\*:?|__[^_\n]+__:?|[^\n]{1,60}:")


def paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of a text; a heading goes with the one below it."""
    heading = ""
    for each in _BLANK_LINES.split(text.strip().replace("\r\n", "\n")):
        if not each:
            continue
        if _HEADING.fullmatch(each.strip()):
            heading = f"{heading}{each.strip()}\n"
        else:
            yield heading + each
            heading = ""
    if heading:
        yield heading.strip()
