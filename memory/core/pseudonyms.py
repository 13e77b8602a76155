"""Pseudonyms: one person's real names become stable stand-ins, and come back only by right.

    blind(text, spans, key)        outside the transaction: canonical forms, hashed
    hashes(blinded)                what to look up in the vault, one SQL query
    plan(blinded, known, numbers)  inside it: a name per span, what the vault must learn
    Anonymizer.replace(...)        the text with the names in it, and what was where
    reveal(text, mentions)         the original, exactly

Rules:
- No IO, no randomness, no detector. The key is the person's own (blind index), so hashes of two
  people's vaults have nothing in common.
- An alias is a canonical form (`core.surfaces`) behind keyed BLAKE2b (RFC 7693, 16 bytes; three
  times as fast as HMAC, and a query hashes hundreds). Whole forms and partial forms of people
  ("bob", "smith" of "bob smith") hash apart.
- **Who an ambiguous name means**: the first who brought it. An alias is given once and never
  moves, so the same surface has the same pseudonym for ever, whatever is said later. In detail,
  for a person's surface: a whole form known before; else a partial form known before; else, when
  one of its own parts was seen only as a bare name ("Bob", now "Bob Smith"), it completes that
  person; else someone new.
- A pseudonym is `<entity type in lower case>_<number>`; numbers count from 1 per type and are
  given in the order of the text.
- Positions make the way back exact: a text that literally says "person_1" is no exception.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from memory.core.surfaces import Kind, kind, normalize, partial_forms
from memory.core.values import PseudonymizedText, RawText, Secret, Span

ALIAS_BYTES: Final = 16

_PERSONALIZATION: Final = b"tacit/v1/alias"


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that has a pseudonym: an entity type and a number within one person's vault."""

    entity_type: str
    number: int

    @property
    def pseudonym(self) -> str:
        return f"{self.entity_type.lower()}_{self.number}"


@dataclass(frozen=True, slots=True)
class BlindSpan:
    """A span and the hashes its surface may be known by.

    `fixed` is a text that the policy puts in its place; then it needs no entity and has no hashes.
    """

    span: Span
    surface: RawText
    whole: bytes = b""
    as_part: bytes = b""
    parts: tuple[tuple[bytes, bytes], ...] = ()
    """Of each partial form: its hash as a whole form and as a part."""
    fixed: str | None = None
    entity: Entity | None = None
    """Who it is, where that is known from an archive; then only aliases are learned."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A name per span, and what the vault must learn in the same transaction."""

    names: tuple[str, ...]
    new_entities: tuple[tuple[Entity, RawText], ...]
    """With the surface to seal as the entity's value."""
    new_aliases: Mapping[bytes, Entity]
    next_numbers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Mention:
    """Characters [start, end) of a pseudonymized text stand for `original`."""

    start: int
    end: int
    pseudonym: str
    original: RawText


@dataclass(frozen=True, slots=True)
class Replacement:
    """A text with names replaced, and the way back."""

    text: PseudonymizedText
    mentions: tuple[Mention, ...]


_PART: Final = "part-of-person"


class AliasHash:
    """16 bytes that stand for a canonical form in one person's vault.

    Made once for many forms: taking up the key costs as much as hashing a form.
    """

    def __init__(self, key: Secret) -> None:
        keyed = blake2b(digest_size=ALIAS_BYTES, key=key.reveal(), person=_PERSONALIZATION)
        self._begun: dict[str, blake2b] = {domain: keyed.copy() for domain in (*Kind, _PART)}
        for domain, hashing in self._begun.items():
            hashing.update(f"{domain}|".encode())

    def whole(self, of: Kind, form: str) -> bytes:
        """Of a form as written in full."""
        return self._of(of, form)

    def part(self, form: str) -> bytes:
        """Of a form as a part of some person's longer name."""
        return self._of(_PART, form)

    def _of(self, domain: str, form: str) -> bytes:
        hashing = self._begun[domain].copy()
        hashing.update(form.encode("utf-8", "surrogatepass"))
        return hashing.digest()


def blind(
    text: RawText,
    spans: Sequence[Span],
    key: Secret,
    fixed: Sequence[str | None] | None = None,
) -> tuple[BlindSpan, ...]:
    """The spans with their aliases hashed under the person's blind-index key.

    `fixed[i]`, where given and not None, stands in for `spans[i]` instead of a pseudonym.
    """
    texts = fixed if fixed is not None else (None,) * len(spans)
    aliases = AliasHash(key)
    return tuple(
        _blind(span, text.value[span.start : span.end], aliases, instead)
        for span, instead in zip(spans, texts, strict=True)
    )


