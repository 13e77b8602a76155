"""What an operator is told of all tenants: figures that are right, and nobody."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest

from memory.bootstrap import open_tacit
from memory.config import Config
from memory.core.requests import Right, received
from memory.core.values import RecordId, TenantId
from memory.v1.consent_service_pb2 import RefuseConsentRequest, WithdrawConsentRequest
from memory.v1.core_pb2 import AccessContext, Memory
from memory.v1.memory_service_pb2 import StoreMemoryRequest
from memory.v1.operator_service_pb2 import GetStatusRequest, ListTenantsRequest
from server.cli import app
from server.instruments import State
from server.metrics import Metrics
from server.workers import Workers
from tests.e2e.wire.requests import reason

REGISTRY = """
preset = "general"
[tenants.clinic.visits]
title = "Visits"
description = "We remember what you tell us of your visits."
dpv = "https://w3id.org/dpv#ServiceProvision"
[tenants.clinic.letters]
title = "Letters"
description = "We write to you."
dpv = "https://w3id.org/dpv#ServiceProvision"
"""
JANE, JOHN, MARA = "jane.unmistakable", "john.unmistakable", "mara.unmistakable"
NOW = datetime.now(UTC)
CAME = {"acme": (40, 27, 0), "gone": (0,)}
"""So many days ago: overdue, due soon, and due in a month."""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory, serving: Any) -> Iterator[Any]:
    """A server of two tenants; a third has one request open, of somebody who is gone."""
    folder = tmp_path_factory.mktemp("tenants")
    (folder / "purposes.toml").write_text(REGISTRY)
    config = Config(data=folder / "data", listen="127.0.0.1:0", purposes=folder / "purposes.toml")
    with open_tacit(config) as tacit, serving(config, tacit) as running:
        acme, clinic = running.client(tenant="acme"), running.client(tenant="clinic")
        for person, purpose in ((JANE, "assistance"), (JANE, "reveal"), (JOHN, "assistance")):
            acme.grant(person, purpose)
        _store(acme, JANE, "assistance", "I keep bees behind the old mill.")
        _store(acme, JANE, "assistance", "My cello stands in the attic.")
        _store(acme, JOHN, "assistance", "I keep bees behind the old mill.")
        taken_back = WithdrawConsentRequest(parent=f"people/{JOHN}", purpose="purposes/assistance")
        acme.consent.WithdrawConsent(taken_back)
        acme.grant(JOHN, "reveal")
        no = RefuseConsentRequest(parent=f"people/{JOHN}", purpose="purposes/reveal")
        acme.consent.RefuseConsent(no)
        for _ in range(2):  # the second one renews
            clinic.grant(MARA, "visits")
        _store(clinic, MARA, "visits", "I keep bees behind the old mill.")
        with tacit.tenants.store.write() as unit:
            for tenant, days in CAME.items():
                for ago in days:
                    came = NOW - timedelta(days=ago)
                    id_, whose = RecordId(os.urandom(16)), TenantId(tenant)
                    unit.put_rights_request(received(id_, whose, None, Right.ACCESS, came))
            unit.commit()
        yield running
        assert running.lines("fault") == []


def _store(client: Any, person: str, purpose: str, text: str) -> None:
    access = AccessContext(purpose=f"purposes/{purpose}")
    client.memory.StoreMemory(
        StoreMemoryRequest(parent=f"people/{person}", access=access, memory=Memory(text=text))
    )


@pytest.fixture
def run(
    used: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """What a command prints that is typed on the server's machine."""
    monkeypatch.setenv("TACIT_ADDRESS", used.address)
    monkeypatch.setenv("TACIT_DATA", str(used.config.data))

    def run_it(*arguments: str) -> str:
        capsys.readouterr()
        assert app.run(arguments) == 0
        return capsys.readouterr().out

    return run_it


def _names_nobody(told: str, used: Any) -> None:
    with used.tacit.tenants.store.read() as unit:
        subjects = [person.subject.value.hex() for person in unit.people()]
    assert len(subjects) == 3
    for secret in ("unmistakable", "keep bees", "old mill", *subjects):
        assert secret not in told.casefold()


