"""The register of requests: which right a person exercised, by when it is owed, how it ended.

Rules:
- A request is due one month after it came; for its complexity or their number that may be extended
  once, by two further months (GDPR Art. 12(3)). A month ends on the day of the same number, or on
  the last day of a shorter month (Regulation 1182/71 Art. 3(2)(c)).
- What a call fulfils at once is in the register too, received and finished at the same instant.
- Nothing in it says what was asked: a right, times, and an outcome. It outlives the person, and
  then no one can tell whose it was.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from memory.core.values import RecordId, SubjectId, TenantId
from memory.errors import RequestClosedError

MONTHS: Final = 1
EXTENDED_MONTHS: Final = 3

SOON: Final = timedelta(days=7)
"""What is due within it should be in somebody's hands."""


class Right(StrEnum):
    """The right that was exercised, by its GDPR article."""

    ACCESS = "access"  # 15
    PORTABILITY = "portability"  # 15 and 20: everything, to take away
    RECTIFICATION = "rectification"  # 16
    ERASURE = "erasure"  # 17
    RESTRICTION = "restriction"  # 18
    OBJECTION = "objection"  # 21


class Outcome(StrEnum):
    """How a request ended."""

    FULFILLED = "fulfilled"
    REFUSED = "refused"
    ABANDONED = "abandoned"


class Extension(StrEnum):
    """Why a request may take two months longer."""

    COMPLEXITY = "complexity"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class RightsRequest:
    """One request; open until it has an outcome. `subject` is None once the person is forgotten."""

    id: RecordId
    tenant: TenantId
    subject: SubjectId | None
    right: Right
    received_at: datetime
    due_at: datetime
    extended_for: Extension | None = None
    outcome: Outcome | None = None
    finished_at: datetime | None = None

    def extended(self, reason: Extension) -> RightsRequest:
        """Due three months after it came. Raises `RequestClosedError`."""
        if self.outcome is not None or self.extended_for is not None:
            raise RequestClosedError("this request has ended, or was extended before")
        due = months_after(self.received_at, EXTENDED_MONTHS)
        return replace(self, due_at=due, extended_for=reason)

    def finished(self, outcome: Outcome, now: datetime) -> RightsRequest:
        """With its outcome; one that has ended stays as it ended."""
        if self.outcome is not None:
            return self
        return replace(self, outcome=outcome, finished_at=now)


@dataclass(frozen=True, slots=True)
class OpenRequests:
    """How many requests have no outcome yet, and how many of these fall due within `SOON`, or are
    overdue. `next_due` is when the first of them is, or was, due; None without any.
    """

    count: int = 0
    due_soon: int = 0
    overdue: int = 0
    next_due: datetime | None = None

    def __add__(self, other: OpenRequests) -> OpenRequests:
        due = [one for one in (self.next_due, other.next_due) if one is not None]
        return OpenRequests(
            self.count + other.count,
            self.due_soon + other.due_soon,
            self.overdue + other.overdue,
            min(due, default=None),
        )


def received(
    id_: RecordId, tenant: TenantId, subject: SubjectId | None, right: Right, now: datetime
) -> RightsRequest:
    """A request that has just come, and is open."""
    return RightsRequest(id_, tenant, subject, right, now, months_after(now, MONTHS))


def months_after(moment: datetime, months: int) -> datetime:
    """The same time of the day, so many months later."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
