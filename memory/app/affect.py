"""Inferred mood taken out of what is stored, when consent to it is withdrawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from memory.app.sealing import open_memory, open_version, seal_body, seal_version
from memory.core.keys import PersonKeys
from memory.core.values import AssistantId, RecordId
from memory.ports import MemoryFilter, RandomBytes, UnitOfWork, VersionHead

_PAGE: Final = 200


def erase_affect(
    uow: UnitOfWork, keys: PersonKeys, assistant: AssistantId | None, random: RandomBytes
) -> int:
    """Seals anew, without it, each memory that has inferred mood, and its older versions; returns
    how many memories had.

    Args:
        assistant: what this one stored; None for all. The person must be locked.
    """
    seen: set[RecordId] = set()
    changed: set[RecordId] = set()
    after = -1
    filter_ = MemoryFilter(assistant=assistant)
    while rows := uow.page_memories(keys.subject, filter_, after, _PAGE):
        bare = []
        for row in rows:
            content = open_memory(keys, row, affect=True).content
            if content.affect is not None:
                body = seal_body(keys, row.id, replace(content, affect=None), random)
                bare.append(replace(row, body=body))
        uow.reseal_memories(bare)
        seen.update(row.id for row in rows)
        changed.update(row.id for row in bare)
        after = rows[-1].seq
    return len(changed | _erase_older(uow, keys, seen, random))


def _erase_older(
    uow: UnitOfWork, keys: PersonKeys, of: set[RecordId], random: RandomBytes
) -> set[RecordId]:
    changed: set[RecordId] = set()
    after = VersionHead(-1, 0)
    while rows := uow.page_versions(keys.subject, after, _PAGE):
        bare = []
        for row in rows:
            if row.id not in of:
                continue
            content, originals = open_version(keys, row)
            if content.affect is not None:
                plain = replace(content, affect=None)
                bare.append(seal_version(keys, row, plain, originals, random))
        uow.reseal_versions(bare)
        changed.update(row.id for row in bare)
        after = VersionHead(rows[-1].seq, rows[-1].version)
    return changed
