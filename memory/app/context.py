"""BuildContext: recall ▶ pack into a token budget ▶ (reveal) ▶ a text for a prompt.

Rules:
- What goes in is what a Recall would find, behind the same gate.
- Revealed is only what goes in. Real names may be longer than pseudonyms: what no longer fits then
  is left out again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from memory.app.narrow import Narrow
from memory.app.recall import Hit, Recall
from memory.app.reveal import Reveal
from memory.app.sealing import Remembered
from memory.core.context import Context, Told, pack
from memory.core.values import Access, RawText
from memory.errors import InvalidArgumentError

MAX_TOKENS: Final = 32_000

TOKENS_A_HIT: Final = 12
"""Few memories are shorter, their mark and speaker included: so many are looked for."""

MAX_HITS: Final = 1_000


@dataclass(frozen=True, slots=True)
class BuildContext:
    """The use case behind the call of this name."""

    recall: Recall
    reveal: Reveal

    def __call__(
        self,
        access: Access,
        query: RawText,
        max_tokens: int,
        narrow: Narrow | None = None,
        *,
        revealed: bool = False,
        asked: datetime | None = None,
    ) -> Context:
        """At most `max_tokens` tokens, by the encoder's own tokenizer; empty when nothing fits.

        Raises:
            InvalidArgumentError: a blank, long or malformed query, or a budget out of 1..32,000.
            UnknownPurposeError, ConsentError, ErasureInProgressError: nothing may be read, or not
                with real names.
        """
        if not 1 <= max_tokens <= MAX_TOKENS:
            raise InvalidArgumentError("max_tokens", f"must be 1 to {MAX_TOKENS:,}")
        limit = min(max(max_tokens // TOKENS_A_HIT, 1), MAX_HITS)
        found = self.recall.best(access, query, limit, narrow or Narrow(), asked=asked)
        context = self._packed([(hit, hit.memory) for hit in found.hits], max_tokens)
        chosen = [hit for hit in found.hits if hit.memory.id in set(context.cited)]
        if revealed and chosen:
            shown = {m.id: m for m in self.reveal(access, [hit.memory for hit in chosen])}
            context = self._packed(
                [(hit, shown[hit.memory.id]) for hit in chosen if hit.memory.id in shown],
                max_tokens,
            )
        return replace(context, recall_token=found.token(chosen))

    def _packed(self, hits: Sequence[tuple[Hit, Remembered]], max_tokens: int) -> Context:
        told = [_told(memory, hit) for hit, memory in hits]
        return pack(told, max_tokens, self.recall.encoder.count_tokens)


def _told(memory: Remembered, hit: Hit) -> Told:
    shown = memory.words or memory.content
    return Told(
        id=memory.id,
        text=shown.text.value,
        speaker=shown.speaker.value if shown.speaker else "",
        session=memory.content.session,
        time=memory.content.event_time or memory.stored_at,
        seq=hit.seq,
        until=hit.until,
        doubted=dict(hit.parts).get("doubted", 0.0) < 0,
    )
