"""ConsentService and SubjectRightsService over the wire: the person decides."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from memory.v1 import consent_service_pb2 as pb
from memory.v1 import memory_service_pb2
from memory.v1.core_pb2 import AccessContext, Memory
from memory.v1.operator_service_pb2 import GetStatusRequest
from memory.v1.subject_rights_service_pb2 import Erasure, ExportDataRequest, ForgetUserRequest

WHY = AccessContext(purpose="purposes/assistance")


@pytest.fixture
def person() -> str:
    return f"jane-{uuid.uuid4().hex[:8]}"


def _store(client: Any, person: str, text: str) -> Any:
    return client.memory.StoreMemory(
        memory_service_pb2.StoreMemoryRequest(
            parent=f"people/{person}", access=WHY, memory=Memory(text=text)
        )
    )


def _refused(client: Any, person: str) -> bool:
    try:
        _store(client, person, "I like tea")
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.PERMISSION_DENIED:  # type: ignore[attr-defined]
            raise
        return True
    return False


def test_without_consent_nothing_is_stored_and_one_call_changes_that(
    server: Any, person: str
) -> None:
    helper = server.client()
    assert _refused(helper, person)
    consent = helper.grant(person)
    assert consent.state == pb.Consent.STATE_GIVEN
    assert consent.name.startswith(f"people/{person}/consents/")
    assert not _refused(helper, person)
    withdrawn = helper.consent.WithdrawConsent(
        pb.WithdrawConsentRequest(parent=f"people/{person}", purpose="purposes/assistance")
    )
    assert [c.state for c in withdrawn.consents] == [pb.Consent.STATE_WITHDRAWN]
    assert _refused(helper, person)


def test_consent_for_one_assistant_says_nothing_about_another(server: Any, person: str) -> None:
    helper, other = server.client(), server.client(assistant="other")
    helper.consent.GrantConsent(
        pb.GrantConsentRequest(
            parent=f"people/{person}", purpose="purposes/assistance", assistant="helper"
        )
    )
    assert not _refused(helper, person)
    assert _refused(other, person)


def test_consents_are_listed_with_those_that_ended(server: Any, person: str) -> None:
    helper = server.client()
    helper.grant(person)
    helper.consent.WithdrawConsent(
        pb.WithdrawConsentRequest(parent=f"people/{person}", purpose="purposes/assistance")
    )
    helper.grant(person)
    request = pb.ListConsentsRequest(parent=f"people/{person}", page_size=1)
    first = helper.consent.ListConsents(request)
    request.page_token = first.next_page_token
    second = helper.consent.ListConsents(request)
    assert [c.state for c in (*first.consents, *second.consents)] == [
        pb.Consent.STATE_WITHDRAWN,
        pb.Consent.STATE_GIVEN,
    ]
    assert second.next_page_token == ""


def test_a_consent_ends_when_it_says(server: Any, person: str) -> None:
    helper = server.client()
    end = Timestamp()
    end.FromDatetime(datetime.now(UTC) + timedelta(hours=1))
    granted = helper.consent.GrantConsent(
        pb.GrantConsentRequest(
            parent=f"people/{person}", purpose="purposes/assistance", expire_time=end
        )
    )
    assert granted.expire_time == end
    with pytest.raises(grpc.RpcError) as caught:
        helper.consent.GrantConsent(
            pb.GrantConsentRequest(
                parent=f"people/{person}",
                purpose="purposes/assistance",
                expire_time=Timestamp(seconds=1),
            )
        )
    assert "expire_time" in caught.value.details()  # type: ignore[attr-defined]


def test_withdrawing_for_someone_unknown_changes_nothing(server: Any, person: str) -> None:
    withdrawn = server.client().consent.WithdrawConsent(
        pb.WithdrawConsentRequest(parent=f"people/{person}", purpose="purposes/assistance")
    )
    assert list(withdrawn.consents) == []


def test_purposes_are_listed_page_by_page(server: Any) -> None:
    helper = server.client()
    everything = helper.consent.ListPurposes(pb.ListPurposesRequest()).purposes
    request = pb.ListPurposesRequest(page_size=1)
    seen = []
    while True:
        page = helper.consent.ListPurposes(request)
        seen += list(page.purposes)
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert seen == list(everything)
    assert "purposes/assistance" in {purpose.name for purpose in seen}
    assert all(purpose.title and purpose.description for purpose in seen)


def _export(client: Any, person: str, **request: Any) -> list[dict[str, Any]]:
    pieces = client.rights.ExportData(ExportDataRequest(name=f"people/{person}", **request))
    return [json.loads(line) for piece in pieces for line in piece.data.splitlines()]


def test_an_export_holds_everything_in_the_persons_own_words(server: Any, person: str) -> None:
    helper = server.client()
    helper.grant(person)
    _store(helper, person, "Write to margaret.holt@example.org")
    shown = [line for line in _export(helper, person, reveal=True) if line["type"] == "memory"]
    assert [line["text"] for line in shown] == ["Write to margaret.holt@example.org"]
    hidden = _export(helper, person)
    assert "margaret" not in json.dumps(hidden)
    assert (hidden[0]["type"], hidden[-1]["type"]) == ("header", "end")
    with pytest.raises(grpc.RpcError) as caught:
        _export(server.client(scopes=("data.export",)), person, reveal=True)
    assert "memory.reveal" in caught.value.details()  # type: ignore[attr-defined]


def test_a_large_export_comes_in_pieces_of_whole_lines(server: Any, person: str) -> None:
    helper = server.client()
    helper.grant(person)
    for number in range(10):
        _store(helper, person, f"{number}   " + "tea " * 2_499)
    pieces = list(helper.rights.ExportData(ExportDataRequest(name=f"people/{person}")))
    assert len(pieces) > 1
    assert all(piece.data.endswith(b"\n") for piece in pieces)


def test_an_export_cannot_be_continued_from_a_token_of_ones_own(server: Any, person: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        _export(server.client(), person, resume_token="7")
    assert "resume_token" in caught.value.details()  # type: ignore[attr-defined]


def test_forgetting_takes_everything_and_names_nobody(server: Any, person: str) -> None:
    helper = server.client()
    helper.grant(person)
    for text in ("I like tea", "I like trains"):
        _store(helper, person, text)
    erasure = helper.rights.ForgetUser(ForgetUserRequest(name=f"people/{person}"))
    assert erasure.state == Erasure.STATE_DONE
    assert (erasure.counts.memory_count, erasure.counts.consent_count) == (2, 1)
    assert erasure.complete_time.seconds > 0
    assert person not in str(erasure)
    assert _refused(helper, person)
    frame = {"header", "note", "section", "end"}
    assert {line["type"] for line in _export(helper, person)} == frame


def test_forgetting_someone_unknown_reads_like_forgetting_someone_empty(
    server: Any, person: str
) -> None:
    erasure = server.client().rights.ForgetUser(ForgetUserRequest(name=f"people/{person}"))
    assert erasure.state == Erasure.STATE_DONE
    assert erasure.counts.memory_count == 0
    assert erasure.name.startswith("erasures/")


def test_an_operator_sees_figures(server: Any) -> None:
    status = server.client(scopes=("operator",)).operator.GetStatus(GetStatusRequest())
    assert status.version
    assert int(status.key_epoch) >= 1
    assert status.start_time.seconds > 0
