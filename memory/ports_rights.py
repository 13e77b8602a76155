"""What people's rights need of the outside world: older versions, a register, ends, a spool; and
figures, for who answers for them.

Parts of `memory.ports`, which has them too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from memory.core.requests import OpenRequests, RightsRequest
from memory.core.rows import ConsentCount, VersionHead, VersionRow
from memory.core.values import PurposeId, RecordId, SubjectId, TenantId


class KeepsVersions(Protocol):
    """Older versions: written when a memory is replaced, gone when it is deleted."""

    def add_versions(self, rows: Sequence[VersionRow]) -> None: ...
    def version_heads(self, subject: SubjectId) -> list[VersionHead]: ...
    def page_versions(self, subject: SubjectId, after: VersionHead, limit: int) -> list[VersionRow]:
        """Ascending by `seq` and version, starting behind `after`."""
        ...

    def reseal_versions(self, rows: Sequence[VersionRow]) -> None:
        """New sealed fields."""
        ...


class KeepsRequests(Protocol):
    """The register of requests."""

    def rights_request(self, tenant: TenantId, id: RecordId) -> RightsRequest | None: ...
    def put_rights_request(self, row: RightsRequest) -> None: ...
    def page_rights_requests(
        self, tenant: TenantId, after: tuple[datetime, RecordId], limit: int, *, unfinished: bool
    ) -> list[RightsRequest]:
        """Ascending by when they are due, starting behind `after`."""
        ...

    def page_persons_requests(
        self, subject: SubjectId, after: tuple[datetime, RecordId], limit: int
    ) -> list[RightsRequest]:
        """Ascending by when they came, starting behind `after`."""
        ...

    def open_requests(self, now: datetime) -> Mapping[TenantId, OpenRequests]:
        """Of every tenant that has any; cheap, however long the register is."""
        ...


class EndsMemories(Protocol):
    """Retention."""

    def tenants(self) -> list[TenantId]: ...
    def shorten_retention(self, tenant: TenantId, purpose: PurposeId, retention: timedelta) -> int:
        """Lets what is kept for it end so soon after it was told last; how many did not before."""
        ...

    def claim_expired(self, now: datetime, limit: int) -> list[tuple[SubjectId, RecordId]]:
        """The longest expired that may be erased; others pass them over until this ends."""
        ...

    def expired(self, now: datetime) -> tuple[int, datetime | None]:
        """How many memories have expired and are there still, and since when the oldest has."""
        ...


class Tally(Protocol):
    """How much there is."""

    def totals(self) -> tuple[int, int]:
        """How many people and how many memories there are."""
        ...

    def memory_counts(self) -> Mapping[SubjectId, int]:
        """How many memories everybody has who has any."""
        ...

    def totals_of(self, tenants: Sequence[TenantId]) -> Mapping[TenantId, tuple[int, int]]:
        """The same for each of these tenants."""
        ...

    def page_tenants(self, after: TenantId | None, limit: int) -> list[TenantId]:
        """Those with people or open requests, ascending by name, starting behind `after`."""
        ...

    def consents_in_force(self, tenants: Sequence[TenantId], now: datetime) -> list[ConsentCount]:
        """The yeses that hold, each the latest decision of its person, purpose and assistant; see
        `memory.core.consent`. Whether their notice holds is not looked at.
        """
        ...


class Spool(Protocol):
    """Puts bytes aside for a while, where nobody else can read them."""

    def append(self, piece: bytes) -> None: ...
    def pieces(self) -> Iterator[bytes]:
        """All of them, in order; may be read again."""
        ...

    def close(self) -> None: ...
