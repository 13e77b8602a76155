"""The store keeps what a person decided, and who read what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from memory.adapters.sql.store import SqlStore
from memory.core.consent import Decision, Method, Relation
from memory.core.values import AssistantId, PurposeId, TenantId
from memory.errors import StorageUnavailableError
from tests.contract.rows import THEN, a_consent, a_person, stored_person


def test_consents_come_back_as_they_went_in_in_the_order_of_giving(store: SqlStore) -> None:
    subject = stored_person(store).subject
    late = a_consent(subject, given_at=THEN + timedelta(days=1), purpose=PurposeId("ads"))
    early = a_consent(
        subject, assistant=AssistantId("helper"), expires_at=THEN + timedelta(days=365)
    )
    other = a_consent(stored_person(store).subject)
    with store.write() as unit:
        for consent in (late, early, other):
            unit.put_consent(consent)
        unit.commit()
    with store.read() as unit:
        assert unit.consents(subject) == [early, late]
        assert unit.consents(subject, PurposeId("ads")) == [late]
        assert unit.consents(subject, PurposeId("none")) == []


def test_a_withdrawal_changes_its_consent_and_no_other(store: SqlStore) -> None:
    subject = stored_person(store).subject
    given, other = a_consent(subject), a_consent(subject, given_at=THEN + timedelta(days=1))
    withdrawn = replace(given, withdrawn_at=THEN + timedelta(days=2))
    with store.write() as unit:
        unit.put_consent(given)
        unit.put_consent(other)
        unit.put_consent(withdrawn)
        unit.commit()
    with store.read() as unit:
        assert unit.consents(subject) == [withdrawn, other]


def test_a_consent_cannot_be_changed_in_the_name_of_another_person(store: SqlStore) -> None:
    mine, yours = stored_person(store).subject, stored_person(store).subject
    consent = a_consent(mine)
    with store.write() as unit:
        unit.put_consent(consent)
        unit.commit()
    with store.write() as unit, pytest.raises(StorageUnavailableError):
        unit.put_consent(replace(consent, subject=yours, withdrawn_at=THEN))
    with store.read() as unit:
        assert unit.consents(mine) == [consent]


def test_all_that_a_record_says_of_a_decision_comes_back(store: SqlStore) -> None:
    subject = stored_person(store).subject
    consent = a_consent(
        subject,
        decision=Decision.OBJECTED,
        invalidated_at=THEN,
        notice_version="2026-11",
        method=Method.VOICE,
        explicit=True,
        language="de-AT",
        relation=Relation.GUARDIAN,
        delegate=b"sealed",
    )
    with store.write() as unit:
        unit.put_consent(consent)
        unit.commit()
    with store.read() as unit:
        assert unit.consent(subject, consent.id) == consent
        assert unit.consent(stored_person(store).subject, consent.id) is None


def test_what_rests_on_a_notice_is_invalidated_and_nothing_else(store: SqlStore) -> None:
    person, stranger = stored_person(store), a_person(tenant=TenantId("rival"))
    ended = a_consent(person.subject)
    kept = [
        a_consent(person.subject, notice_version="2", given_at=THEN + timedelta(days=1)),
        a_consent(person.subject, decision=Decision.REFUSED, given_at=THEN + timedelta(days=2)),
    ]
    theirs = a_consent(stranger.subject)
    with store.write() as unit:
        unit.add_person(stranger)
        for consent in (ended, *kept, theirs):
            unit.put_consent(consent)
        unit.commit()
    with store.write() as unit:
        assert unit.invalidate_consents(person.tenant, ended.purpose, "1", THEN) == 1
        unit.commit()
    with store.read() as unit:
        assert unit.consents(person.subject) == [replace(ended, invalidated_at=THEN), *kept]
        assert unit.consents(stranger.subject) == [theirs]
