"""The registry of purposes: what a tenant may use memories for, in words a person can read.

    [assistance]
    title = "Help me in conversations"
    description = "…"
    dpv = "https://w3id.org/dpv#ServiceProvision"

Rules:
- A purpose that is not in the registry does not exist: no consent for it, no use.
- The registry is read once at start; every mistake in it names the table and the key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from memory.core.values import PurposeId
from memory.errors import ConfigurationError, InvalidArgumentError, UnknownPurposeError

_KEYS: Final = frozenset({"title", "description", "dpv"})


@dataclass(frozen=True, slots=True)
class Purpose:
    """One reason to use memories. `dpv` is an IRI of the W3C Data Privacy Vocabulary."""

    id: PurposeId
    title: str
    description: str
    dpv: str


@dataclass(frozen=True, slots=True)
class Purposes:
    """All of them, in the file's order."""

    by_id: Mapping[PurposeId, Purpose]

    def require(self, purpose: PurposeId) -> Purpose:
        """The purpose, or `UnknownPurposeError`."""
        try:
            return self.by_id[purpose]
        except KeyError:
            raise UnknownPurposeError(
                "purpose", "not in this tenant's registry; ListPurposes names those that are"
            ) from None


def parse_purposes(toml: str, origin: str) -> Purposes:
    """The registry from a TOML text; `origin` names the file in errors.

    Raises:
        ConfigurationError: not TOML, an unknown key, a missing one, or a malformed id.
    """
    try:
        tables = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{origin}: {error}") from None
    if not tables:
        raise ConfigurationError(f"{origin}: at least one purpose is needed")
    by_id = {}
    for name, table in tables.items():
        purpose = _parse_one(name, table, origin)
        by_id[purpose.id] = purpose
    return Purposes(by_id)


def _parse_one(name: str, table: object, origin: str) -> Purpose:
    try:
        id_ = PurposeId(name)
    except InvalidArgumentError as error:
        raise ConfigurationError(f"{origin}: [{name}]: {error.problem}") from None
    if not isinstance(table, dict) or set(table) != _KEYS:
        raise ConfigurationError(f"{origin}: [{name}] needs exactly {', '.join(sorted(_KEYS))}")
    for key, value in table.items():
        if not isinstance(value, str) or not value.strip():
            raise ConfigurationError(f"{origin}: [{name}] {key} must be a text")
    return Purpose(id_, table["title"], table["description"], table["dpv"])
