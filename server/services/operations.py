"""OperatorService: how the server is, and its keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Final

from memory.app.consents import Consents
from memory.app.register import Register
from memory.app.reindex import Reindex
from memory.app.rekey import Rekey
from memory.app.report import Report
from memory.app.restrict import Restrict
from memory.app.rotate import Progress, Rotate
from memory.app.status import EpochUse, Status
from memory.app.tenants import Tenants, TenantUse
from memory.core.micros import to_place
from memory.core.report import ReportKind
from memory.core.values import TenantId
from memory.errors import InvalidArgumentError
from memory.v1 import operator_service_pb2 as pb
from memory.v1.core_pb2 import DataSubjectRequest
from server.call import Answer, Call
from server.messages import maybe_timestamp, to_time, to_timestamp
from server.names import person_from, person_name, purpose_from, purpose_name, tenant_name
from server.page_tokens import PageTokens, page_size
from server.rights_requests import (
    decode_after,
    from_request,
    request_from,
    to_extension,
    to_outcome,
)

MAX_REQUEST_ID_CHARS: Final = 64

_REPORTS: Final = {
    pb.GetReportRequest.KIND_ROPA: ReportKind.ROPA,
    pb.GetReportRequest.KIND_DPIA: ReportKind.DPIA,
}


@dataclass(frozen=True, slots=True)
class Operations:
    """Translates between `memory.v1.OperatorService` and the use cases."""

    status: Status
    tenants: Tenants
    rotate: Rotate
    rekey: Rekey
    reindex: Reindex
    restrict: Restrict
    consents: Consents
    register: Register
    report: Report
    tokens: PageTokens
    started_at: datetime
    verifier_key: str

    def answers(self) -> Mapping[str, Answer]:
        """Every rpc of the service."""
        return {
            "RotateKeys": self._rotate,
            "GetStatus": self._status,
            "ListTenants": self._tenants,
            "PlaceLegalHold": self._hold,
            "ReleaseLegalHold": self._release,
            "InvalidateConsents": self._invalidate,
            "RebuildIndex": self._rebuild,
            "ListDataSubjectRequests": self._requests,
            "ExtendDataSubjectRequest": self._extend,
            "CloseDataSubjectRequest": self._close,
            "GetReport": self._report,
        }

    def _requests(
        self, call: Call, request: pb.ListDataSubjectRequestsRequest
    ) -> pb.ListDataSubjectRequestsResponse:
        after = decode_after(self.tokens.cursor(call, request))
        requests, more = self.register.due(
            call.caller, after, page_size(request.page_size), unfinished=not request.show_closed
        )
        return pb.ListDataSubjectRequestsResponse(
            requests=map(from_request, requests),
            next_page_token=self.tokens.after(call, request, more and to_place(*more)),
        )

    def _extend(
        self, call: Call, request: pb.ExtendDataSubjectRequestRequest
    ) -> DataSubjectRequest:
        id_ = request_from(request.name, "name")
        reason = to_extension(request.reason, "reason")
        return from_request(self.register.extend(call.caller, id_, reason))

    def _close(self, call: Call, request: pb.CloseDataSubjectRequestRequest) -> DataSubjectRequest:
        id_ = request_from(request.name, "name")
        outcome = to_outcome(request.outcome, "outcome")
        return from_request(self.register.close(call.caller, id_, outcome))

    def _report(self, call: Call, request: pb.GetReportRequest) -> pb.GetReportResponse:
        try:
            kind = _REPORTS[request.kind]
        except KeyError:
            raise InvalidArgumentError("kind", "must be one of GetReportRequest.Kind") from None
        report = self.report(call.caller.tenant, kind)
        return pb.GetReportResponse(json=report.json(), markdown=report.markdown())

    def _rotate(self, call: Call, request: pb.RotateKeysRequest) -> pb.RotateKeysResponse:
        if not 0 < len(request.request_id) <= MAX_REQUEST_ID_CHARS:
            raise InvalidArgumentError("request_id", "is needed: a random UUID")
        if not request.parent:
            return _progress(self.rotate(call.caller, request.request_id))
        person = person_from(call.caller, request.parent, "parent")
        return _progress(self.rekey(call.caller, person, request.request_id))

    def _rebuild(self, call: Call, request: pb.RebuildIndexRequest) -> pb.RebuildIndexResponse:
        person = person_from(call.caller, request.parent, "parent") if request.parent else None
        return pb.RebuildIndexResponse(memory_count=self.reindex(call.caller, person))

    def _hold(self, call: Call, request: pb.PlaceLegalHoldRequest) -> pb.LegalHold:
        person = person_from(call.caller, request.name, "name")
        until = to_time(request.expire_time, "expire_time")
        self.restrict.hold(call.caller, person, until, request.reference)
        return pb.LegalHold(
            name=f"{person_name(person)}/legalHold",
            reference=request.reference,
            expire_time=request.expire_time,
        )

    def _release(self, call: Call, request: pb.ReleaseLegalHoldRequest) -> pb.LegalHold:
        person = person_from(call.caller, request.name, "name")
        self.restrict.release(call.caller, person)
        return pb.LegalHold(name=f"{person_name(person)}/legalHold")

    def _invalidate(
        self, call: Call, request: pb.InvalidateConsentsRequest
    ) -> pb.InvalidateConsentsResponse:
        purpose = purpose_from(request.purpose, "purpose")
        count = self.consents.invalidate(call.caller, purpose, request.notice_version)
        return pb.InvalidateConsentsResponse(consent_count=count)

    def _status(self, _call: Call, _request: pb.GetStatusRequest) -> pb.GetStatusResponse:
        counts = self.status()
        return pb.GetStatusResponse(
            version=version("tacit-memory"),
            start_time=to_timestamp(self.started_at),
            memory_count=counts.memories,
            person_count=counts.people,
            unindexed_count=counts.unindexed,
            pending_erasure_count=counts.pending_erasures,
            key_epoch=str(counts.key_epoch),
            key_epochs=[_epoch(epoch) for epoch in counts.epochs],
            expired_count=counts.expired,
            oldest_expired_time=maybe_timestamp(counts.oldest_expired),
            oldest_unindexed_time=maybe_timestamp(counts.oldest_unindexed),
            rotation=None if counts.rotation is None else _progress(counts.rotation),
            oldest_pending_erasure_time=maybe_timestamp(counts.oldest_pending_erasure),
            waiting_erasure_count=counts.waiting_erasures,
            verifier_key=self.verifier_key,
            open_request_count=counts.requests.count,
            due_soon_request_count=counts.requests.due_soon,
            overdue_request_count=counts.requests.overdue,
            next_request_due_time=maybe_timestamp(counts.requests.next_due),
        )

    def _tenants(self, call: Call, request: pb.ListTenantsRequest) -> pb.ListTenantsResponse:
        cursor = self.tokens.cursor(call, request)
        after = None if cursor is None else TenantId(cursor.decode())
        page, last = self.tenants(after, page_size(request.page_size))
        return pb.ListTenantsResponse(
            tenants=map(_tenant, page),
            next_page_token=self.tokens.after(
                call, request, None if last is None else last.value.encode()
            ),
        )


def _progress(progress: Progress) -> pb.RotateKeysResponse:
    return pb.RotateKeysResponse(
        key_epoch=str(progress.epoch) if progress.epoch else "",
        done_count=progress.done,
        total_count=progress.total,
        complete_time=maybe_timestamp(progress.finished_at),
    )


def _tenant(use: TenantUse) -> pb.TenantStatus:
    return pb.TenantStatus(
        name=tenant_name(use.tenant),
        person_count=use.people,
        memory_count=use.memories,
        open_request_count=use.requests.count,
        due_soon_request_count=use.requests.due_soon,
        overdue_request_count=use.requests.overdue,
        next_request_due_time=maybe_timestamp(use.requests.next_due),
        purposes=[
            pb.PurposeStatus(name=purpose_name(purpose), consent_count=count)
            for purpose, count in use.consents.items()
        ],
    )


def _epoch(epoch: EpochUse) -> pb.KeyEpoch:
    return pb.KeyEpoch(
        key_epoch=str(epoch.number),
        key_count=epoch.keys,
        create_time=maybe_timestamp(epoch.created_at),
        destroy_time=maybe_timestamp(epoch.destroyed_at),
    )
