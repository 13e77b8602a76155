"""What stands in each section of an archive: one function a section, read page by page.

A section's function gets the transaction, the person, and how far it was read (`after`, empty at
the start); it gives up to `PAGE` lines, each with how far the section is read behind it. To add a
section: a function here, its name in `SECTIONS` of core.archive and in `CONTENTS`.

Rules:
- The order within a section is one that stays: by number, by place, by time.
- Nothing that came after the export began is in it (`Person.until_seq`, `Person.until`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from memory.app.consents import delegate_place
from memory.app.leaves import person_leaf
from memory.app.prepare import vault_place
from memory.app.register import FIRST
from memory.app.sealing import (
    open_feedback,
    open_memory,
    open_originals,
    open_version,
    words_behind,
)
from memory.core.affect import Affect
from memory.core.consent import Consent
from memory.core.content import Originals
from memory.core.feedback import to_points
from memory.core.keys import PersonKeys
from memory.core.micros import from_place, to_place
from memory.core.pseudonyms import Entity
from memory.core.record_format import unseal
from memory.core.values import MemoryContent, RecordId, SealedRecord
from memory.ports import (
    AccessEvent,
    AccessFilter,
    MemoryFilter,
    MemoryRow,
    UnitOfWork,
    VersionHead,
)

PAGE: Final = 200

_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Person:
    """Whose archive it is, and what of theirs belongs into it."""

    keys: PersonKeys
    revealed: bool
    until_seq: int
    until: datetime
    receipt: Callable[[PersonKeys, Consent, datetime], str]
    """Of a decision, signed, as it stood at an instant."""


Fields = Mapping[str, object]
Lines = Iterator[tuple[bytes, Fields]]
"""How far the section is read, and the fields of the line."""

Content = Callable[[UnitOfWork, Person, bytes], Lines]


def _consents(uow: UnitOfWork, person: Person, after: bytes) -> Lines:
    for consent in uow.consents(person.keys.subject):
        key = to_place(consent.given_at, consent.id)
        if key > after and consent.given_at <= person.until:
            yield key, _consent(consent, person)


def _consent(consent: Consent, person: Person) -> Fields:
    keys, now = person.keys, person.until
    delegate = None
    if person.revealed and consent.delegate:
        sealed = SealedRecord(consent.delegate)
        delegate = unseal(keys, keys.vault, delegate_place(consent.id), sealed).decode()
    return {
        "id": str(consent.id),
        "purpose": consent.purpose.value,
        "assistant": consent.assistant.value if consent.assistant else None,
        "decision": consent.decision.value,
        "state": consent.state(now).value,
        "given_at": consent.given_at,
        "expires_at": consent.expires_at,
        "withdrawn_at": consent.withdrawn_at,
        "invalidated_at": consent.invalidated_at,
        "notice_version": consent.notice_version,
        "language": consent.language,
        "method": consent.method.value,
        "explicit": consent.explicit,
        "relation": consent.relation.value,
        "delegate": delegate,
        "receipt": person.receipt(keys, consent, now),
    }


def _pseudonyms(uow: UnitOfWork, person: Person, after: bytes) -> Lines:
    if not person.revealed:
        return
    keys = person.keys
    entity_type, _, number = after.decode().partition("/")
    for entity, sealed in uow.page_vault(keys.subject, Entity(entity_type, int(number or 0)), PAGE):
        yield (
            f"{entity.entity_type}/{entity.number}".encode(),
            {
                "pseudonym": entity.pseudonym,
                "entity_type": entity.entity_type,
                "number": entity.number,
                "value": unseal(keys, keys.vault, vault_place(entity), sealed).decode(),
            },
        )


def _memories(uow: UnitOfWork, person: Person, after: bytes) -> Lines:
    keys = person.keys
    seq = int.from_bytes(after, "big") if after else -1
    known = _Vault.of(uow, person)
    for row in uow.page_memories(keys.subject, MemoryFilter(), seq, PAGE):
        if row.seq > person.until_seq:
            return
        memory = open_memory(keys, row, affect=True)
        originals = open_originals(keys, row) if person.revealed else Originals()
        yield (
            row.seq.to_bytes(8, "big"),
            {
                "id": str(row.id),
                **_said(memory.content, originals, known, revealed=person.revealed),
                "kind": row.kind.value,
                "purpose": row.purpose.value,
                "assistant": row.assistant.value,
                "stored_at": row.stored_at,
                "updated_at": row.updated_at,
                "version": row.version,
                "expires_at": row.expires_at,
                **_repeated(row),
            },
        )


def _repeated(row: MemoryRow) -> Fields:
    if row.last_seen_at is None:
        return {}
    return {"sightings": row.sightings, "last_seen_at": row.last_seen_at}


def _versions(uow: UnitOfWork, person: Person, after: bytes) -> Lines:
    keys = person.keys
    behind = VersionHead(-1, 0)
    if after:
        behind = VersionHead(int.from_bytes(after[:8], "big"), int.from_bytes(after[8:], "big"))
    known = _Vault.of(uow, person)
    for row in uow.page_versions(keys.subject, behind, PAGE):
        if row.seq > person.until_seq:
            return
        content, originals = open_version(keys, row)
        yield (
            row.seq.to_bytes(8, "big") + row.version.to_bytes(8, "big"),
            {
                "memory": str(row.id),
                "version": row.version,
                **_said(content, originals, known, revealed=person.revealed),
                "kind": row.kind.value,
                "updated_at": row.updated_at,
            },
        )


def _ratings(uow: UnitOfWork, person: Person, after: bytes) -> Lines:
    keys = person.keys
    ratings = open_feedback(keys, uow.feedback(keys.subject)).ratings
    rated = [one.record for one in ratings]
    there = {head.id for head in uow.heads(keys.subject, MemoryFilter(), rated)}
    for one in ratings:
        key = to_place(one.at, one.record)
        if key > after and one.at <= person.until and one.record in there:
            yield (
                key,
                {
                    "memory": str(one.record),
                    "version": one.version,
                    "rating": one.rating.value,
                    "at": one.at,
                    "steps": to_points(one.steps),
                },
            )


def _access(uow: UnitOfWork, person: Person, after: bytes) -> Lines:
    before = person.until + _MICROSECOND, RecordId(bytes(16))
    if after:
        before = from_place(after)
    for event in uow.access_events(person.keys.subject, AccessFilter(), PAGE, before):
        yield to_place(event.at, event.id), _access_event(person.keys, event)


def _access_event(keys: PersonKeys, event: AccessEvent) -> Fields:
    leaf = person_leaf(keys, event)
    return {
        "id": str(event.id),
        "at": event.at,
        "assistant": event.assistant.value,
        "purpose": event.purpose.value if event.purpose else None,
        "action": event.action.value,
        "memories": event.memories,
        "denied": event.denied,
        "leaf_input": leaf.input.hex(),
        "leaf_hash": leaf.hash.hex(),
    }


def _requests(uow: UnitOfWork, person: Person, after: bytes) -> Lines:
    behind = from_place(after) if after else FIRST
    for row in uow.page_persons_requests(person.keys.subject, behind, PAGE):
        if row.received_at >= person.until:
            return
        yield (
            to_place(row.received_at, row.id),
            {
                "id": str(row.id),
                "right": row.right.value,
                "received_at": row.received_at,
                "due_at": row.due_at,
                "extended_for": row.extended_for,
                "outcome": row.outcome,
                "finished_at": row.finished_at,
            },
        )


CONTENTS: Final[Mapping[str, Content]] = {
    "consents": _consents,
    "pseudonyms": _pseudonyms,
    "memories": _memories,
    "versions": _versions,
    "ratings": _ratings,
    "access": _access,
    "requests": _requests,
}
"""By section. `notes` are not the person's, and need no transaction."""


