"""Which of a person's known entities a query names, found through the vault alone.

    candidates = candidate_names(query, key)         hashed word sequences, no model
    known = uow.entities(subject, candidates.hashes)  one SQL query
    mentions = query_mentions(candidates, known)      what the query names, and where

Rules:
- No detector on the read path: every sequence of up to five words is hashed and looked up. What
  was never stored cannot be found, and need not be.
- Longest first, then from the left; mentions do not overlap, but one place may name two entities
  (Jordan, a friend and a country).
- Case, accents and possessives do not matter, as in `core.surfaces`.
- Numbers and e-mail addresses in a query are found by their look (`masked_spans`) even when the
  vault does not know them, so that they never reach the encoder.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from memory.core.pseudonyms import AliasHash, Entity
from memory.core.spans import resolve
from memory.core.surfaces import Kind, is_affix, normalize, person_forms, words
from memory.core.values import RawText, Secret, Span

MAX_WORDS: Final = 5
MAX_QUERY_WORDS: Final = 256
"""Words of a query that are looked at; bounds hashing and the SQL lookup."""

_EMAIL: Final = re.compile(r"[\w.+%\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,4}")
_NUMBER: Final = re.compile(r"\+?\d(?:[ ().\-/]{0,2}\d){5,24}")


@dataclass(frozen=True, slots=True)
class CandidateNames:
    """Hashes and, for each, the characters [start, end) of the query they stand for."""

    places: Mapping[bytes, tuple[tuple[int, int], ...]]
    looks: tuple[Span, ...]

    @property
    def hashes(self) -> frozenset[bytes]:
        return frozenset(self.places)


@dataclass(frozen=True, slots=True)
class QueryMention:
    """Characters [start, end) of the query name this entity."""

    start: int
    end: int
    entity: Entity


def candidate_names(query: RawText, key: Secret) -> CandidateNames:
    """Everything in the query that could be a known name, hashed under the blind-index key."""
    places: defaultdict[bytes, list[tuple[int, int]]] = defaultdict(list)
    aliases = AliasHash(key)
    found = words(query.value)[:MAX_QUERY_WORDS]
    forms = [word.form for word in found]
    affixed = [is_affix(form) for form in forms]
    for first, word in enumerate(found):
        name = ""
        for last in range(first, min(first + MAX_WORDS, len(found))):
            name = f"{name} {forms[last]}" if name else forms[last]
            person, end = name, found[last].end
            if "," in query.value[word.start : end]:
                person = normalize("PERSON", query.value[word.start : end])
            elif affixed[first] or affixed[last]:
                person = " ".join(person_forms(forms[first : last + 1]))
            at = (word.start, end)
            places[aliases.whole(Kind.PERSON, person)].append(at)
            places[aliases.whole(Kind.NAME, name)].append(at)
            places[aliases.part(person)].append(at)
    looks = _looks(query.value)
    for span in looks:
        surface = query.value[span.start : span.end]
        for entity_type, of in (
            ("EMAIL_ADDRESS", Kind.EMAIL),
            ("PHONE_NUMBER", Kind.PHONE),
            ("CODE", Kind.CODE),
        ):
            alias = aliases.whole(of, normalize(entity_type, surface))
            places[alias].append((span.start, span.end))
    return CandidateNames({alias: tuple(at) for alias, at in places.items()}, tuple(looks))


def query_mentions(
    candidates: CandidateNames, known: Mapping[bytes, Entity]
) -> tuple[QueryMention, ...]:
    """The entities that the query names, in its order. `known`: what the vault has of `hashes`."""
    hits = {
        QueryMention(start, end, known[alias])
        for alias, places in candidates.places.items()
        if alias in known
        for start, end in places
    }
    taken: list[QueryMention] = []
    for hit in sorted(hits, key=lambda m: (m.start - m.end, m.start)):
        if all(
            hit.end <= t.start or t.end <= hit.start or (hit.start, hit.end) == (t.start, t.end)
            for t in taken
        ):
            taken.append(hit)
    return tuple(sorted(taken, key=lambda m: (m.start, m.entity.entity_type, m.entity.number)))


def masked_spans(
    query: RawText, candidates: CandidateNames, mentions: Sequence[QueryMention]
) -> list[Span]:
    """What to hide from the encoder: known entities, and what looks like e-mail or a number."""
    named = [Span(m.start, m.end, m.entity.entity_type) for m in mentions]
    return resolve(query.value, [*named, *candidates.looks])


def _looks(text: str) -> list[Span]:
    emails = [Span(m.start(), m.end(), "EMAIL_ADDRESS", 0.9) for m in _EMAIL.finditer(text)]
    numbers = [Span(m.start(), m.end(), "PHONE_NUMBER", 0.5) for m in _NUMBER.finditer(text)]
    return resolve(text, [*emails, *numbers])
