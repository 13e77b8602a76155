"""Figures: of everyone and of each tenant; consents as the rules of consent count them."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from memory.adapters.sql.requests import _OPEN
from memory.adapters.sql.store import SqlStore, open_store
from memory.adapters.sql.tally import _IN_FORCE, _MEMORIES, _PAGE, _PEOPLE
from memory.core.consent import Consent, Decision, standing
from memory.core.requests import SOON, OpenRequests, Outcome, Right, RightsRequest, received
from memory.core.rows import ConsentCount
from memory.core.values import AssistantId, PurposeId, SubjectId, TenantId
from tests.contract.rows import THEN, a_consent, a_memory, a_person, a_record

ACME, RIVAL, GONE = TenantId("acme"), TenantId("rival"), TenantId("gone")
HOUR = timedelta(hours=1)


def a_person_of(store: SqlStore, tenant: TenantId, memories: int = 0) -> SubjectId:
    person = a_person(tenant=tenant)
    with store.write() as unit:
        unit.add_person(person)
        for seq in range(memories):
            unit.add_memories([a_memory(person.subject, seq + 1)])
        unit.commit()
    return person.subject


def a_request(tenant: TenantId, days: int) -> RightsRequest:
    """Due so many days after `THEN`."""
    came = received(a_record(), tenant, None, Right.ACCESS, THEN)
    return replace(came, due_at=THEN + timedelta(days=days))


def put(store: SqlStore, *rows: RightsRequest) -> None:
    with store.write() as unit:
        for row in rows:
            unit.put_rights_request(row)
        unit.commit()


def test_each_tenant_has_its_own_people_and_memories(store: SqlStore) -> None:
    for tenant, memories in ((ACME, 3), (ACME, 0), (RIVAL, 2)):
        a_person_of(store, tenant, memories)
    with store.read() as unit:
        assert unit.totals() == (3, 5)
        assert unit.totals_of([RIVAL, ACME, GONE]) == {ACME: (2, 3), RIVAL: (1, 2), GONE: (0, 0)}
        assert unit.totals_of([]) == {}


def test_tenants_come_by_name_with_people_or_with_open_requests(store: SqlStore) -> None:
    for tenant in (RIVAL, ACME, ACME):
        a_person_of(store, tenant)
    ended = a_request(TenantId("ended"), 3).finished(Outcome.FULFILLED, THEN)
    put(store, a_request(GONE, 3), a_request(ACME, 3), ended)
    with store.read() as unit:
        assert unit.page_tenants(None, 9) == [ACME, GONE, RIVAL]
        assert unit.page_tenants(None, 2) == [ACME, GONE]
        assert unit.page_tenants(GONE, 2) == [RIVAL]
        assert unit.page_tenants(RIVAL, 2) == []


def test_open_requests_are_counted_by_when_they_are_due(store: SqlStore) -> None:
    ended = a_request(ACME, -9).finished(Outcome.REFUSED, THEN)
    late, today, soon = a_request(ACME, -2), a_request(ACME, 0), a_request(ACME, SOON.days - 1)
    put(store, a_request(RIVAL, SOON.days), late, ended, today, soon, a_request(ACME, 30))
    with store.read() as unit:
        assert unit.open_requests(THEN) == {
            ACME: OpenRequests(4, 2, 1, late.due_at),
            RIVAL: OpenRequests(1, 0, 0, THEN + SOON),
        }
    put(store, late.finished(Outcome.FULFILLED, THEN))
    with store.read() as unit:
        found = unit.open_requests(THEN + HOUR)
        assert found[ACME] == OpenRequests(3, 1, 1, today.due_at)
        assert sum(found.values(), OpenRequests()) == OpenRequests(4, 2, 1, today.due_at)


def test_consents_in_force_are_those_that_the_rules_let_stand(store: SqlStore) -> None:
    draw = random.Random(7)
    expected: Counter[tuple[TenantId, PurposeId, str, bool]] = Counter()
    for tenant in [ACME, RIVAL, RIVAL, GONE] * 10:
        subject = a_person_of(store, tenant)
        decided = [_decision(draw, subject) for _ in range(6)]
        with store.write() as unit:
            for consent in decided:
                unit.put_consent(consent)
            unit.commit()
        with store.read() as unit:
            kept = unit.consents(subject)
        assert len(kept) == len(decided)
        if tenant is not GONE:
            expected.update(
                (tenant, one.purpose, one.notice_version, one.explicit)
                for one in kept
                if _stands(one, kept)
            )
    assert len(expected) > 12
    assert sum(expected.values()) > 30
    with store.read() as unit:
        found = unit.consents_in_force([ACME, RIVAL], THEN)
        assert unit.consents_in_force([], THEN) == []
    assert sorted(found, key=str) == sorted(
        (ConsentCount(*how, count) for how, count in expected.items()), key=str
    )


def _decision(draw: random.Random, subject: SubjectId) -> Consent:
    """One of few instants, purposes and assistants, so that many meet."""
    given = THEN - draw.randint(1, 9) * HOUR
    return a_consent(
        subject,
        purpose=PurposeId(draw.choice(["support", "ads"])),
        assistant=draw.choice([None, AssistantId("helper"), AssistantId("nurse")]),
        given_at=given,
        expires_at=draw.choice([None, None, THEN, THEN + HOUR]),
        withdrawn_at=draw.choice([*(None,) * 4, given + HOUR]),
        invalidated_at=draw.choice([*(None,) * 4, THEN]),
        decision=draw.choice([*Decision, *[Decision.GIVEN, Decision.RENEWED] * 2]),
        notice_version=draw.choice(["1", "2"]),
        explicit=draw.choice([True, False]),
    )


def _stands(consent: Consent, decided: list[Consent]) -> bool:
    whom = consent.assistant or AssistantId("any-other")
    latest = standing(decided, whom)[consent.purpose]
    return latest == consent and consent.in_force(THEN)


def test_sqlite_counts_a_tenant_without_reading_the_others(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/tacit.db")
    plans = {
        _OPEN: ["SCAN rights_requests USING INDEX rights_requests_open"],
        _PAGE: ["persons_by_tenant (tenant>?)", "rights_requests_open (tenant>?)"],
        _PEOPLE: ["persons_by_tenant (tenant=?)"],
        _MEMORIES: ["persons_by_tenant (tenant=?)", "(subject=?)"],
        _IN_FORCE: ["persons_by_tenant (tenant=?)", "(subject=?)", "(subject=? AND purpose=?)"],
    }
    with store._engines.readers.connect() as connection:
        for statement, expected in plans.items():
            sql = re.sub(r"\(__\[POSTCOMPILE_\w+\]\)", "(1, 2)", str(statement.compile(connection)))
            plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + sql.replace("?", "1"))
            steps = [step[-1] for step in plan if step[-1].startswith(("SCAN", "SEARCH"))]
            assert len(steps) == len(expected), (sql, steps)
            for step, part in zip(steps, expected, strict=True):
                assert part in step, sql
    store.close()
