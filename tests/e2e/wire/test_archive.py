"""Rights over the wire, on both databases: away, interrupted and continued, and in again."""

from __future__ import annotations

import itertools
import json
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from memory.bootstrap import open_tacit
from memory.config import Config
from memory.core.archive import Reader, lines_of
from memory.v1 import core_pb2, operator_service_pb2
from memory.v1 import memory_service_pb2 as pb
from memory.v1 import subject_rights_service_pb2 as rights
from server import pipeline
from tests.contract.conftest import (  # noqa: F401 (fixtures)
    fresh_url,
    new_postgres_database,
    postgres,
)
from tests.e2e.wire.requests import reason

WHY = core_pb2.AccessContext(purpose="purposes/assistance")
WHOSE = "people/amara"
TEXTS = [f"note {n}: Priya and Bob Smith met at the {place}" for n, place in
         enumerate(["harbour", "museum", "lake", "station", "market"] * 12)]  # fmt: skip


@pytest.fixture
def one(fresh_url: str, tmp_path: Path, serving: Any) -> Iterator[Any]:  # noqa: F811
    config = Config(data=tmp_path / "one", listen="127.0.0.1:0", database=fresh_url)
    with open_tacit(config) as tacit, serving(config, tacit) as running:
        yield running
        assert running.lines("fault") == []


@pytest.fixture
def other(tmp_path: Path, serving: Any) -> Iterator[Any]:
    config = Config(data=tmp_path / "other", listen="127.0.0.1:0", signing_name="other.example")
    with open_tacit(config) as tacit, serving(config, tacit) as running:
        yield running
        assert running.lines("fault") == []


def _lived(client: Any) -> None:
    client.grant("amara")
    for at in range(0, len(TEXTS), 20):
        requests = [
            pb.StoreMemoryRequest(memory=core_pb2.Memory(text=text, speaker="Tomasz"))
            for text in TEXTS[at : at + 20]
        ]
        stored = client.memory.BatchStoreMemories(
            pb.BatchStoreMemoriesRequest(parent=WHOSE, access=WHY, requests=requests)
        )
    memory = stored.responses[0].memory
    memory.text = "the museum is shut, Ann says"
    client.memory.UpdateMemory(
        pb.UpdateMemoryRequest(memory=memory, access=WHY, update_mask={"paths": ["text"]})
    )


def _take_in(client: Any, data: bytes) -> Any:
    def messages() -> Iterator[Any]:
        yield rights.ImportDataRequest(name=WHOSE, request_id=str(uuid.uuid4()))
        for at in range(0, len(data), 5_000):
            yield rights.ImportDataRequest(data=data[at : at + 5_000])

    return client.rights.ImportData(messages())


def _interrupted(client: Any, pieces: int) -> tuple[bytes, int]:
    """An archive whose stream is cut off after every so many pieces; and how often it was."""
    request = rights.ExportDataRequest(name=WHOSE, reveal=True)
    data, cuts = b"", -1
    while True:
        cuts += 1
        stream = client.rights.ExportData(request)
        for piece, _ in zip(stream, range(pieces), strict=False):
            data += piece.data
            request.resume_token = piece.resume_token
            if not piece.resume_token:
                return data, cuts
        stream.cancel()


def _content(data: bytes) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in data.splitlines()]
    return [line for line in lines if line["type"] in {"pseudonym", "memory", "version"}]


