"""Rows and what lies sealed in them: where a memory's fields are closed and opened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from memory.core.content import (
    Features,
    Originals,
    decode_body,
    decode_features,
    decode_originals,
    encode_body,
    encode_features,
    encode_originals,
)
from memory.core.feedback import Feedback, decode_feedback, encode_feedback
from memory.core.keys import PersonKeys
from memory.core.pseudonyms import reveal
from memory.core.record_format import SALT_BYTES, Place, seal, unseal
from memory.core.values import (
    AssistantId,
    MemoryContent,
    MemoryKind,
    PurposeId,
    RawText,
    RecordId,
    SealedRecord,
)
from memory.ports import MemoryRow, RandomBytes, VersionRow


@dataclass(frozen=True, slots=True)
class Words:
    """What a memory says in the person's own words."""

    text: RawText
    speaker: RawText | None


@dataclass(frozen=True, slots=True)
class Remembered:
    """A memory, opened. `content` carries pseudonyms; `words` only what was revealed by right."""

    id: RecordId
    content: MemoryContent
    kind: MemoryKind
    purpose: PurposeId
    assistant: AssistantId
    stored_at: datetime
    updated_at: datetime
    version: int
    expires_at: datetime | None = None
    words: Words | None = None
    sightings: int = 1
    last_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SealedFields:
    """The three sealed fields of a row."""

    body: SealedRecord
    features: SealedRecord
    originals: SealedRecord


def seal_fields(
    keys: PersonKeys,
    record: RecordId,
    content: MemoryContent,
    features: Features,
    originals: Originals,
    random: RandomBytes,
) -> SealedFields:
    """Each field under its own salt; `originals` under the vault's key."""
    return SealedFields(
        body=seal_body(keys, record, content, random),
        features=seal_features(keys, record, features, random),
        originals=seal(
            keys,
            keys.vault,
            Place(record.value, "originals"),
            encode_originals(originals),
            random(SALT_BYTES),
        ),
    )


def seal_body(
    keys: PersonKeys, record: RecordId, content: MemoryContent, random: RandomBytes
) -> SealedRecord:
    """What a memory says, under a fresh salt."""
    place = Place(record.value, "body")
    return seal(keys, keys.record, place, encode_body(content), random(SALT_BYTES))


def seal_features(
    keys: PersonKeys, record: RecordId, features: Features, random: RandomBytes
) -> SealedRecord:
    """What ranking needs, under a fresh salt."""
    place = Place(record.value, "features")
    return seal(keys, keys.record, place, encode_features(features), random(SALT_BYTES))


def open_memory(keys: PersonKeys, row: MemoryRow, *, affect: bool = False) -> Remembered:
    """The memory of a row, with inferred mood where `affect` says so; `SealError` when it was
    tampered with.
    """
    content = decode_body(unseal(keys, keys.record, Place(row.id.value, "body"), row.body))
    return Remembered(
        id=row.id,
        content=content if affect or content.affect is None else replace(content, affect=None),
        kind=row.kind,
        purpose=row.purpose,
        assistant=row.assistant,
        stored_at=row.stored_at,
        updated_at=row.updated_at,
        version=row.version,
        expires_at=row.expires_at,
        sightings=row.sightings,
        last_seen_at=row.last_seen_at,
    )


def open_features(keys: PersonKeys, row: MemoryRow) -> Features:
    """What ranking needs of a row."""
    return decode_features(unseal(keys, keys.record, Place(row.id.value, "features"), row.features))


def open_originals(keys: PersonKeys, row: MemoryRow) -> Originals:
    """The words behind the pseudonyms, and where they stood."""
    place = Place(row.id.value, "originals")
    return decode_originals(unseal(keys, keys.vault, place, row.originals))


def seal_version(
    keys: PersonKeys,
    row: VersionRow,
    content: MemoryContent,
    originals: Originals,
    random: RandomBytes,
) -> VersionRow:
    """The row with its fields sealed anew, each for this one version."""
    body, words = _version_places(row)
    return replace(
        row,
        key_version=keys.version,
        body=seal(keys, keys.record, body, encode_body(content), random(SALT_BYTES)),
        originals=seal(keys, keys.vault, words, encode_originals(originals), random(SALT_BYTES)),
    )


def older(keys: PersonKeys, row: MemoryRow, random: RandomBytes) -> VersionRow:
    """What a row says now, as the older version that it is about to become."""
    version = VersionRow(
        id=row.id,
        subject=row.subject,
        seq=row.seq,
        version=row.version,
        kind=row.kind,
        updated_at=row.updated_at,
        key_version=row.key_version,
        body=row.body,
        originals=row.originals,
    )
    content = open_memory(keys, row, affect=True).content
    return seal_version(keys, version, content, open_originals(keys, row), random)


def open_version(keys: PersonKeys, row: VersionRow) -> tuple[MemoryContent, Originals]:
    """What an older version said, and the words behind its pseudonyms."""
    body, words = _version_places(row)
    return (
        decode_body(unseal(keys, keys.record, body, row.body)),
        decode_originals(unseal(keys, keys.vault, words, row.originals)),
    )


def seal_feedback(keys: PersonKeys, feedback: Feedback, random: RandomBytes) -> SealedRecord | None:
    """All ratings of a person, under a fresh salt; None for none."""
    if not feedback.ratings:
        return None
    place = _feedback_place(keys)
    return seal(keys, keys.record, place, encode_feedback(feedback), random(SALT_BYTES))


def open_feedback(keys: PersonKeys, sealed: SealedRecord | None) -> Feedback:
    """The opposite."""
    if sealed is None:
        return Feedback()
    return decode_feedback(unseal(keys, keys.record, _feedback_place(keys), sealed))


def _feedback_place(keys: PersonKeys) -> Place:
    return Place(keys.subject.value, "feedback")


def _version_places(row: VersionRow) -> tuple[Place, Place]:
    return (
        Place(row.id.value, f"body/{row.version}"),
        Place(row.id.value, f"originals/{row.version}"),
    )


def open_words(keys: PersonKeys, row: MemoryRow, content: MemoryContent) -> Words:
    """The person's own words; ask for the right to them first."""
    return words_behind(content, open_originals(keys, row))


def words_behind(content: MemoryContent, originals: Originals) -> Words:
    """A content in the person's own words."""
    text = reveal(content.text, originals.text)
    if content.speaker is None:
        return Words(text, None)
    return Words(text, reveal(content.speaker, originals.speaker))
