"""The facts and preferences that a message states, as memories of their own.

Rules:
- Each is a clause that makes a claim, as the person said it, with the message's speaker, session,
  time and end.
- What is hidden in the clause is what is hidden there in the message: nothing is detected anew.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from memory.app.prepare import Prepared, is_machine
from memory.core.embedding_text import embedding_text
from memory.core.facts_stated import stated
from memory.core.lexical import terms
from memory.ports import Encoder

MAX_FACTS: Final = 8
"""Of one message; bounds what one call stores."""


def derive(prepared: Prepared, encoder: Encoder) -> list[Prepared]:
    """What a draft that asks for it states, each as a draft without sources yet."""
    draft = prepared.draft
    if not draft.extract or is_machine(draft):
        return []
    clauses = stated(draft.text, prepared.spans)[:MAX_FACTS]
    texts = [embedding_text(one.text, one.spans) for one in clauses]
    vectors = encoder.encode(texts) if texts else np.empty((0, 0), np.float32)
    return [
        Prepared(
            replace(draft, text=one.text, kind=one.kind, labels={}, request_id="", extract=False),
            prepared.speaker_spans,
            one.spans,
            vector,
            terms(text.value),
        )
        for one, text, vector in zip(clauses, texts, vectors, strict=True)
    ]
