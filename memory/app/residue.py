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

import time
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
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
from memory.core.values import PersonId, RecordId, Vector
from memory.ports import (
    MemoryFilter,
    MemoryRow,
    PersonRow,
    ResidueScanner,
    Store,
    VectorIndex,
)

MAX_MEMORIES: Final = 2_000
"""Gathered in some two seconds, and looked for at the speed of a disk."""

PACE: Final = 0.001
"""Seconds that each of them is given, where reading takes no longer: most are for others."""

_PAGE: Final = 100
_TURN: Final = 10
"""Memories that are opened in some 1 ms; whoever comes meanwhile waits for the interpreter."""


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
            heads = uow.heads(person.subject, MemoryFilter(), records)
        chosen = [head.id for head in sorted(heads, key=attrgetter("seq"))]
        chosen = chosen[:: -(-len(chosen) // MAX_MEMORIES) or 1]
        began = time.monotonic()
        for start in range(0, len(chosen), _PAGE):
            with self.store.read() as uow:
                rows = uow.memories(person.subject, chosen[start : start + _PAGE], MemoryFilter())
            vectors = []
            for place, row in enumerate(rows, start + 1):
                vectors.append(_add(needles, keys, row))
                if place % _TURN == 0:
                    time.sleep(max(0.0, began + PACE * place - time.monotonic()))
            if rows:
                self._add_vectors(needles, person, keys, rows, np.stack(vectors))
            if records is not None:
                fields = ((row.body, row.features, row.originals) for row in rows)
                needles.add_sealed_records(sealed.value for row in fields for sealed in row)
        return needles

    def _add_vectors(
        self,
        needles: Needles,
        person: PersonRow,
        keys: PersonKeys,
        rows: Sequence[MemoryRow],
        exact: Vector,
    ) -> None:
        needles.add_vectors(exact)
        if self.veils.mode(person.tenant) is Mode.VEILED:
            veiled = self.veils.records(keys, [row.id for row in rows], exact)
            needles.add_veiled(self.index.written(veiled))


def _add(needles: Needles, keys: PersonKeys, row: MemoryRow) -> Vector:
    """What a memory says; returns its exact vector (d,)."""
    memory = open_memory(keys, row)
    words = open_words(keys, row, memory.content)
    said = [memory.content.text.value, words.text.value, memory.content.session]
    needles.add_texts([*said, *memory.content.labels.values()])
    return open_features(keys, row).vector
