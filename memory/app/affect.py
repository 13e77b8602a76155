"""Inferred mood taken out of what is stored, when consent to it is withdrawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from memory.app.sealing import open_memory, seal_body
from memory.core.keys import PersonKeys
from memory.core.values import AssistantId
from memory.ports import MemoryFilter, RandomBytes, UnitOfWork

_PAGE: Final = 200


def erase_affect(
    uow: UnitOfWork, keys: PersonKeys, assistant: AssistantId | None, random: RandomBytes
) -> int:
    """Seals anew, without it, each memory that has inferred mood; returns how many had.

    Args:
        assistant: what this one stored; None for all. The person must be locked.
    """
    changed = 0
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
        changed += len(bare)
        after = rows[-1].seq
    return changed
