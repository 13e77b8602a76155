"""Rows for tests: random where only identity matters, so that no two tests meet."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from memory.adapters.sql.store import SqlStore
from memory.core.consent import Consent
from memory.core.pseudonyms import Entity
from memory.core.segment import SegmentHead
from memory.core.values import (
    AssistantId,
    MemoryKind,
    PersonRef,
    PurposeId,
    RecordId,
    SealedRecord,
    SubjectId,
    TenantId,
)
from memory.ports import (
    AccessAction,
    AccessEvent,
    ErasureRow,
    ErasureState,
    MemoryFilter,
    MemoryRow,
    PersonRow,
    PersonState,
    VersionRow,
    WrappedKey,
)

ANY = MemoryFilter()
THEN = datetime(2026, 3, 1, 12, 30, 15, 123_457, tzinfo=UTC)


def a_record() -> RecordId:
    return RecordId(os.urandom(16))


def a_person(**changes: Any) -> PersonRow:
    person = PersonRow(
        subject=SubjectId(os.urandom(16)),
        tenant=TenantId("acme"),
        ref=PersonRef(os.urandom(32)),
        state=PersonState.ACTIVE,
        key_version=1,
        wrapped_key=WrappedKey(1, os.urandom(60)),
        collection=os.urandom(16).hex(),
        created_at=THEN,
    )
    return replace(person, **changes)


def a_memory(subject: SubjectId, seq: int, **changes: Any) -> MemoryRow:
    memory = MemoryRow(
        id=a_record(),
        subject=subject,
        seq=seq,
        purpose=PurposeId("support"),
        assistant=AssistantId("helper"),
        kind=MemoryKind.MESSAGE,
        session_tag=b"s" * 16,
        stored_at=THEN + timedelta(seconds=seq),
        updated_at=THEN + timedelta(seconds=seq),
        version=1,
        key_version=1,
        body=SealedRecord(os.urandom(300)),
        features=SealedRecord(os.urandom(1700)),
        originals=SealedRecord(os.urandom(100)),
    )
    return replace(memory, **changes)


def a_version(memory: MemoryRow, version: int) -> VersionRow:
    return VersionRow(
        id=memory.id,
        subject=memory.subject,
        seq=memory.seq,
        version=version,
        kind=MemoryKind.FACT,
        updated_at=THEN,
        key_version=1,
        body=SealedRecord(os.urandom(300)),
        originals=SealedRecord(os.urandom(100)),
    )


def a_consent(subject: SubjectId, **changes: Any) -> Consent:
    consent = Consent(
        id=a_record(),
        subject=subject,
        purpose=PurposeId("support"),
        assistant=None,
        given_at=THEN,
    )
    return replace(consent, **changes)


def an_access_event(subject: SubjectId, **changes: Any) -> AccessEvent:
    event = AccessEvent(
        id=a_record(),
        subject=subject,
        at=THEN,
        assistant=AssistantId("helper"),
        purpose=PurposeId("support"),
        action=AccessAction.REVEAL,
        memories=3,
    )
    return replace(event, **changes)


def an_erasure(person: PersonRow, **changes: Any) -> ErasureRow:
    erasure = ErasureRow(
        id=a_record(),
        tenant=person.tenant,
        state=ErasureState.FENCED,
        subject=person.subject,
        collection=person.collection,
        memories=2,
        consents=1,
        vault_entries=3,
        started_at=THEN,
        finished_at=None,
    )
    return replace(erasure, **changes)


def stored_person(store: SqlStore, memories: int = 0) -> PersonRow:
    """A person who is in the store, with that many memories."""
    person = a_person()
    with store.write() as unit:
        unit.add_person(person)
        if memories:
            first = unit.next_seq(person.subject, memories)
            unit.add_memories([a_memory(person.subject, first + i) for i in range(memories)])
        unit.commit()
    return as_stored(store, person)


def as_stored(store: SqlStore, person: PersonRow) -> PersonRow:
    """The person as the store knows them now: each change of their memories is counted."""
    with store.read() as unit:
        now = unit.person_by_subject(person.subject)
    assert now is not None
    return now


def add_memory(store: SqlStore, subject: SubjectId, **changes: Any) -> MemoryRow:
    """One more memory of that person."""
    with store.write() as unit:
        memory = a_memory(subject, unit.next_seq(subject, 1), **changes)
        unit.add_memories([memory])
        unit.commit()
    return memory


def everything_of(store: SqlStore, person: PersonRow) -> RecordId:
    """Puts a row into every table that knows the person; returns the memory's id."""
    subject, entity = person.subject, Entity("PERSON", 1)
    memory = add_memory(store, subject)
    with store.write() as unit:
        unit.add_entities(subject, [(entity, SealedRecord(b"sealed"))], {b"alias": entity})
        unit.add_requests(subject, {b"request": memory.id})
        unit.put_consent(a_consent(subject))
        unit.add_sources(subject, {memory.id: [memory.id]})
        unit.add_access_events([(an_access_event(subject), os.urandom(32))])
        unit.add_segment(subject, SegmentHead(a_record(), 1), SealedRecord(b"sealed"))
        unit.add_versions([a_version(memory, 1)])
        unit.put_feedback(subject, SealedRecord(b"sealed"))
        unit.commit()
    return memory.id