def _blind(span: Span, surface: str, aliases: AliasHash, instead: str | None) -> BlindSpan:
    if instead is not None:
        return BlindSpan(span, RawText(surface), fixed=instead)
    of = kind(span.entity_type)
    form = normalize(span.entity_type, surface)
    whole = aliases.whole(of, form)
    if of is not Kind.PERSON:
        return BlindSpan(span, RawText(surface), whole)
    parts = tuple((aliases.whole(of, p), aliases.part(p)) for p in partial_forms(form))
    return BlindSpan(span, RawText(surface), whole, aliases.part(form), parts)


def rehash(entity_type: str, surface: RawText, old: Secret, new: Secret) -> dict[bytes, bytes]:
    """Every alias that a surface may have given: its hash under one key, and under another."""
    span = Span(0, max(1, len(surface.value)), entity_type)
    was, becomes = (_blind(span, surface.value, AliasHash(key), None) for key in (old, new))
    pairs = [(was.whole, becomes.whole), (was.as_part, becomes.as_part)]
    for before, after in zip(was.parts, becomes.parts, strict=True):
        pairs += zip(before, after, strict=True)
    return {before: after for before, after in pairs if before}


def hashes(blinded: Sequence[BlindSpan]) -> frozenset[bytes]:
    """Every alias the vault is to be asked for."""
    return frozenset(
        h
        for b in blinded
        for h in (b.whole, b.as_part, *(half for part in b.parts for half in part))
        if h
    )


def plan(
    blinded: Sequence[BlindSpan],
    known: Mapping[bytes, Entity],
    next_numbers: Mapping[str, int],
) -> Plan:
    """Name each span. `known`: what the vault has of `hashes(blinded)`; numbers default to 1.

    To name several texts in one transaction, go on with `{**known, **plan.new_aliases}` and
    `plan.next_numbers`.
    """
    aliases: dict[bytes, Entity] = {}
    numbers = dict(next_numbers)
    names: list[str] = []
    created: list[tuple[Entity, RawText]] = []

    def lookup(alias: bytes) -> Entity | None:
        return aliases.get(alias) or known.get(alias)

    for b in blinded:
        if b.fixed is not None:
            names.append(b.fixed)
            continue
        if b.entity is not None:
            for alias in (b.whole, *(part for _, part in b.parts)):
                if lookup(alias) is None:
                    aliases[alias] = b.entity
            names.append(b.entity.pseudonym)
            continue
        entity = lookup(b.whole) or lookup(b.as_part)
        if entity is None:
            entity = next(
                (bare for w, p in b.parts if (bare := lookup(w)) and lookup(p) is None), None
            )
            if entity is None:
                entity_type = b.span.entity_type
                number = numbers.get(entity_type, 1)
                numbers[entity_type] = number + 1
                entity = Entity(entity_type, number)
                created.append((entity, b.surface))
            aliases[b.whole] = entity
            for _, part in b.parts:
                if lookup(part) is None:
                    aliases[part] = entity
        names.append(entity.pseudonym)
    return Plan(tuple(names), tuple(created), aliases, numbers)


def replace(text: RawText, spans: Sequence[Span], names: Sequence[str]) -> Replacement:
    """`names[i]` in place of `spans[i]` (sorted, without overlap), and what was where."""
    pieces: list[str] = []
    mentions: list[Mention] = []
    length = position = 0
    for span, name in zip(spans, names, strict=True):
        if span.start < position:
            raise ValueError("spans must be sorted and must not overlap")
        pieces += (text.value[position : span.start], name)
        length += span.start - position
        original = RawText(text.value[span.start : span.end])
        mentions.append(Mention(length, length + len(name), name, original))
        length += len(name)
        position = span.end
    pieces.append(text.value[position:])
    return Replacement(PseudonymizedText("".join(pieces)), tuple(mentions))


def reveal(text: PseudonymizedText, mentions: Sequence[Mention]) -> RawText:
    """The original of a replaced text, exactly. ValueError when the mentions are not its own."""
    pieces: list[str] = []
    position = 0
    for mention in mentions:
        if mention.start < position or text.value[mention.start : mention.end] != mention.pseudonym:
            raise ValueError("these mentions belong to another text")
        pieces += (text.value[position : mention.start], mention.original.value)
        position = mention.end
    pieces.append(text.value[position:])
    return RawText("".join(pieces))
