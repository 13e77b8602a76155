"""From a draft to something that can be sealed: the steps before and inside the transaction.

    prepare     detect ▶ embed           no keys, no SQL; the expensive part
    name        vault ▶ pseudonymize     inside the transaction that writes
    seal_row    seal                     the row, ready to insert

Rules:
- The encoder reads the text without the names in it; the vault gives the names back their
  identity at ranking.
- A speaker is a name unless it is a role word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Final

from memory.app.models import detect, embed
from memory.app.sealing import seal_fields
from memory.core.affect import Affect
from memory.core.content import Features, Originals
from memory.core.draft import Draft
from memory.core.duplicates import told_again
from memory.core.embedding_text import embedding_text
from memory.core.facts import claims
from memory.core.keys import PersonKeys
from memory.core.lexical import asks, terms
from memory.core.policy import Policy
from memory.core.pseudonyms import BlindSpan, Entity, Mention, blind, hashes, plan
from memory.core.record_format import SALT_BYTES, Place, seal
from memory.core.saying import said
from memory.core.spans import with_known
from memory.core.values import (
    Access,
    MemoryContent,
    MemoryKind,
    PseudonymizedText,
    RawText,
    RecordId,
    Span,
    TenantId,
    Vector,
)
from memory.ports import (
    Anonymizer,
    Detector,
    Encoder,
    MemoryRow,
    Observer,
    RandomBytes,
    UnitOfWork,
)

ROLES: Final = frozenset(
    {"user", "human", "assistant", "ai", "bot", "system", "agent", "tool", "customer", "caller"}
)
"""Speakers that name nobody."""

_OWN_ROLES: Final = frozenset({"user", "human", "customer", "caller"})
_MACHINES: Final = ROLES - _OWN_ROLES

MAX_KNOWN_NAMES: Final = 64
"""Speakers of one batch that are looked for by name; bounds the work on a hostile batch."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A draft with what was found in it; of the rest the exact unit vector (d,), the terms, and the
    mood if it may be inferred.
    """

    draft: Draft
    speaker_spans: tuple[Span, ...]
    spans: tuple[Span, ...]
    vector: Vector
    terms: tuple[str, ...]
    affect: Affect | None = None
    known: Mapping[Span, Entity] = field(default_factory=dict)
    """Whom some of the spans stand for, known from an archive."""
    known_speaker: Entity | None = None


@dataclass(frozen=True, slots=True)
class Hidden:
    """What an archive says was hidden in a draft, and whom it stood for."""

    spans: Mapping[Span, Entity]
    speaker: Entity | None


@dataclass(frozen=True, slots=True)
class Named:
    """A prepared draft under pseudonyms. What the policy redacts is not among the `originals`."""

    prepared: Prepared
    text: PseudonymizedText
    speaker: PseudonymizedText | None
    originals: Originals
    entities: frozenset[str]

    def content(self, *, affect: bool = False) -> MemoryContent:
        """What is sealed as the memory's body; with the mood where `affect` says so."""
        draft = self.prepared.draft
        return MemoryContent(
            text=self.text,
            speaker=self.speaker,
            session=draft.session,
            event_time=draft.event_time,
            labels=dict(draft.labels),
            affect=self.prepared.affect if affect else None,
            sources=draft.sources,
            until=draft.until,
            supersedes=draft.supersedes,
            importance=draft.importance,
        )

    def derived_from(self, source: RecordId) -> Named:
        """The same, with the memory that it was derived from."""
        draft = replace(self.prepared.draft, sources=(source,))
        return replace(self, prepared=replace(self.prepared, draft=draft))

    def features(self, stored_at: datetime) -> Features:
        """What ranking will need."""
        draft = self.prepared.draft
        speaker = self.originals.speaker[0].pseudonym if self.originals.speaker else ""
        time = draft.event_time or stored_at
        about = said(self.text.value, time.date())
        return Features(
            vector=self.prepared.vector,
            terms=self.prepared.terms,
            speaker=speaker,
            entities=self.entities,
            time=time,
            asks=asks(self.text.value),
            claims=() if is_machine(draft) else claims(self.text.value, speaker),
            until=draft.until,
            supersedes=draft.supersedes,
            days=about.days,
            saying=about.saying,
            importance=draft.importance or 0.0,
        )


