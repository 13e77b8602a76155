"""Duplicates at Store: which of the memories about to be stored are there already.

    content tag ▶ ONE indexed look-up ▶ the same one, seen once more    or    a new one

Rules:
- Inside the transaction that writes, with the person locked: of two calls at once, the second finds
  what the first stored.
- A batch is what was said: what stands in it twice was said twice. It is compared with what was
  there before it.
- One memory has a tag at a time, the newest: equal tags would tell who has the database what was
  said twice. What is superseded by name has none; told again, it is news.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from memory.app.prepare import Named
from memory.app.sealing import open_features, seal_features, words_behind
from memory.core.content import Originals
from memory.core.draft import Draft
from memory.core.duplicates import (
    close,
    ends_no_earlier,
    means_the_same_days,
    needs_closeness,
    sameness,
    told_again,
)
from memory.core.keys import PersonKeys
from memory.core.purposes import Purpose
from memory.core.retention import end
from memory.core.values import (
    Access,
    AssistantId,
    MemoryContent,
    MemoryKind,
    PurposeId,
    RecordId,
)
from memory.ports import MemoryFilter, MemoryRow, RandomBytes, UnitOfWork


def content_tag(
    keys: PersonKeys,
    content: MemoryContent,
    originals: Originals,
    kind: MemoryKind,
    purpose: PurposeId,
    assistant: AssistantId,
) -> bytes:
    """By which SQL finds the same memory without knowing what it says."""
    words = words_behind(content, originals)
    return keys.tag(
        "content", sameness(content, words.text, words.speaker, kind, purpose, assistant)
    )


def named_tag(keys: PersonKeys, named: Named, purpose: PurposeId, assistant: AssistantId) -> bytes:
    """The same of what is about to be stored."""
    kind = named.prepared.draft.kind
    return content_tag(keys, named.content(), named.originals, kind, purpose, assistant)


@dataclass(frozen=True, slots=True)
class Placed:
    """What is told, as which memory, and the tag of that if it gets one."""

    id: RecordId
    named: Named
    tag: bytes | None

    @property
    def draft(self) -> Draft:
        return self.named.prepared.draft


@dataclass(slots=True)
class Sightings:
    """What one call tells again. `sort` what it tells, then `write`."""

    uow: UnitOfWork
    keys: PersonKeys
    access: Access
    purpose: Purpose
    now: datetime
    random: RandomBytes
    rows: dict[RecordId, MemoryRow] = field(default_factory=dict)
    """The memories told again, as they are now."""
    _found: list[MemoryRow] = field(default_factory=list)
    _known: dict[bytes, MemoryRow] = field(default_factory=dict)
    _parted: set[tuple[MemoryKind, str]] = field(default_factory=set)
    """Kinds and sessions in which this call tells something new."""

    def sort(self, named: Sequence[Named]) -> list[Placed]:
        """Each as a memory in `rows`, or as a new one; in order."""
        by = self.access.caller.assistant
        tags = [named_tag(self.keys, one, self.access.purpose, by) for one in named]
        alive = MemoryFilter(alive_at=self.now)
        found = self.uow.tagged_memories(self.keys.subject, tags, alive)
        self._found += found
        self._known |= {row.content_tag: row for row in found if row.content_tag is not None}
        last = {tag: place for place, tag in enumerate(tags)}
        return [
            Placed(
                self._again(one.prepared.draft, tag) or RecordId(self.random(16)),
                one,
                tag if last[tag] == place else None,
            )
            for place, (one, tag) in enumerate(zip(named, tags, strict=True))
        ]

    def write(self, new: Sequence[Placed]) -> None:
        """Writes down what was told again, and takes their tag from those that lose it."""
        self.uow.see_again(list(self.rows.values()))
        renewed = {one.tag for one in new}
        older = [row.id for row in self._found if row.content_tag in renewed]
        superseded = [record for one in new for record in one.draft.supersedes]
        self.uow.untag_memories(self.keys.subject, [*older, *superseded])

    def _again(self, draft: Draft, tag: bytes) -> RecordId | None:
        """The memory that the draft tells again; None for a new one."""
        ends = end(self.now, self.purpose.retention, draft.expire_time, self.now)
        row = self._known.get(tag)
        if row is None or not self._same(row, draft, ends):
            self._parted.add((draft.kind, draft.session))
            return None
        row = replace(row, expires_at=ends, sightings=row.sightings + 1, last_seen_at=self.now)
        features = open_features(self.keys, row)
        moved = told_again(features, draft.kind, draft.event_time, self.now)
        if moved is not features:
            row = replace(row, features=seal_features(self.keys, row.id, moved, self.random))
        self._known[tag] = self.rows[row.id] = row
        return row.id

    def _same(self, row: MemoryRow, draft: Draft, ends: datetime | None) -> bool:
        if not ends_no_earlier(ends, row.expires_at):
            return False
        if not needs_closeness(draft.kind, draft.event_time):
            said = draft.event_time or row.kept_from
            return means_the_same_days(draft.text, said, draft.event_time or self.now)
        parted = (draft.kind, draft.session) in self._parted
        return not parted and close(row.kept_from, self.now) and self._is_last(row)

    def _is_last(self, row: MemoryRow) -> bool:
        """Whether nothing of its kind came after it in its session."""
        beside = MemoryFilter(
            kinds=frozenset({row.kind}), session_tags=frozenset({row.session_tag})
        )
        return not self.uow.page_memories(self.keys.subject, beside, row.seq, 1)
