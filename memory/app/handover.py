"""BuildHandover: consent gate ▶ what holds, what is open, what was said last ▶ pack ▶ (reveal).

Rules:
- Needs a consent for `HANDOVER` beside the one for the call's own purpose, checked in the snapshot
  that is read: a person who told an assistant has not told a human colleague.
- Mood is in it only where the consents for it and the purpose allow it, and real names only as in
  `BuildContext`.
- Computed for each call, and never stored.
- Leaves only once it is in the ledger, as a read of the memories that it tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from memory.app.context import MAX_TOKENS
from memory.app.gate import admit, not_allowed
from memory.app.keyring import Keyring
from memory.app.ledger import Ledger, refusals_logged
from memory.app.narrow import Narrow
from memory.app.opened import Opened, OpenedFeatures
from memory.app.prepare import session_tag
from memory.app.profile import held, laid_out
from memory.app.reveal import Reveal
from memory.app.sealing import Remembered, open_memory
from memory.core.consent import HANDOVER
from memory.core.context import Context, Told
from memory.core.duplicates import HOLDING
from memory.core.handover import Brief, brief, mood, revealed
from memory.core.keys import PersonKeys
from memory.core.profile import Trait
from memory.core.purposes import Registry
from memory.core.rows import MemoryHead
from memory.core.threads import Message, threads
from memory.core.validity import validity
from memory.core.values import Access, MemoryKind, RecordId
from memory.errors import InvalidArgumentError
from memory.ports import AccessAction, Clock, Encoder, Store

MAX_SAID: Final = 500
"""Memories that are looked through for what is open and what was said last: the latest."""


@dataclass(frozen=True, slots=True)
class BuildHandover:
    """The use case behind the call of this name."""

    store: Store
    keyring: Keyring
    registry: Registry
    opened: OpenedFeatures
    encoder: Encoder
    reveal: Reveal
    clock: Clock
    ledger: Ledger

    def __call__(
        self,
        access: Access,
        max_tokens: int,
        narrow: Narrow | None = None,
        *,
        with_names: bool = False,
    ) -> Context:
        """At most `max_tokens` tokens, by the encoder's own tokenizer; empty when nothing fits.

        Args:
            narrow: which memories are looked through for what is open, felt and said last. What
                holds is of the whole person.

        Raises:
            InvalidArgumentError: a budget out of 1..32,000.
            UnknownPurposeError, ConsentError, ErasureInProgressError: nothing may be read, or not
                with real names.
            StorageUnavailableError, StorageFullError: it could not be written down.
        """
        if not 1 <= max_tokens <= MAX_TOKENS:
            raise InvalidArgumentError("max_tokens", f"must be 1 to {MAX_TOKENS:,}")
        context, what, memories = self._briefed(access, max_tokens, narrow or Narrow())
        if not with_names or not context.cited:
            return context
        chosen = {record: memories[record] for record in context.cited}
        told = {one.id: one for part in (what.holds, what.said) for one in part}
        told |= {one.id: one for one, _ in what.open}
        shown = {
            memory.id: _shown(told[memory.id], memory)
            for memory in self.reveal(access, list(chosen.values()))
        }
        return brief(revealed(what, shown), max_tokens, self.encoder.count_tokens)

    @refusals_logged(AccessAction.READ)
    def _briefed(
        self, access: Access, max_tokens: int, narrow: Narrow
    ) -> tuple[Context, Brief, dict[RecordId, Remembered]]:
        """The brief under pseudonyms, what it was chosen from, and these memories."""
        purposes = self.registry.of(access.caller.tenant)
        purpose = purposes.require(access.purpose)
        ref = self.keyring.ref(access.caller.tenant, access.person)
        with self.store.read() as uow:
            admission = admit(uow, ref, purposes, access, self.clock())
            if HANDOVER not in admission.visible:
                raise not_allowed(access, HANDOVER, "this assistant brief a human colleague")
            keys = self.keyring.keys(admission.person)
            heads, opened = laid_out(uow, keys, admission, self.opened)
        found = held(heads, opened, admission.at)
        last = _last(keys, heads, opened, narrow)
        affect = admission.shows_affect(access, purpose)
        wanted = {*(trait.evidence[-1] for trait in found), *last}
        memories = {
            record: open_memory(keys, opened[record].row, affect=affect) for record in wanted
        }
        ends = _ends(heads, opened, admission.at)
        told = {
            record: _told(memory, opened[record], ends.get(record))
            for record, memory in memories.items()
        }
        what = _brief(found, last, told, memories)
        context = brief(what, max_tokens, self.encoder.count_tokens)
        by, count = access.caller.assistant, len(context.cited)
        self.ledger.record(keys, by, AccessAction.READ, count, access.purpose).wait()
        return context, what, memories


def _last(
    keys: PersonKeys,
    heads: Sequence[MemoryHead],
    opened: dict[RecordId, Opened],
    narrow: Narrow,
) -> list[RecordId]:
    """The latest that are narrowed to, the latest first."""
    tags = {session_tag(keys, session) for session in narrow.sessions}
    fitting = [
        (opened[head.id].features.time, head.seq, head.id)
        for head in heads
        if (not tags or head.session_tag in tags)
        and (not narrow.kinds or opened[head.id].row.kind in narrow.kinds)
        and narrow.covers(opened[head.id].features.time)
    ]
    return [
        record for _, _, record in sorted(fitting, key=lambda one: one[:2])[: -MAX_SAID - 1 : -1]
    ]


def _ends(
    heads: Sequence[MemoryHead], opened: dict[RecordId, Opened], at: datetime
) -> dict[RecordId, datetime]:
    """Until when each held that holds no more."""
    found = validity(heads, [opened[head.id].features for head in heads])
    return {
        heads[row].id: datetime.fromtimestamp(float(found.ends[row]), UTC)
        for row in found.over(at).tolist()
    }


def _brief(
    found: Sequence[Trait],
    last: Sequence[RecordId],
    told: dict[RecordId, Told],
    memories: dict[RecordId, Remembered],
) -> Brief:
    said = [told[record] for record in last]
    messages = [
        Message(one.id, one.text, one.speaker, one.session, one.time, one.seq)
        for one in said
        if memories[one.id].kind is MemoryKind.MESSAGE
    ]
    sure = sorted(found, key=lambda trait: (trait.confidence, trait.said[-1]), reverse=True)
    moods = [memories[record].content.affect for record in reversed(last)]
    return Brief(
        [(told[record], lack) for record, lack in threads(messages)],
        [told[trait.evidence[-1]] for trait in sure],
        [one for one in said if memories[one.id].kind not in HOLDING],
        mood([one for one in moods if one is not None]),
    )


def _told(memory: Remembered, opened: Opened, until: datetime | None) -> Told:
    content = memory.content
    return Told(
        id=memory.id,
        text=content.text.value,
        speaker=content.speaker.value if content.speaker else "",
        session=content.session,
        time=opened.features.time,
        seq=opened.row.seq,
        until=until,
    )


def _shown(told: Told, memory: Remembered) -> Told:
    words = memory.words or memory.content
    speaker = words.speaker.value if words.speaker else ""
    return replace(told, text=words.text.value, speaker=speaker)
