"""The register of requests: by when they are due, by whose they are, and after the person."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta

from memory.adapters.sql.store import SqlStore
from memory.app.register import FIRST
from memory.core.requests import Extension, Outcome, Right, RightsRequest, received
from memory.core.values import RecordId, SubjectId, TenantId
from tests.contract.rows import THEN, stored_person

ACME = TenantId("acme")


def a_request(subject: SubjectId | None, days: int = 0, tenant: TenantId = ACME) -> RightsRequest:
    came = THEN + timedelta(days=days)
    return received(RecordId(os.urandom(16)), tenant, subject, Right.PORTABILITY, came)


def put(store: SqlStore, *rows: RightsRequest) -> None:
    with store.write() as unit:
        for row in rows:
            unit.put_rights_request(row)
        unit.commit()


def test_they_come_by_when_they_are_due_and_a_tenant_sees_its_own(store: SqlStore) -> None:
    first, second, third = (a_request(None, days) for days in (0, 1, 2))
    closed = a_request(None, 3).finished(Outcome.FULFILLED, THEN)
    put(store, third, closed, first, second, a_request(None, tenant=TenantId("rival")))
    with store.read() as unit:
        page = unit.page_rights_requests(ACME, FIRST, 2, unfinished=True)
        assert page == [first, second]
        behind = (second.due_at, second.id)
        assert unit.page_rights_requests(ACME, behind, 9, unfinished=True) == [third]
        assert unit.page_rights_requests(ACME, behind, 9, unfinished=False) == [third, closed]
        assert unit.rights_request(ACME, first.id) == first
        assert unit.rights_request(TenantId("rival"), first.id) is None


def test_what_changes_is_when_it_is_due_and_how_it_ended(store: SqlStore) -> None:
    subject = stored_person(store).subject
    request = a_request(subject)
    put(store, request)
    longer = request.extended(Extension.NUMBER)
    ended = longer.finished(Outcome.REFUSED, THEN)
    for now in (longer, ended):
        put(store, replace(now, right=Right.ACCESS))
        with store.read() as unit:
            assert unit.rights_request(ACME, request.id) == now


def test_it_outlives_the_person_and_then_names_nobody(store: SqlStore) -> None:
    subject, other = stored_person(store).subject, stored_person(store).subject
    mine, theirs = a_request(subject), a_request(other)
    put(store, mine, theirs)
    with store.read() as unit:
        assert unit.page_persons_requests(subject, FIRST, 9) == [mine]
    with store.write() as unit:
        unit.delete_person(subject)
        unit.commit()
    with store.read() as unit:
        assert unit.page_persons_requests(subject, FIRST, 9) == []
        assert unit.rights_request(ACME, mine.id) == replace(mine, subject=None)
        assert unit.page_persons_requests(other, FIRST, 9) == [theirs]
