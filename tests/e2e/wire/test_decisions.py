"""What a person decides besides a yes, its receipt, restriction and legal hold, on the wire."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from memory.v1 import consent_service_pb2 as pb
from memory.v1 import memory_service_pb2
from memory.v1.core_pb2 import AccessContext, Memory
from memory.v1.operator_service_pb2 import (
    InvalidateConsentsRequest,
    PlaceLegalHoldRequest,
    ReleaseLegalHoldRequest,
)
from memory.v1.subject_rights_service_pb2 import (
    ExportDataRequest,
    ForgetUserRequest,
    LiftRestrictionRequest,
    ListAccessEventsRequest,
    RestrictProcessingRequest,
)
from server.cli.app import run
from tests.e2e.wire.requests import reason

WHY = AccessContext(purpose="purposes/assistance")
PURPOSE = "purposes/assistance"


@pytest.fixture
def jane() -> str:
    return f"people/jane-{uuid.uuid4().hex[:8]}"


def _grant(client: Any, person: str, **more: Any) -> Any:
    return client.consent.GrantConsent(
        pb.GrantConsentRequest(parent=person, purpose=PURPOSE, **more)
    )


def _store(client: Any, person: str) -> Any:
    request = memory_service_pb2.StoreMemoryRequest(
        parent=person, access=WHY, memory=Memory(text="I like tea")
    )
    return client.memory.StoreMemory(request).memory


def _why(call: Any, request: Any) -> str:
    """The reason of the refusal, or "" for an answer."""
    try:
        call(request)
    except grpc.RpcError as error:
        return reason(error)
    return ""


def _recall(client: Any, person: str) -> str:
    request = memory_service_pb2.RecallMemoriesRequest(parent=person, access=WHY, query="tea")
    return _why(client.memory.RecallMemories, request)


def _export(client: Any, person: str, **more: Any) -> str:
    request = ExportDataRequest(name=person, **more)
    return _why(lambda r: list(client.rights.ExportData(r)), request)


def test_a_purpose_tells_all_a_person_must_know_in_their_language(server: Any) -> None:
    ask = server.client().consent.ListPurposes
    told = {p.name: p for p in ask(pb.ListPurposesRequest(language_code="de-AT")).purposes}
    assistance = told[PURPOSE]
    assert assistance.title == "Mir in Gesprächen helfen"
    assert assistance.legal_basis == "consent"
    assert assistance.minimum_ages["default"] == 16
    assert list(assistance.language_codes) == ["de"]
    assert assistance.notice_version == "1"


def test_a_no_holds_for_the_next_call_and_a_yes_after_it_is_a_new_one(
    server: Any, jane: str
) -> None:
    helper = server.client()
    _grant(helper, jane)
    no = helper.consent.RefuseConsent(pb.RefuseConsentRequest(parent=jane, purpose=PURPOSE))
    assert no.state == pb.Consent.STATE_REFUSED
    assert _recall(helper, jane) == "CONSENT_MISSING"
    assert _grant(helper, jane).state == pb.Consent.STATE_GIVEN
    assert _recall(helper, jane) == ""
    assert _grant(helper, jane).state == pb.Consent.STATE_RENEWED
    refused = pb.ListConsentsRequest(parent=jane, purpose=PURPOSE, state=pb.Consent.STATE_REFUSED)
    assert list(helper.consent.ListConsents(refused).consents) == [no]
    elsewhere = pb.ListConsentsRequest(parent=jane, purpose="purposes/reveal")
    assert not helper.consent.ListConsents(elsewhere).consents


def test_only_the_person_takes_an_objection_back(server: Any, jane: str) -> None:
    helper = server.client()
    own = server.client(person=jane.removeprefix("people/"))
    request = pb.RefuseConsentRequest(parent=jane, purpose=PURPOSE, objection=True)
    assert own.consent.RefuseConsent(request).objection
    again = pb.GrantConsentRequest(parent=jane, purpose=PURPOSE)
    assert _why(helper.consent.GrantConsent, again) == "OBJECTION"
    assert _why(own.consent.GrantConsent, again) == ""
    assert _recall(helper, jane) == ""


def test_withdrawing_erases_what_was_stored_if_asked(server: Any, jane: str) -> None:
    helper = server.client()
    _grant(helper, jane)
    memory = _store(helper, jane)
    request = pb.WithdrawConsentRequest(parent=jane, purpose=PURPOSE, erase=True)
    assert helper.consent.WithdrawConsent(request).erased_count == 1
    _grant(helper, jane)
    get = memory_service_pb2.GetMemoryRequest(name=memory.name, access=WHY)
    assert _why(helper.memory.GetMemory, get) == "RESOURCE_NOT_FOUND"


def test_below_the_age_of_consent_a_parent_decides_and_stays_unnamed(
    server: Any, jane: str
) -> None:
    helper = server.client()
    alone = pb.GrantConsentRequest(
        parent=jane, purpose=PURPOSE, indication=pb.Indication(age=13, region_code="AT")
    )
    assert _why(helper.consent.GrantConsent, alone) == "INVALID_FIELD"
    alone.indication.relation = pb.Indication.RELATION_PARENT
    alone.indication.delegate = "Marta Novak"
    given = helper.consent.GrantConsent(alone)
    read = helper.consent.GetConsent(pb.GetConsentRequest(name=given.name))
    assert read == given
    assert read.indication.relation == pb.Indication.RELATION_PARENT
    assert b"Novak" not in read.SerializeToString()


def test_a_receipt_verifies_offline_and_not_when_a_byte_is_changed(
    server: Any, jane: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    helper = server.client()
    name = f"{_grant(helper, jane).name}/receipt"
    request = pb.GetConsentReceiptRequest(name=name)
    jws = helper.consent.GetConsentReceipt(request).jws
    file, key = tmp_path / "receipt", str(server.tacit.signer.verifier)
    file.write_text(f"{jws}\n")
    assert run(["verify", str(file), "--key", key]) == 0
    said = capsys.readouterr().out
    assert "good: a consent receipt" in said
    assert "status: ConsentGiven" in said
    for at in range(0, len(jws), 7):
        changed = "A" if jws[at] != "A" else "B"
        file.write_text(jws[:at] + changed + jws[at + 1 :])
        assert run(["verify", str(file), "--key", key]) != 0, at
    assert "good" not in capsys.readouterr().out
    helper.consent.WithdrawConsent(pb.WithdrawConsentRequest(parent=jane, purpose=PURPOSE))
    file.write_text(helper.consent.GetConsentReceipt(request).jws)
    assert run(["verify", str(file), "--key", key]) == 0
    assert "status: ConsentWithdrawn" in capsys.readouterr().out


def test_what_is_restricted_is_kept_and_not_used(server: Any, jane: str) -> None:
    helper = server.client()
    own = server.client(person=jane.removeprefix("people/"))
    _grant(helper, jane)
    memory = _store(helper, jane)
    own.rights.RestrictProcessing(RestrictProcessingRequest(name=jane))
    store = memory_service_pb2.StoreMemoryRequest(
        parent=jane, access=WHY, memory=Memory(text="More tea")
    )
    get = memory_service_pb2.GetMemoryRequest(name=memory.name, access=WHY)
    list_ = memory_service_pb2.ListMemoriesRequest(parent=jane, access=WHY)
    assert _why(helper.memory.StoreMemory, store) == "PROCESSING_RESTRICTED"
    assert _why(helper.memory.GetMemory, get) == "PROCESSING_RESTRICTED"
    assert _why(helper.memory.ListMemories, list_) == "PROCESSING_RESTRICTED"
    assert _recall(helper, jane) == "PROCESSING_RESTRICTED"
    assert _export(own, jane) == ""
    own.rights.LiftRestriction(LiftRestrictionRequest(name=jane))
    assert _recall(helper, jane) == ""
    own.rights.RestrictProcessing(RestrictProcessingRequest(name=jane))
    own.memory.DeleteMemory(memory_service_pb2.DeleteMemoryRequest(name=memory.name))


def test_an_assistant_neither_lifts_nor_exports_what_is_restricted(server: Any, jane: str) -> None:
    helper = server.client()
    own = server.client(person=jane.removeprefix("people/"))
    _grant(helper, jane)
    assert _export(helper, jane) == ""
    helper.rights.RestrictProcessing(RestrictProcessingRequest(name=jane))
    assert _export(helper, jane) == "PROCESSING_RESTRICTED"
    lift = LiftRestrictionRequest(name=jane, informed_time=datetime.now(UTC))
    assert _why(helper.rights.LiftRestriction, lift) == "CALLER_NOT_ALLOWED"
    assert _recall(helper, jane) == "PROCESSING_RESTRICTED"
    assert _export(own, jane) == ""
    assert _why(own.rights.LiftRestriction, LiftRestrictionRequest(name=jane)) == ""
    assert _export(helper, jane) == ""


def test_an_export_that_began_before_a_restriction_does_not_go_on(server: Any, jane: str) -> None:
    helper = server.client()
    _grant(helper, jane)
    for number in range(8):
        request = memory_service_pb2.StoreMemoryRequest(
            parent=jane, access=WHY, memory=Memory(text=f"{number}   " + "tea " * 2_499)
        )
        helper.memory.StoreMemory(request)
    token = next(helper.rights.ExportData(ExportDataRequest(name=jane))).resume_token
    helper.rights.RestrictProcessing(RestrictProcessingRequest(name=jane))
    assert _export(helper, jane, resume_token=token) == "PROCESSING_RESTRICTED"


def test_an_operator_lifts_a_restriction_after_telling_the_person(server: Any, jane: str) -> None:
    helper = server.client()
    own = server.client(person=jane.removeprefix("people/"))
    operator = server.client(scopes=("operator", "consent.manage"))
    _grant(helper, jane)
    own.rights.RestrictProcessing(RestrictProcessingRequest(name=jane))
    lift = operator.rights.LiftRestriction
    now = datetime.now(UTC)
    assert _why(lift, LiftRestrictionRequest(name=jane)) == "INVALID_FIELD"
    for wrong in (now + timedelta(hours=1), now - timedelta(hours=1)):
        request = LiftRestrictionRequest(name=jane, informed_time=wrong)
        assert _why(lift, request) == "INVALID_FIELD"
    assert _recall(helper, jane) == "PROCESSING_RESTRICTED"
    told = LiftRestrictionRequest(name=jane, informed_time=datetime.now(UTC))
    assert _why(lift, told) == ""
    assert _recall(helper, jane) == ""
    events = own.rights.ListAccessEvents(ListAccessEventsRequest(parent=jane)).access_events
    decided = [e for e in events if e.action == e.ACTION_CONSENT]
    assert [e.purpose for e in decided] == ["", "", PURPOSE]


def test_what_is_held_is_not_erased_until_released(server: Any, jane: str) -> None:
    helper, operator = server.client(), server.client(scopes=("operator",))
    until = datetime.now(UTC) + timedelta(days=1)
    place = PlaceLegalHoldRequest(name=jane, reference="case/7", expire_time=until)
    assert _why(operator.operator.PlaceLegalHold, place) == "RESOURCE_NOT_FOUND"
    _grant(helper, jane)
    memory = _store(helper, jane)
    operator.operator.PlaceLegalHold(place)
    withdraw = pb.WithdrawConsentRequest(parent=jane, purpose=PURPOSE, erase=True)
    delete = memory_service_pb2.DeleteMemoryRequest(name=memory.name)
    assert _why(helper.rights.ForgetUser, ForgetUserRequest(name=jane)) == "LEGAL_HOLD"
    assert _why(helper.memory.DeleteMemory, delete) == "LEGAL_HOLD"
    assert _why(helper.consent.WithdrawConsent, withdraw) == "LEGAL_HOLD"
    assert _recall(helper, jane) == ""
    operator.operator.ReleaseLegalHold(ReleaseLegalHoldRequest(name=jane))
    assert _why(helper.rights.ForgetUser, ForgetUserRequest(name=jane)) == ""


def test_a_wrong_notice_ends_the_consents_that_rest_on_it_in_its_tenant_alone(
    server: Any, jane: str
) -> None:
    tenant = f"t-{uuid.uuid4().hex[:8]}"
    helper, elsewhere = server.client(tenant=tenant), server.client()
    _grant(helper, jane)
    _grant(elsewhere, jane)
    operator = server.client(tenant=tenant, scopes=("operator",))
    request = InvalidateConsentsRequest(purpose=PURPOSE, notice_version="1")
    assert operator.operator.InvalidateConsents(request).consent_count == 1
    assert _recall(helper, jane) == "CONSENT_MISSING"
    listed = helper.consent.ListConsents(pb.ListConsentsRequest(parent=jane)).consents
    assert [c.state for c in listed] == [pb.Consent.STATE_INVALIDATED]
    assert _recall(elsewhere, jane) == ""
