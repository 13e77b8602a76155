"""Erasures that were accepted while the database was away: one small file each.

    DATA/erasures.pending/ERASURE.json
        {"tenant", "assistant", "ref", "at_once", "by_person", "at"}

Rules:
- A file is there in full, synced with its folder, or not at all.
- It holds a keyed hash of the person, as SQL does, and is removed once SQL has the erasure.
- One that cannot be read stops the start: it is an erasure that somebody was promised.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from memory.core.values import AssistantId, PersonRef, RecordId, TenantId
from memory.errors import ConfigurationError, StorageFullError
from memory.ports import Intent


class IntentFolder:
    """The `Intents` of `memory.ports`, in a folder that this server alone writes to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, intent: Intent) -> None:
        fields = {
            "tenant": intent.tenant.value,
            "assistant": intent.assistant.value,
            "ref": intent.ref.hex(),
            "at_once": intent.at_once,
            "by_person": intent.by_person,
            "at": intent.at.isoformat(),
        }
        path = self._path(intent.id)
        draft = path.with_suffix(".part")
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.truncate()
                json.dump(fields, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            self._sync()
        except OSError:
            raise StorageFullError(
                "neither the database nor the data folder takes the erasure; call again"
            ) from None

    def all(self) -> list[Intent]:
        found = []
        try:
            for path in sorted(self._folder.glob("*.json")):
                with suppress(FileNotFoundError):  # carried out meanwhile
                    found.append(self._read(path))
        except (OSError, ValueError, LookupError, TypeError):
            raise ConfigurationError(
                f"{self._folder} holds an accepted erasure that cannot be read; restore it"
            ) from None
        return found

    def remove(self, erasure: RecordId) -> None:
        with suppress(FileNotFoundError):
            self._path(erasure).unlink()
            self._sync()

    def _path(self, erasure: RecordId) -> Path:
        return self._folder / f"{erasure}.json"

    def _read(self, path: Path) -> Intent:
        fields = json.loads(path.read_text("utf-8"))
        return Intent(
            id=RecordId.parse(path.stem),
            tenant=TenantId(fields["tenant"]),
            assistant=AssistantId(fields["assistant"]),
            ref=PersonRef(bytes.fromhex(fields["ref"])),
            at_once=fields["at_once"] is True,
            by_person=fields["by_person"] is True,
            at=datetime.fromisoformat(fields["at"]),
        )

    def _sync(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
