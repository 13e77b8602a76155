"""What people's rights need of the outside world: older versions, a register, ends, a spool.

Parts of `memory.ports`, which has them too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from memory.core.requests import RightsRequest
from memory.core.rows import VersionHead, VersionRow
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


class Spool(Protocol):
    """Puts bytes aside for a while, where nobody else can read them."""

    def append(self, piece: bytes) -> None: ...
    def pieces(self) -> Iterator[bytes]:
        """All of them, in order; may be read again."""
        ...

    def close(self) -> None: ...
