"""Erasure: what is to go, how far it has come, and which step is next (GDPR Art. 17).

    a person     fenced ▶ key destroyed ▶ swept ▶ done
    memories     fenced ▶ key destroyed ▶ swept ▶ done
                 (the rows go with the first step; the key that could open old copies of them dies
                 when the person's other memories have been sealed under a new one)

Rules:
- States only rise, and each says what is true from then on, whatever crashes.
- An erasure outlives the person and says nothing of who they were: its pseudonym is keyed with the
  erasure's own random id, so that two erasures of one person look like two people's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from memory.core.residue import Report
from memory.core.values import RecordId, SubjectId, TenantId


class ErasureState(StrEnum):
    """How far an erasure has come; each state includes those before it."""

    FENCED = "fenced"
    KEY_DESTROYED = "key_destroyed"
    SWEPT = "swept"
    DONE = "done"


class ErasureCall(StrEnum):
    """What asked for it."""

    FORGET_USER = "ForgetUser"
    DELETE_MEMORY = "DeleteMemory"
    ERASE_MEMORIES = "EraseMemories"
    WITHDRAW_CONSENT = "WithdrawConsent"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class Scope:
    """What was asked to go, without content: which kinds of narrowing, never their values but
    for registered purposes and kinds. Empty of all: the person, with everything.
    """

    whole: bool = True
    purposes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    narrowed_by: tuple[str, ...] = ()
    """Further conditions, by name: "memory", "session", "time", "source", "expiry"."""

    def to_json(self) -> dict[str, object]:
        """As it stands in a certificate."""
        if self.whole:
            return {"what": "person"}
        return {
            "what": "memories",
            "purposes": sorted(self.purposes),
            "kinds": sorted(self.kinds),
            "narrowed_by": sorted(self.narrowed_by),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, object]) -> Self:
        """The opposite of `to_json`."""
        if fields["what"] == "person":
            return cls()
        lists = {k: v for k, v in fields.items() if isinstance(v, list)}
        return cls(
            False,
            tuple(lists["purposes"]),
            tuple(lists["kinds"]),
            tuple(lists["narrowed_by"]),
        )


PERSON: Final = Scope()


@dataclass(frozen=True, slots=True)
class ErasureRow:
    """An erasure as a resource of its own; `subject` and `collection` are empty once done."""

    id: RecordId
    tenant: TenantId
    state: ErasureState
    subject: SubjectId | None
    collection: str
    memories: int
    consents: int
    vault_entries: int
    started_at: datetime
    finished_at: datetime | None
    call: ErasureCall = ErasureCall.FORGET_USER
    scope: Scope = PERSON
    at_once: bool = False
    """Whether the key epoch is to be rolled for it alone, without waiting for others."""
    pseudonym: bytes = b""
    key_version: int = 0
    """The version of the person's key that could open what is erased."""
    epoch: int = 0
    """The epoch that key was wrapped under; 0 where there was none."""
    key_destroyed_at: datetime | None = None
    swept_at: datetime | None = None
    epoch_destroyed_at: datetime | None = None
    before: Mapping[str, int] = field(default_factory=dict)
    after: Mapping[str, int] = field(default_factory=dict)
    scan: Mapping[str, object] = field(default_factory=dict)
    intent: bytes = b""
    certificate: bytes = b""
    waits_for: str = ""
    """The reason of the last failure, while it waits; see `memory.v1.ErrorReason`."""

    def epoch_due(self, bound: timedelta) -> datetime | None:
        """When the epoch must have been rolled; None where there is nothing to roll."""
        if not self.epoch or self.epoch_destroyed_at is not None:
            return None
        return self.started_at if self.at_once else self.started_at + bound

    @property
    def settled(self) -> bool:
        """Nothing is left to do, neither here nor at the key provider."""
        return self.state is ErasureState.DONE and (
            not self.epoch or self.epoch_destroyed_at is not None
        )


def scanned(*, rewritten: bool, report: Report | None = None) -> dict[str, object]:
    """What was done to files: the database rewritten without its free pages, or overwritten where
    rows were; and what a residue scan looked for and found, if one was performed.
    """
    database = "rewritten" if rewritten else "overwritten in place"
    if report is None:
        return {"performed": False, "database": database}
    stores = {
        store.value: {"files": count.files, "bytes": count.size, "found": sum(count.found.values())}
        for store, count in report.stores.items()
    }
    return {
        "performed": True,
        "database": database,
        "looked_for": {kind.value: count for kind, count in report.looked_for.items()},
        "residues": report.residues,
        "stores": stores,
        "unread_files": len(report.unread),
    }
