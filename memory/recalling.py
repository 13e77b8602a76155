"""A memory that only recalls, for a process beside the server: it reads SQL, and writes nothing.

    recalling = open_recalling(setup, lend, note, observer)
    recalling.keys.about = ref
    recalling.recall.best(...)

Rules:
- It has neither the key-encryption key nor the deployment's root. A person's keys are lent by the
  server, one person at a time, and kept `LENT_SECONDS` at most.
- The event of a read goes to the server (`note`), whose answer must wait until it is on disk.
- Who was fenced or erased is dropped as soon as the server says so, or SQL does (`follow`).
- What it cannot do (ask the index, write a refusal down) raises `NotHereError`: the server then
  does all of it itself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn, cast

from memory.adapters.onnx_encoder import OnnxEncoder
from memory.adapters.sql.store import open_to_read
from memory.app.caches import erased_of
from memory.app.candidates import Candidates
from memory.app.keyring import MAX_PEOPLE, Keyring
from memory.app.lay_out import LayOut
from memory.app.ledger import Ledger
from memory.app.lru import Lru
from memory.app.opened import OpenedFeatures
from memory.app.recall import Recall
from memory.core.keys import PersonKeys
from memory.core.purposes import Registry
from memory.core.values import PersonId, PersonRef, Secret, SubjectId, TenantId
from memory.ports import AccessEvent, Observer, PersonRow, Store

LENT_SECONDS: Final = 10
"""How long a lent key may be used without asking again."""

Lend = Callable[[PersonRef], tuple[int, Secret]]
"""The version of the key of whom SQL knows by this, and what it wraps."""

Note = Callable[[AccessEvent, bytes], None]
"""Puts an event, with its leaf hash, on its way to the disk."""


class NotHereError(Exception):
    """The server has to do this itself."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What of the server's settings a recall needs."""

    database_url: str
    encoder: Path
    registry: Registry
    search_in_memory: int
    idle_seconds: int
    key_cache_seconds: int


class LentKeys(Keyring):
    """The keyring of who holds no key: of the person whom a call is about, and by what is lent."""

    def __init__(self, lend: Lend, seconds: float) -> None:
        self._lend = lend
        self._monotonic = time.monotonic
        self._max_age = seconds
        self._people = Lru(MAX_PEOPLE)
        self.about: PersonRef | None = None

    def ref(self, tenant: TenantId, person: PersonId) -> PersonRef:
        if self.about is None:
            raise NotHereError
        return self.about

    def _unwrap(self, person: PersonRow) -> PersonKeys:
        version, root = self._lend(person.ref)
        if version != person.key_version:
            raise NotHereError
        return PersonKeys.opened(person.tenant, person.subject, version, root)


@dataclass(frozen=True, slots=True)
class Recalling:
    """What a process beside the server works with until it ends."""

    recall: Recall
    keys: LentKeys
    opened: OpenedFeatures
    store: Store

    def forget(self, subject: SubjectId) -> None:
        """Drops what is held of this person, and keeps nothing of them again."""
        self.keys.forget(subject)
        self.opened.forget(subject)

    def drop(self, subject: SubjectId) -> None:
        """Drops this person's memories; what is needed is opened again."""
        self.opened.drop(subject)

    def follow(self) -> None:
        """Drops whoever was fenced or erased, and who was not recalled for a while."""
        for subject in erased_of(self.store, self.keys.held() | self.opened.held()):
            self.forget(subject)
        self.opened.evict_idle()


def open_recalling(setup: Setup, lend: Lend, note: Note, observer: Observer) -> Recalling:
    """Opens the database to read, and the encoder.

    Raises:
        ConfigurationError, StorageUnavailableError: as the server's own start does.
    """
    store = open_to_read(setup.database_url)
    encoder = OnnxEncoder(setup.encoder)
    keys = LentKeys(lend, min(LENT_SECONDS, setup.key_cache_seconds))
    opened = OpenedFeatures(time.monotonic, setup.idle_seconds)
    layout = LayOut(store, opened)
    layout.start()
    notes = cast(Any, _Notes(note))
    recall = Recall(
        store,
        keys,
        setup.registry,
        encoder,
        Candidates(
            cast(Any, _NoIndex()),
            opened,
            _nothing,
            layout.ask,
            setup.search_in_memory,
            observer,
        ),
        _utc_now,
        Ledger(keys, notes, notes, _utc_now, os.urandom, _nothing),
        observer,
        os.urandom,
    )
    return Recalling(recall, keys, opened, store)


class _NoIndex:
    """In the place of `Nearest`."""

    def propose(self, *_: object) -> NoReturn:
        raise NotHereError


class _Notes:
    """In the place of `Recorder` and `Refusals`."""

    def __init__(self, note: Note) -> None:
        self._note = note

    def submit(self, event: AccessEvent, leaf: bytes) -> _Notes:
        self._note(event, leaf)
        return self

    def wait(self) -> None:
        """The server waits."""

    def note(self, _refused: object) -> NoReturn:
        raise NotHereError


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _nothing() -> None: ...
