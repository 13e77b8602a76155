"""Reveal: real names in place of pseudonyms, by right, and written down.

Rules:
- Needs a consent for `REVEAL` beside the one for the call's own purpose, checked in the same
  transaction that reads the originals and writes the access event.
- What cannot be written down is not revealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from memory.app.gate import admit, not_allowed
from memory.app.keyring import Keyring
from memory.app.ledger import Ledger, refusals_logged
from memory.app.sealing import Remembered, open_words
from memory.core.consent import REVEAL
from memory.core.purposes import Registry
from memory.core.values import Access
from memory.ports import AccessAction, Clock, MemoryFilter, Store


@dataclass(frozen=True, slots=True)
class Reveal:
    """The use case behind every `reveal` flag."""

    store: Store
    keyring: Keyring
    registry: Registry
    clock: Clock
    ledger: Ledger

    @refusals_logged(AccessAction.REVEAL)
    def __call__(self, access: Access, memories: Sequence[Remembered]) -> list[Remembered]:
        """The same memories with `words`; one that was deleted meanwhile is left out.

        Raises:
            ConsentError, ErasureInProgressError: nothing is revealed.
            StorageFullError, StorageUnavailableError: it could not be written down.
        """
        ref = self.keyring.ref(access.caller.tenant, access.person)
        purposes = self.registry.of(access.caller.tenant)
        with self.store.write() as uow:
            admission = admit(uow, ref, purposes, access, self.clock())
            if REVEAL not in admission.visible:
                raise not_allowed(access, REVEAL, "this assistant see real names")
            keys = self.keyring.keys(admission.person)
            filter_ = MemoryFilter(purposes=admission.visible, alive_at=admission.at)
            rows = uow.memories(keys.subject, [m.id for m in memories], filter_)
            by = access.caller.assistant
            self.ledger.write(uow, keys, by, AccessAction.REVEAL, len(rows), access.purpose)
            uow.commit()
        current = {row.id: row for row in rows}
        return [
            replace(m, words=open_words(keys, current[m.id], m.content))
            for m in memories
            if m.id in current and current[m.id].version == m.version
        ]