@dataclass(frozen=True, slots=True)
class Detection:
    """What a tenant has found, and what is done with it."""

    detector: Detector
    policy: Policy


@dataclass(frozen=True, slots=True)
class Preparer:
    """Detects and embeds."""

    detection: Callable[[TenantId], Detection]
    anonymizer: Anonymizer
    encoder: Encoder
    affect: Callable[[PseudonymizedText], Affect | None]
    """Infers mood from a text without names; None where it cannot judge."""
    observer: Observer

    def prepare(self, tenant: TenantId, drafts: Sequence[Draft], *, affect: bool) -> list[Prepared]:
        """The expensive part of storing, for several drafts at once.

        Args:
            affect: whether mood may be inferred; to be asked again before it is stored.
        """
        detection = self.detection(tenant)
        speakers = {d.speaker for d in drafts if d.speaker and _names_someone(d.speaker)}
        names = sorted(speakers, key=lambda name: name.value)[:MAX_KNOWN_NAMES]
        found = detect(self.observer, detection.detector, [(d.text, names) for d in drafts])
        texts = [embedding_text(d.text, spans) for d, spans in zip(drafts, found, strict=True)]
        vectors = embed(self.observer, self.encoder, texts)
        return [
            Prepared(
                draft,
                _speaker_spans(draft.speaker, detection.policy),
                spans,
                vector,
                terms(text.value),
                self.affect(text) if affect and tells_own_mood(draft) else None,
            )
            for draft, spans, vector, text in zip(drafts, found, vectors, texts, strict=True)
        ]

    def prepare_archived(
        self,
        tenant: TenantId,
        drafts: Sequence[Draft],
        hidden: Sequence[Hidden],
        affect: Sequence[bool],
    ) -> list[Prepared]:
        """The same for drafts of which something is known to be hidden already.

        Detection is not left out: an archive may come from anywhere.

        Args:
            affect: of each draft, whether mood may be inferred; asked again as above.
        """
        detection = self.detection(tenant)
        prepared = []
        asked = [
            (d.text, [d.speaker] if d.speaker and _names_someone(d.speaker) else []) for d in drafts
        ]
        every = detect(self.observer, detection.detector, asked)
        for draft, was, found in zip(drafts, hidden, every, strict=True):
            spans = with_known(found, list(was.spans))
            known = {span: entity for span, entity in was.spans.items() if span in spans}
            speaker = _speaker_spans(draft.speaker, detection.policy)
            if draft.speaker and was.speaker:
                speaker = (Span(0, len(draft.speaker.value), was.speaker.entity_type),)
            prepared.append((draft, speaker, was.speaker, spans, known))
        texts = [embedding_text(draft.text, spans) for draft, _, _, spans, _ in prepared]
        vectors = embed(self.observer, self.encoder, texts)
        return [
            Prepared(
                draft,
                speaker,
                tuple(spans),
                vector,
                terms(text.value),
                self.affect(text) if infer and tells_own_mood(draft) else None,
                known,
                who,
            )
            for (draft, speaker, who, spans, known), vector, text, infer in zip(
                prepared, vectors, texts, affect, strict=True
            )
        ]

    def name(
        self,
        uow: UnitOfWork,
        keys: PersonKeys,
        prepared: Sequence[Prepared],
        random: RandomBytes,
    ) -> list[Named]:
        """Gives every find its pseudonym; what the vault learns is written with `uow`."""
        policy = self.detection(keys.tenant).policy
        blinded = [
            (
                _blind(
                    p.draft.speaker or RawText(""),
                    p.speaker_spans,
                    keys,
                    policy,
                    dict.fromkeys(p.speaker_spans, p.known_speaker) if p.known_speaker else {},
                ),
                _blind(p.draft.text, p.spans, keys, policy, p.known),
            )
            for p in prepared
        ]
        names = iter(_vault_names(uow, keys, [b for pair in blinded for b in chain(*pair)], random))
        return [
            self._named(
                p, policy, [next(names) for _ in speaker], [next(names) for _ in text], text
            )
            for p, (speaker, text) in zip(prepared, blinded, strict=True)
        ]

    def _named(
        self,
        prepared: Prepared,
        policy: Policy,
        speaker_names: Sequence[str],
        names: Sequence[str],
        blinded: Sequence[BlindSpan],
    ) -> Named:
        draft = prepared.draft
        text = self.anonymizer.replace(draft.text, prepared.spans, names)
        speaker = None
        mentions: tuple[Mention, ...] = ()
        if draft.speaker is not None:
            replaced = self.anonymizer.replace(draft.speaker, prepared.speaker_spans, speaker_names)
            speaker = replaced.text
            mentions = policy.revealable(prepared.speaker_spans, replaced.mentions)
        return Named(
            prepared=prepared,
            text=text.text,
            speaker=speaker,
            originals=Originals(policy.revealable(prepared.spans, text.mentions), mentions),
            entities=frozenset(
                name for name, b in zip(names, blinded, strict=True) if b.fixed is None
            ),
        )