def test_away_and_back(one: Any, other: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memory.app.export.PIECE_BYTES", 4_000)
    client, there = one.client(), other.client()
    _lived(client)
    data, cuts = _interrupted(client, 2)
    assert cuts >= 3
    reader = Reader()
    for line in lines_of([data]):
        reader.read(line)
    reader.verify(one.tacit.signer.verifier)
    assert reader.counts["memories"] == len(TEXTS)
    assert reader.counts["versions"] == 1
    with pytest.raises(grpc.RpcError) as caught:
        _take_in(there, data)
    assert reason(caught.value) == "CONSENT_MISSING"
    there.grant("amara")
    taken = _take_in(there, data)
    assert (taken.memory_count, taken.duplicate_count) == (len(TEXTS), 0)
    again = _take_in(there, data)
    assert (again.memory_count, again.duplicate_count) == (0, len(TEXTS))
    back, _ = _interrupted(there, 1_000)
    assert _content(back) == _content(data)
    found = there.memory.RecallMemories(
        pb.RecallMemoriesRequest(parent=WHOSE, access=WHY, query="what does Ann say?", limit=3)
    )
    assert any("shut" in hit.memory.text for hit in found.hits)


def test_what_is_wrong_with_an_archive_is_told_with_its_line(one: Any) -> None:
    client = one.client()
    client.grant("amara")
    for data, line in ((b"hello\n", "1"), (b"", "1")):
        with pytest.raises(grpc.RpcError) as caught:
            _take_in(client, data)
        assert reason(caught.value) == "ARCHIVE_INVALID"
        assert f"line {line}" in str(caught.value.details())  # type: ignore[attr-defined]
    for bad, field in (
        ([], "name"),
        ([rights.ImportDataRequest(name=WHOSE)], "request_id"),
        ([rights.ImportDataRequest(name=WHOSE, request_id="x", data=bytes(2**20 + 1))], "data"),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            client.rights.ImportData(iter(bad))
        assert field in str(caught.value.details())  # type: ignore[attr-defined]


def test_a_resume_token_is_good_for_its_caller_and_request_alone(
    one: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.app.export.PIECE_BYTES", 1)
    client = one.client()
    client.grant("amara")
    request = rights.ExportDataRequest(name=WHOSE, reveal=True)
    stream = client.rights.ExportData(request)
    request.resume_token = next(iter(stream)).resume_token
    stream.cancel()
    assert len(request.resume_token) < 512
    assert list(client.rights.ExportData(request))
    others = [
        (one.client(assistant="spy"), request),
        (one.client(tenant="rival"), request),
        (client, rights.ExportDataRequest(name="people/bob", resume_token=request.resume_token)),
        (client, rights.ExportDataRequest(name=WHOSE, resume_token=request.resume_token)),
    ]
    for who, asked in others:
        with pytest.raises(grpc.RpcError) as caught:
            list(who.rights.ExportData(asked))
        assert reason(caught.value) == "PAGE_TOKEN_INVALID"


def test_every_right_is_in_the_register_and_an_operator_sees_what_is_due(one: Any) -> None:
    client, person = one.client(), one.client(person="amara")
    operator = one.client(scopes=("operator",))
    _lived(client)
    name = client.memory.ListMemories(
        pb.ListMemoriesRequest(parent=WHOSE, access=WHY, page_size=1)
    ).memories[0].name  # fmt: skip
    person.memory.DeleteMemory(pb.DeleteMemoryRequest(name=name))
    stream = person.rights.ExportData(rights.ExportDataRequest(name="people/me"))
    stream.cancel()
    list(person.rights.ExportData(rights.ExportDataRequest(name="people/me")))
    Request = core_pb2.DataSubjectRequest
    mine = person.rights.ListPersonRequests(
        rights.ListPersonRequestsRequest(parent="people/me", page_size=1)
    )
    assert [r.right for r in mine.requests] == [Request.RIGHT_ERASURE]
    assert mine.next_page_token
    person.rights.ForgetUser(rights.ForgetUserRequest(name="people/me"))
    listed = operator.operator.ListDataSubjectRequests(
        operator_service_pb2.ListDataSubjectRequestsRequest(show_closed=True)
    ).requests
    assert {r.right for r in listed} == {Request.RIGHT_ERASURE, Request.RIGHT_PORTABILITY}
    assert sum(r.right == Request.RIGHT_ERASURE for r in listed) == 2
    assert "amara" not in str(listed)
    assert not person.rights.ListPersonRequests(
        rights.ListPersonRequestsRequest(parent="people/me")
    ).requests


def test_an_operator_extends_and_closes_what_stayed_open(
    one: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.app.export.PIECE_BYTES", 1)
    gone, number, piece = threading.Event(), itertools.count(), pipeline._next_bytes

    def unhurried(pieces: Any) -> bytes | None:
        if next(number):
            gone.wait(30)  # a stream as short as this could be done before its reader leaves
        return piece(pieces)

    monkeypatch.setattr("server.pipeline._next_bytes", unhurried)
    client, operator = one.client(), one.client(scopes=("operator",)).operator
    client.grant("amara")
    stream = client.rights.ExportData(rights.ExportDataRequest(name=WHOSE))
    next(iter(stream))
    stream.cancel()
    asked = operator_service_pb2.ListDataSubjectRequestsRequest()
    (request,) = operator.ListDataSubjectRequests(asked).requests
    Request = core_pb2.DataSubjectRequest
    longer = operator.ExtendDataSubjectRequest(
        operator_service_pb2.ExtendDataSubjectRequestRequest(
            name=request.name, reason=Request.EXTENSION_COMPLEXITY
        )
    )
    assert longer.due_time.seconds - request.due_time.seconds > 58 * 86_400
    close = operator_service_pb2.CloseDataSubjectRequestRequest(
        name=request.name, outcome=Request.OUTCOME_ABANDONED
    )
    assert operator.CloseDataSubjectRequest(close).outcome == Request.OUTCOME_ABANDONED
    gone.set()
    assert not operator.ListDataSubjectRequests(asked).requests
    with pytest.raises(grpc.RpcError) as caught:
        operator.ExtendDataSubjectRequest(
            operator_service_pb2.ExtendDataSubjectRequestRequest(
                name=request.name, reason=Request.EXTENSION_NUMBER
            )
        )
    assert reason(caught.value) == "REQUEST_CLOSED"
    close.name = f"dataSubjectRequests/{uuid.uuid4()}"
    with pytest.raises(grpc.RpcError) as caught:
        operator.CloseDataSubjectRequest(close)
    assert reason(caught.value) == "RESOURCE_NOT_FOUND"


def test_reports_tell_the_configuration_and_no_one(one: Any) -> None:
    client, operator = one.client(), one.client(scopes=("operator",)).operator
    _lived(client)
    Kind = operator_service_pb2.GetReportRequest
    for kind in (Kind.KIND_ROPA, Kind.KIND_DPIA):
        report = operator.GetReport(Kind(kind=kind))
        assert json.loads(report.json)["tenant"] == "acme"
        assert "Help me in conversations" in report.markdown
        assert "AES-256-GCM" in report.markdown
        assert "Priya" not in report.markdown
    with pytest.raises(grpc.RpcError) as caught:
        operator.GetReport(Kind())
    assert "kind" in str(caught.value.details())  # type: ignore[attr-defined]
