"""What an erasure must leave no trace of, gathered while the keys still open it.

    needles = residue.gather(person_row, person)     before the key is destroyed
    report = residue.scanner.scan(needles)           after the sweep
    certificate ◀ report.stores, report.residues, report.looked_for

Rules:
- Gathered before the key goes, held in memory until the scan, never written: what a crash takes
  away cannot be looked for any more, and whoever certifies must say so.
- All names, and of very many memories `MAX_MEMORIES`, evenly spread; `looked_for` says how many.
- Reading needs no consent: it is done for the erasure alone, and nothing of it leaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from memory.app.keyring import Keyring
from memory.app.prepare import vault_place
from memory.app.sealing import open_features, open_memory, open_words
from memory.app.veiling import Veils
from memory.core.keys import PersonKeys
from memory.core.protection import Mode
from memory.core.record_format import unseal
from memory.core.residue import Needles
from memory.core.values import PersonId, RecordId
from memory.ports import (
    MemoryFilter,
    MemoryRow,
    PersonRow,
    ResidueScanner,
    Store,
    UnitOfWork,
    VectorIndex,
)

MAX_MEMORIES: Final = 2_000
"""Gathered in about a second, and looked for at the speed of a disk."""

_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Residue:
    """What to look for, and who looks."""

    store: Store
    keyring: Keyring
    veils: Veils
    index: VectorIndex
    scanner: ResidueScanner

    def gather(
        self,
        person: PersonRow,
        name: PersonId | None = None,
        records: Sequence[RecordId] | None = None,
    ) -> Needles:
        """Everything of a person, or of some of their memories only.

        Args:
            name: what the tenant calls the person, if the caller knows.
            records: these memories. Then neither the vault nor the key is looked for, since both
                stay, but the sealed records are, since they could be opened.

        Raises:
            KeyUnavailableError, SealError: the person's records cannot be opened.
        """
        needles = Needles()
        with self.store.read() as uow:
            keys = self.keyring.keys(person)
            if records is None:
                needles.add_names([name.value] if name else [])
                needles.add_names(
                    unseal(keys, keys.vault, vault_place(entity), sealed).decode()
                    for entity, sealed in uow.vault(person.subject)
                )
                needles.add_wrapped_keys([person.wrapped_key.value])
            for rows in _pages(uow, person, records):
                self._add(needles, person, keys, rows)
                if records is not None:
                    fields = ((row.body, row.features, row.originals) for row in rows)
                    needles.add_sealed_records(sealed.value for row in fields for sealed in row)
        return needles

    def _add(
        self, needles: Needles, person: PersonRow, keys: PersonKeys, rows: Sequence[MemoryRow]
    ) -> None:
        for row in rows:
            memory = open_memory(keys, row)
            words = open_words(keys, row, memory.content)
            said = [memory.content.text.value, words.text.value, memory.content.session]
            needles.add_texts([*said, *memory.content.labels.values()])
        exact = np.stack([open_features(keys, row).vector for row in rows])
        needles.add_vectors(exact)
        if self.veils.mode(person.tenant) is Mode.VEILED:
            veiled = self.veils.records(keys, [row.id for row in rows], exact)
            needles.add_veiled(self.index.written(veiled))


def _pages(
    uow: UnitOfWork, person: PersonRow, records: Sequence[RecordId] | None
) -> Iterator[list[MemoryRow]]:
    """The rows, some at a time; evenly spread when there are too many."""
    if records is not None:
        step = -(-len(records) // MAX_MEMORIES) or 1
        chosen = records[::step]
        for start in range(0, len(chosen), _PAGE):
            if rows := uow.memories(person.subject, chosen[start : start + _PAGE], MemoryFilter()):
                yield rows
        return
    step = -(-uow.count_memories(person.subject, MemoryFilter()) // MAX_MEMORIES) or 1
    after = -1
    while rows := uow.page_memories(person.subject, MemoryFilter(), after, _PAGE):
        after = rows[-1].seq
        yield rows[::step]