def _blind(
    text: RawText,
    spans: Sequence[Span],
    keys: PersonKeys,
    policy: Policy,
    known: Mapping[Span, Entity],
) -> tuple[BlindSpan, ...]:
    blinded = blind(text, spans, keys.blind_index, policy.stand_ins(text, spans))
    if not known:
        return blinded
    return tuple(replace(b, entity=known.get(b.span)) for b in blinded)


def _vault_names(
    uow: UnitOfWork, keys: PersonKeys, blinded: Sequence[BlindSpan], random: RandomBytes
) -> Sequence[str]:
    """A name for each span; what the vault must learn is written with `uow`."""
    if not blinded:
        return ()
    known = uow.entities(keys.subject, hashes(blinded))
    planned = plan(blinded, known, uow.next_entity_numbers(keys.subject))
    sealed = [
        (
            entity,
            seal(keys, keys.vault, vault_place(entity), surface.value.encode(), random(SALT_BYTES)),
        )
        for entity, surface in planned.new_entities
    ]
    uow.add_entities(keys.subject, sealed, planned.new_aliases)
    return planned.names


def vault_place(entity: Entity) -> Place:
    """Where the real value of an entity is sealed."""
    return Place(entity.pseudonym.encode(), "vault")


def seal_row(
    keys: PersonKeys,
    named: Named,
    access: Access,
    record: RecordId,
    seq: int,
    now: datetime,
    random: RandomBytes,
    *,
    affect: bool,
    expires_at: datetime | None,
    content_tag: bytes | None,
    told_last: datetime | None = None,
) -> MemoryRow:
    """The row of a new memory, version 1; `affect` says whether inferred mood may be kept, and
    `told_last` when it was told again before it came here.
    """
    draft = named.prepared.draft
    content = named.content(affect=affect)
    features = named.features(now)
    if told_last is not None:
        features = told_again(features, draft.kind, draft.event_time, told_last)
    sealed = seal_fields(keys, record, content, features, named.originals, random)
    return MemoryRow(
        id=record,
        subject=keys.subject,
        seq=seq,
        purpose=access.purpose,
        assistant=access.caller.assistant,
        kind=draft.kind,
        session_tag=session_tag(keys, draft.session),
        stored_at=now,
        updated_at=now,
        version=1,
        key_version=keys.version,
        body=sealed.body,
        features=sealed.features,
        originals=sealed.originals,
        expires_at=expires_at,
        content_tag=content_tag,
        last_seen_at=told_last,
    )


def session_tag(keys: PersonKeys, session: str) -> bytes:
    """By which SQL finds a session without knowing its name; empty for none."""
    return keys.tag("session", session) if session else b""


def tells_own_mood(draft: Draft) -> bool:
    """Whether the person said it, word for word: a fact has no mood, and someone else's is not
    theirs to consent to.
    """
    speaker = draft.speaker.value.strip().casefold() if draft.speaker else ""
    return draft.kind is MemoryKind.MESSAGE and (not speaker or speaker in _OWN_ROLES)


def is_machine(draft: Draft) -> bool:
    """Whether a program said it, and not a person."""
    return draft.speaker is not None and draft.speaker.value.strip().casefold() in _MACHINES


def _names_someone(speaker: RawText) -> bool:
    word = speaker.value.strip().casefold()
    return bool(word) and word not in ROLES


def _speaker_spans(speaker: RawText | None, policy: Policy) -> tuple[Span, ...]:
    if speaker is None or not _names_someone(speaker):
        return ()
    whole = Span(0, len(speaker.value), "PERSON")
    return (whole,) if policy.hides(speaker.value, whole) else ()
