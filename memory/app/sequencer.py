"""Takes the leaves of committed events into the tree, and signs how it stands.

    waiting leaves ▶ tiles, places, checkpoint: ONE SQL transaction ▶ the file beside the database

Rules:
- An event's leaf is in the signed tree within about a second; before that it waits in SQL, where
  the event's own transaction has put it, and survives a crash there.
- One server at a time, in one transaction: the tree that a checkpoint signs is the tree that SQL
  holds, whatever crashes.
- Nothing is added to a tree that is not the signed one.
- The file is written after the commit: it is never ahead of the database.
- No error stops the worker: it waits, and tries again.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import Final

from memory.app.worker import Worker
from memory.core.ledger import Checkpoint, own_checkpoint
from memory.core.merkle import EMPTY_ROOT
from memory.core.signing import Signer
from memory.core.tiles import append, edge, root_of
from memory.errors import SealError, SignatureError, TacitError
from memory.ports import CheckpointFile, Clock, Store, UnitOfWork

log = logging.getLogger(__name__)

BATCH: Final = 256
"""Leaves in one transaction: on SQLite, readers that record wait for it."""

SETTLE_SECONDS: Final = 0.4
"""How long events may gather: one signature for all of them."""

IDLE_SECONDS: Final = 1.0
"""How often to look without being woken: another server may have died with leaves waiting."""


@dataclass
class Sequencer(Worker):
    """The worker between the events and the tree."""

    store: Store
    signer: Signer
    file: CheckpointFile
    clock: Clock
    thread_name = "sequencer"
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Sees to it that there is a checkpoint under today's name, then works in a thread."""
        with self.store.write() as uow:
            note = uow.ledger_note()
            stands = None if note is None else own_checkpoint(note, self.signer.verifier)
            if stands is None or stands.origin != self.signer.verifier.name:
                size, root = (0, EMPTY_ROOT) if stands is None else (stands.size, stands.root)
                uow.put_ledger_note(self._signed(size, root))
                uow.commit()
        super().start()

    def work(self) -> int:
        """Takes in everything that waits; returns how many leaves that were. What comes meanwhile
        waits for the next time: a batch costs the same for one leaf as for many.

        Raises:
            SealError: the tree in SQL is not the one that was signed.
        """
        done = count = self._batch()
        while count == BATCH:
            count = self._batch()
            done += count
        return done

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._wake.wait(IDLE_SECONDS):
                self._stop.wait(SETTLE_SECONDS)
            self._wake.clear()
            try:
                self.work()
            except TacitError as error:
                log.warning("the ledger waits: %s", error.reason)
                self._stop.wait(IDLE_SECONDS)

    def _batch(self) -> int:
        with self._lock:
            with self.store.read() as uow:
                if not uow.waiting_leaves():
                    return 0
            with self.store.write() as uow:
                leaves = uow.take_waiting_leaves(BATCH)
                if not leaves:
                    return 0
                note = self._take_in(uow, leaves)
                uow.commit()
            self.file.write(note)
        return len(leaves)

    def _take_in(self, uow: UnitOfWork, leaves: list[bytes]) -> str:
        size = self._size(uow)
        held = uow.tiles(edge(size))
        changed = append(held, size, leaves)
        uow.put_tiles(changed)
        uow.add_places(size, leaves)
        size += len(leaves)
        note = self._signed(size, root_of(held | changed, size))
        uow.put_ledger_note(note)
        return note

    def _size(self, uow: UnitOfWork) -> int:
        """Of the tree to add to, which is seen to be the signed one."""
        note = uow.ledger_note()
        if note is None:
            return 0
        try:
            checkpoint = own_checkpoint(note, self.signer.verifier)
            if root_of(uow.tiles(edge(checkpoint.size)), checkpoint.size) == checkpoint.root:
                return checkpoint.size
        except SignatureError:
            pass
        raise SealError("the ledger's tree is not the one that was signed")

    def _signed(self, size: int, root: bytes) -> str:
        origin = self.signer.verifier.name
        return Checkpoint(origin, size, root, self.clock()).sign(self.signer)