def _said(
    content: MemoryContent, originals: Originals, known: _Vault, *, revealed: bool
) -> dict[str, object]:
    """What was said: in the person's own words with where pseudonyms stand, or under pseudonyms."""
    about: dict[str, object] = {
        "session": content.session,
        "event_time": content.event_time,
        "labels": content.labels,
        "sources": [str(source) for source in content.sources],
        "affect": None if content.affect is None else _inferred(content.affect),
    }
    if content.until is not None:
        about["valid_until"] = content.until
    if content.supersedes:
        about["supersedes"] = [str(older) for older in content.supersedes]
    if content.importance is not None:
        about["importance"] = content.importance
    if not revealed:
        speaker = content.speaker.value if content.speaker else None
        return {"text": content.text.value, "speaker": speaker, **about}
    words = words_behind(content, originals)
    hidden = []
    shift = 0
    for mention in originals.text:
        start = mention.start + shift
        shift += len(mention.original.value) - (mention.end - mention.start)
        if mention.pseudonym in known:
            hidden.append([start, mention.end + shift, mention.pseudonym])
    speaker_pseudonym = next((m.pseudonym for m in originals.speaker if m.pseudonym in known), None)
    return {
        "text": words.text.value,
        "hidden": hidden,
        "speaker": words.speaker.value if words.speaker else None,
        "speaker_hidden": speaker_pseudonym,
        **about,
    }


def _inferred(affect: Affect) -> Fields:
    return {
        "valence": affect.valence,
        "frustration": affect.frustration,
        "cues": [{"rule": c.rule, "words": c.words, "points": c.points} for c in affect.cues],
    }


@dataclass(frozen=True, slots=True)
class _Vault:
    """Which pseudonyms stand for someone or something in the vault."""

    numbers: Mapping[str, int]

    @classmethod
    def of(cls, uow: UnitOfWork, person: Person) -> _Vault:
        return cls(uow.next_entity_numbers(person.keys.subject) if person.revealed else {})

    def __contains__(self, pseudonym: str) -> bool:
        of, _, number = pseudonym.rpartition("_")
        return number.isdecimal() and 0 < int(number) < self.numbers.get(of.upper(), 0)
