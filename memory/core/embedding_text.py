"""What the encoder reads: the meaning of a text without the names in it.

Rules:
- Made of the spans alone: no vault, no numbers, so it can be computed before the transaction.
- No character of a span is in it. Identity is matched through the vault (`core.query_names`).
- `EMBED_AS` says how; recall measurements chose it. Query and memory are treated alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from typing import Final

from memory.core.values import PseudonymizedText, RawText, Span


class EmbedAs(Enum):
    """What stands for a name in the text that is embedded."""

    TYPE = "type"
    NOTHING = "nothing"


EMBED_AS: Final = EmbedAs.NOTHING

_SPACE: Final = re.compile(r"\s+")


def embedding_text(
    text: RawText, spans: Sequence[Span], style: EmbedAs = EMBED_AS
) -> PseudonymizedText:
    """`text` with each span (sorted, without overlap) as its bare type, or gone.

    A text of which nothing would remain falls back to the types.
    """
    if not spans:
        return PseudonymizedText(text.value)
    pieces: list[str] = []
    position = 0
    for span in spans:
        word = span.entity_type.lower().replace("_", " ") if style is EmbedAs.TYPE else ""
        pieces += (text.value[position : span.start], word)
        position = span.end
    pieces.append(text.value[position:])
    joined = _SPACE.sub(" ", "".join(pieces)).strip()
    if style is EmbedAs.NOTHING and not any(c.isalnum() for c in joined):
        return embedding_text(text, spans, EmbedAs.TYPE)
    return PseudonymizedText(joined)