def test_every_tenant_is_told_with_what_it_has_and_what_is_due(used: Any) -> None:
    # Of whichever tenant the operator is: the figures are the deployment's.
    for tenant in ("acme", "elsewhere"):
        operator = used.client(tenant=tenant, scopes=("operator",)).operator
        listed = operator.ListTenants(ListTenantsRequest())
        assert not listed.next_page_token
        acme, clinic, gone = listed.tenants
        assert [one.name for one in listed.tenants] == [
            f"tenants/{name}" for name in ("acme", "clinic", "gone")
        ]
        assert [(one.person_count, one.memory_count) for one in listed.tenants] == [
            (2, 3), (1, 1), (0, 0),
        ]  # fmt: skip
        assert [
            (one.open_request_count, one.due_soon_request_count, one.overdue_request_count)
            for one in listed.tenants
        ] == [(3, 1, 1), (0, 0, 0), (1, 0, 0)]
        assert acme.next_request_due_time.ToDatetime(UTC) < NOW
        assert not clinic.HasField("next_request_due_time")
        assert gone.next_request_due_time.ToDatetime(UTC) > NOW
        consents = {one.name: one.consent_count for one in acme.purposes}
        assert (consents["purposes/assistance"], consents["purposes/reveal"]) == (1, 1)
        assert sum(consents.values()) == 2
        assert [(one.name, one.consent_count) for one in clinic.purposes] == [
            ("purposes/visits", 1), ("purposes/letters", 0),
        ]  # fmt: skip
        _names_nobody(str(listed), used)


def test_tenants_come_page_by_page(used: Any) -> None:
    operator = used.client(scopes=("operator",)).operator
    request, names = ListTenantsRequest(page_size=1), []
    while True:
        page = operator.ListTenants(request)
        names += [one.name for one in page.tenants]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert names == ["tenants/acme", "tenants/clinic", "tenants/gone"]
    with pytest.raises(grpc.RpcError) as refused:
        used.client(tenant="other", scopes=("operator",)).operator.ListTenants(request)
    assert reason(refused.value) == "PAGE_TOKEN_INVALID"


def test_the_status_and_the_metrics_tell_what_is_due_of_all_tenants(used: Any) -> None:
    status = used.client(scopes=("operator",)).operator.GetStatus(GetStatusRequest())
    assert (status.person_count, status.memory_count) == (3, 4)
    counts = (
        status.open_request_count, status.due_soon_request_count, status.overdue_request_count,
    )  # fmt: skip
    assert counts == (4, 1, 1)
    assert NOW - timedelta(days=13) < status.next_request_due_time.ToDatetime(UTC) < NOW
    state = State(used.tacit, Metrics(), Workers(1, 1).waiting, lambda: 0)
    told = {one.name: one.samples[0].value for one in state.collect() if one.samples}
    figures = ("tacit_requests_open", "tacit_requests_due_soon", "tacit_requests_overdue")
    assert tuple(told[name] for name in figures) == counts


def test_a_tenants_report_has_the_extent_of_that_tenant(run: Callable[..., str]) -> None:
    made = run("report", "dpia", "--tenant", "clinic")
    assert "1 people and 1 memories of this tenant" in made


def test_the_command_line_shows_the_same(used: Any, run: Callable[..., str]) -> None:
    table = run("tenants")
    told = (
        r"tenant people memories requests overdue first due consents"
        r" acme 2 3 3 1 \d{4}-[^a-z]+ assistance 1, reveal 1"
        r" clinic 1 1 0 0 - visits 1"
        r" gone 0 0 1 0 \d{4}-[^a-z]+ -"
    )
    assert re.fullmatch(
        told, " ".join(table.split())
    )  # wide or narrow, where the last column folds
    lines = run("tenants", "--json")
    assert [json.loads(line)["name"] for line in lines.splitlines()] == [
        "tenants/acme", "tenants/clinic", "tenants/gone",
    ]  # fmt: skip
    shown = run("status")
    for row in (
        r"data-subject requests open +4",
        r"due within seven days +1",
        r"overdue +1",
        r"the first of them due +\d{4}-\d\d-\d\d",
        r"in use for +less than a minute|in use for +\d+ minutes?",
    ):
        assert re.search(row, shown), row
    keys = run("keys", "status")
    assert "age" in keys.splitlines()[0]
    _names_nobody(table + lines + shown + keys, used)
