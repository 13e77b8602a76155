"""Policy: which finds are hidden, and what stands in their place.

Rules:
- Per entity type one action: `pseudonymize` (a stable name, revealable), `redact` (the type in
  brackets; the original is not kept), `generalize` (a date to its month, an address to its
  region; revealable), `keep` (not hidden at all).
- Profile `direct` hides what points at one person: names, contact, identifiers, street
  addresses, credentials. Profile `strict` also hides places, organizations, nationality and
  religion, and dates. A type that neither names (a plug-in's own) is hidden.
- The deny-list always hides, the allow-list never does, in any spelling (`core.surfaces`); a term
  on both is hidden.
- A tenant's table names a profile and what differs from it; an unknown key or action is an
  error, because a typo must not become a leak.

    profile = "direct"
    allow = ["Acme"]
    [actions]
    CREDENTIAL = "redact"
    [deny]
    "Project Bluebird" = "ORGANIZATION"
    [tenants.clinic]
    profile = "strict"
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Final

from memory.core.generalize import month, region
from memory.core.pseudonyms import Mention
from memory.core.surfaces import words
from memory.core.tenants import PerTenant, per_tenant
from memory.core.values import RawText, Span
from memory.errors import ConfigurationError


class Action(StrEnum):
    """What happens to a find."""

    PSEUDONYMIZE = "pseudonymize"
    REDACT = "redact"
    GENERALIZE = "generalize"
    KEEP = "keep"


ONLY_STRICT: Final = frozenset({"LOCATION", "ORGANIZATION", "NRP", "DATE_TIME", "URL"})
_DATES: Final = frozenset({"DATE_TIME", "DATE_OF_BIRTH"})
_PLACES: Final = frozenset({"STREET_ADDRESS", "LOCATION"})
_TYPE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,40}")
_DENIED_SCORE: Final = 1.0


@dataclass(frozen=True)
class Policy:
    """One tenant's choice. `actions` names what differs from hiding under a pseudonym."""

    actions: Mapping[str, Action] = field(default_factory=dict)
    allow: tuple[str, ...] = ()
    deny: Mapping[str, str] = field(default_factory=dict)
    """Term to entity type."""

    def action(self, entity_type: str) -> Action:
        """What happens to finds of this type."""
        return self.actions.get(entity_type, Action.PSEUDONYMIZE)

    @cached_property
    def _allowed(self) -> frozenset[str]:
        return frozenset(_form(term) for term in self.allow) - {_form(term) for term in self.deny}

    def hides(self, text: str, span: Span) -> bool:
        """Whether this find is to be hidden."""
        if self.action(span.entity_type) is Action.KEEP:
            return False
        return not self._allowed or _form(text[span.start : span.end]) not in self._allowed

    @cached_property
    def _denied(self) -> tuple[Mapping[tuple[str, ...], str], int]:
        terms = {tuple(_form(term).split(" ")): kind for term, kind in self.deny.items()}
        return terms, max((len(term) for term in terms), default=0)

    def denied(self, text: str) -> list[Span]:
        """Spans of the deny-list's terms, which may overlap."""
        terms, longest = self._denied
        if not terms:
            return []
        found = words(text)
        forms = [word.form for word in found]
        return [
            Span(found[at].start, found[at + size - 1].end, terms[term], _DENIED_SCORE)
            for at in range(len(found))
            for size in range(1, min(longest, len(found) - at) + 1)
            if (term := tuple(forms[at : at + size])) in terms
        ]

    def stand_ins(self, text: RawText, spans: Sequence[Span]) -> tuple[str | None, ...]:
        """For each span the text that takes its place; None where a pseudonym does."""
        return tuple(
            self._stand_in(span.entity_type, text.value[span.start : span.end]) for span in spans
        )

    def _stand_in(self, entity_type: str, surface: str) -> str | None:
        match self.action(entity_type):
            case Action.REDACT:
                return redacted(entity_type)
            case Action.GENERALIZE:
                coarse = (
                    month(surface)
                    if entity_type in _DATES
                    else region(surface)
                    if entity_type in _PLACES
                    else None
                )
                return coarse or redacted(entity_type)
            case _:
                return None

    def revealable(self, spans: Sequence[Span], mentions: Sequence[Mention]) -> tuple[Mention, ...]:
        """The mentions whose original may be kept: all but those of redacted spans."""
        return tuple(
            mention
            for span, mention in zip(spans, mentions, strict=True)
            if self.action(span.entity_type) is not Action.REDACT
        )


def redacted(entity_type: str) -> str:
    """What stands for a find that is not kept."""
    return f"[{entity_type.lower().replace('_', ' ')}]"


DIRECT: Final = Policy(actions=dict.fromkeys(ONLY_STRICT, Action.KEEP))
STRICT: Final = Policy()
PROFILES: Final = {"direct": DIRECT, "strict": STRICT}


def load_policies(table: Mapping[str, object], origin: str) -> PerTenant[Policy]:
    """The policies of a TOML table; `origin` names the file in errors.

    Raises:
        ConfigurationError: an unknown tenant name, key, type or action.
    """
    return per_tenant(table, origin, load)


def load(table: Mapping[str, object]) -> Policy:
    """The policy of a TOML table. Raises `ConfigurationError` naming what is wrong."""
    unknown = set(table) - {"profile", "actions", "allow", "deny"}
    if unknown:
        raise ConfigurationError(f"unknown setting {min(unknown)!r}")
    profile = PROFILES.get(str(table.get("profile", "direct")))
    if profile is None:
        raise ConfigurationError(f"profile: must be one of {', '.join(PROFILES)}")
    actions = dict(profile.actions)
    for name, value in _strings(table, "actions").items():
        if not _TYPE.fullmatch(name) or value not in set(Action):
            raise ConfigurationError(
                f"actions.{name}: an entity type like PERSON, and one of {', '.join(Action)}"
            )
        actions[name] = Action(value)
    deny = _strings(table, "deny")
    for term, kind in deny.items():
        if not _form(term) or not _TYPE.fullmatch(kind):
            raise ConfigurationError("deny: each term needs words and an entity type")
    allow = table.get("allow", [])
    if not isinstance(allow, list) or not all(isinstance(term, str) for term in allow):
        raise ConfigurationError("allow: must be a list of texts")
    return replace(profile, actions=actions, allow=tuple(allow), deny=deny)


def _strings(table: Mapping[str, object], key: str) -> dict[str, str]:
    value = table.get(key, {})
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        raise ConfigurationError(f"{key}: must be a table of texts")
    return {str(name): str(text) for name, text in value.items()}


def _form(term: str) -> str:
    return " ".join(word.form for word in words(term)) or term.strip().casefold()
