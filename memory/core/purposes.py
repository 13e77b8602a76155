"""The registry of purposes: what a tenant may use memories for, in words a person can read.

    preset = "health"                        # optional: begin with a shipped registry

    [controller]                             # who answers for it (ISO/IEC TS 27560)
    name = "Clinic Example"
    contact = "privacy@clinic.example"

    [care]
    title = "Support my care"
    description = "…"
    dpv = "https://w3id.org/dpv#…"           # W3C Data Privacy Vocabulary
    legal_basis = "consent"                  # GDPR Art. 6(1)
    data_categories = ["https://w3id.org/dpv/pd#MedicalHealth"]
    special_category = true                  # Art. 9: consent must be explicit
    retention = "365d"                       # or P365D, as ISO 8601 writes it
    assistants = ["nurse-bot"]
    affect = false                           # whether mood may be inferred
    notice = "…"
    notice_version = "2026-11"
    minimum_age = { default = 16, DE = 16, AT = 14 }
    [care.translations.de]
    title = "…"
    description = "…"

    [tenants.clinic]                         # a registry of one tenant's own, of the same form
    preset = "health"

Only `title`, `description` and `dpv` are needed.

Rules:
- A purpose that is not in the registry does not exist: no consent for it, no use.
- What a preset forbids (inferring mood in education or at work, EU AI Act Art. 5(1)(f)) no
  registry built on it can allow.
- Read once at start; every mistake names the file, the line, the table and the key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from memory.core.values import AssistantId, PurposeId, TenantId
from memory.errors import ConfigurationError, InvalidArgumentError, UnknownPurposeError

_RESERVED: Final = frozenset({"preset", "controller", "tenants", "forbidden"})
_NEEDED: Final = ("title", "description", "dpv")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_COUNTRY: Final = re.compile(r"[A-Z]{2}|default")
_DAYS: Final = re.compile(r"(?:P(?P<iso>\d{1,5})D|(?P<days>\d{1,5})d)")
_IRI: Final = re.compile(r"https?://\S+")
_MAX_AGE: Final = 21


class LegalBasis(StrEnum):
    """GDPR Art. 6(1), (a) to (f), in the words of DPV's EU-GDPR extension."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal-obligation"
    VITAL_INTEREST = "vital-interest"
    PUBLIC_INTEREST = "public-interest"
    LEGITIMATE_INTEREST = "legitimate-interest"


@dataclass(frozen=True, slots=True)
class Words:
    """What a person reads of a purpose, in one language."""

    title: str
    description: str
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Purpose:
    """One reason to use memories. `dpv` and `data_categories` are IRIs of W3C's DPV.

    `assistants` empty means all of the tenant's; `retention` None, until erased by choice;
    `minimum_age` maps ISO 3166 countries, and "default", to years.
    """

    id: PurposeId
    words: Words
    dpv: str
    legal_basis: LegalBasis = LegalBasis.CONSENT
    data_categories: tuple[str, ...] = ()
    special_category: bool = False
    retention: timedelta | None = None
    assistants: frozenset[AssistantId] = frozenset()
    affect: bool = False
    notice_version: str = "1"
    minimum_age: Mapping[str, int] = field(default_factory=dict)
    translations: Mapping[str, Words] = field(default_factory=dict)

    def allows(self, assistant: AssistantId) -> bool:
        """Whether this assistant may act for it at all."""
        return not self.assistants or assistant in self.assistants

    def accepts(self, notice_version: str, *, explicit: bool) -> bool:
        """Whether a yes to this version of the notice, explicit or not, is what it needs."""
        return notice_version == self.notice_version and (explicit or not self.special_category)

    def in_language(self, tag: str) -> Words:
        """Its words in the language of a BCP 47 tag, or as near as there is."""
        while tag:
            if tag in self.translations:
                return self.translations[tag]
            tag = tag.rpartition("-")[0]
        return self.words


OWN_RIGHTS: Final = Purpose(
    PurposeId("rights"),
    Words("Your own rights", "You look at what is kept of you, and correct it."),
    dpv="https://w3id.org/dpv#RightsFulfilment",
    legal_basis=LegalBasis.LEGAL_OBLIGATION,
)
"""For which a person reads and corrects what is theirs (GDPR Art. 15 and 16). In no registry: it
needs no consent, and nothing can be stored for it.
"""


@dataclass(frozen=True, slots=True)
class Controller:
    """Who decides why and how data is used (GDPR Art. 4(7))."""

    name: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Purposes:
    """One tenant's registry, in the file's order."""

    by_id: Mapping[PurposeId, Purpose]
    controller: Controller = Controller()

    def require(self, purpose: PurposeId) -> Purpose:
        """The purpose, or `UnknownPurposeError`."""
        try:
            return self.by_id[purpose]
        except KeyError:
            raise UnknownPurposeError(
                "purpose", "not in this tenant's registry; ListPurposes names those that are"
            ) from None


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry of everyone, and of those tenants who have one of their own."""

    default: Purposes
    by_tenant: Mapping[TenantId, Purposes] = field(default_factory=dict)

    def of(self, tenant: TenantId) -> Purposes:
        return self.by_tenant.get(tenant, self.default)


def parse_registry(toml: str, origin: str, preset: Callable[[str], str | None]) -> Registry:
    """The registry in a TOML text; `origin` names the file in errors.

    Args:
        preset: the TOML text of a shipped registry, None for one that is not shipped.

    Raises:
        ConfigurationError: not TOML, an unknown key, a missing one, a malformed value, or what
            the preset forbids.
    """
    try:
        tables = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{origin}: {error}") from None
    parser = _Parser(origin, toml, preset)
    tenants = tables.pop("tenants", {})
    if not isinstance(tenants, dict) or not all(isinstance(t, dict) for t in tenants.values()):
        raise parser.error("tenants", "must be tables, one a tenant")
    own = {}
    for name, theirs in tenants.items():
        try:
            tenant = TenantId(name)
        except InvalidArgumentError as error:
            raise parser.error(f"tenants.{name}", error.problem) from None
        own[tenant] = parser.purposes(theirs, f"tenants.{name}.")
    return Registry(parser.purposes(tables, ""), own)


@dataclass(frozen=True, slots=True)
class _Parser:
    origin: str
    toml: str
    preset: Callable[[str], str | None]

    def error(self, table: str, problem: str, key: str = "") -> ConfigurationError:
        line = _line(self.toml, table, key)
        where = f"{self.origin}, line {line}" if line else self.origin
        return ConfigurationError(f"{where}: [{table}] {f'{key} ' if key else ''}{problem}")

    def purposes(self, tables: Mapping[str, Any], prefix: str) -> Purposes:
        base, forbidden = self._base(tables, prefix)
        for word in tables.get("forbidden", ()):
            if word != "affect":
                raise self.error(f"{prefix}forbidden", "can name affect, and nothing else")
        forbidden |= set(tables.get("forbidden", ()))
        by_id = dict(base.by_id)
        for name, table in tables.items():
            if name in _RESERVED:
                continue
            purpose = self._purpose(name, table, f"{prefix}{name}")
            if purpose.affect and "affect" in forbidden:
                raise self.error(
                    f"{prefix}{name}",
                    "cannot be allowed: inferring emotions in education and at work is prohibited "
                    "(EU AI Act, Art. 5(1)(f))",
                    "affect",
                )
            by_id[purpose.id] = purpose
        if not by_id:
            raise ConfigurationError(f"{self.origin}: at least one purpose is needed")
        return Purposes(by_id, self._controller(tables, prefix) or base.controller)

    def _base(self, tables: Mapping[str, Any], prefix: str) -> tuple[Purposes, set[str]]:
        name = tables.get("preset")
        if name is None:
            return Purposes({}), set()
        text = self.preset(name) if isinstance(name, str) else None
        if text is None:
            raise self.error(prefix.rstrip("."), "names no shipped registry", "preset")
        shipped = tomllib.loads(text)
        parser = _Parser(f"preset {name}", text, self.preset)
        return parser.purposes(shipped, ""), set(shipped.get("forbidden", ()))

    def _controller(self, tables: Mapping[str, Any], prefix: str) -> Controller | None:
        table = tables.get("controller")
        if table is None:
            return None
        known = {f.name for f in fields(Controller)}
        if not isinstance(table, dict) or not set(table) <= known or "name" not in table:
            raise self.error(f"{prefix}controller", "needs name, and may have contact")
        for key, value in table.items():
            self._text(f"{prefix}controller", key, value)
        return Controller(**table)

    def _purpose(self, name: str, table: object, path: str) -> Purpose:
        try:
            id_ = PurposeId(name)
        except InvalidArgumentError as error:
            raise self.error(path, error.problem) from None
        if id_ == OWN_RIGHTS.id:
            raise self.error(path, "is Tacit's own name, for what a person does by right")
        if not isinstance(table, dict):
            raise self.error(path, "must be a table")
        for key in _NEEDED:
            if key not in table:
                raise self.error(path, f"needs {key}")
        readers = self._readers()
        values: dict[str, Any] = {}
        for key, value in table.items():
            if key not in readers:
                raise self.error(path, "is no setting of a purpose", key)
            values[key] = readers[key](path, key, value)
        words = Words(values.pop("title"), values.pop("description"), values.pop("notice", ""))
        return Purpose(id_, words, **values)

    def _readers(self) -> dict[str, Callable[[str, str, Any], Any]]:
        return {
            **dict.fromkeys(("title", "description", "notice", "notice_version"), self._text),
            **dict.fromkeys(("special_category", "affect"), self._flag),
            "dpv": self._iri,
            "legal_basis": self._basis,
            "data_categories": self._iris,
            "retention": self._retention,
            "assistants": self._assistants,
            "minimum_age": self._ages,
            "translations": self._translations,
        }

    def _text(self, path: str, key: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.error(path, "must be a text", key)
        return value

    def _flag(self, path: str, key: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.error(path, "must be true or false", key)
        return value

    def _iri(self, path: str, key: str, value: Any) -> str:
        if not isinstance(value, str) or not _IRI.fullmatch(value):
            raise self.error(path, "must be an IRI such as https://w3id.org/dpv#…", key)
        return value

    def _iris(self, path: str, key: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise self.error(path, "must be a list of IRIs", key)
        return tuple(self._iri(path, key, one) for one in value)

    def _basis(self, path: str, key: str, value: Any) -> LegalBasis:
        if value not in set(LegalBasis):
            raise self.error(path, f"must be one of {', '.join(LegalBasis)}", key)
        return LegalBasis(value)

    def _retention(self, path: str, key: str, value: Any) -> timedelta:
        match = _DAYS.fullmatch(value) if isinstance(value, str) else None
        days = int(match["iso"] or match["days"]) if match else 0
        if days == 0:
            raise self.error(path, 'must be a number of days such as "365d" or "P365D"', key)
        return timedelta(days=days)

    def _assistants(self, path: str, key: str, value: Any) -> frozenset[AssistantId]:
        try:
            return frozenset(AssistantId(one) for one in value)
        except (InvalidArgumentError, TypeError, AttributeError):
            raise self.error(path, "must be a list of client_ids", key) from None

    def _ages(self, path: str, key: str, value: Any) -> Mapping[str, int]:
        problem = "must map countries (or default) to years, as in { default = 16, AT = 14 }"
        if not isinstance(value, dict):
            raise self.error(path, problem, key)
        for country, age in value.items():
            if not _COUNTRY.fullmatch(country) or type(age) is not int or not 0 < age <= _MAX_AGE:
                raise self.error(path, problem, key)
        return value

    def _translations(self, path: str, key: str, value: Any) -> Mapping[str, Words]:
        if not isinstance(value, dict):
            raise self.error(path, "must be tables, one a language", key)
        made = {}
        for tag, table in value.items():
            where = f"{path}.translations.{tag}"
            if not _LANGUAGE.fullmatch(tag):
                raise self.error(where, "is no language tag such as de or pt-BR")
            if not isinstance(table, dict) or not {"title", "description"} <= set(table) <= {
                "title",
                "description",
                "notice",
            }:
                raise self.error(where, "needs title and description, and may have notice")
            made[tag] = Words(**{k: self._text(where, k, text) for k, text in table.items()})
        return made


def _line(toml: str, table: str, key: str) -> int:
    """The line of a key in a table, or of the table; 0 where neither stands as usual."""
    found = 0
    for number, line in enumerate(toml.splitlines(), 1):
        head = line.strip()
        if head.startswith("["):
            if found:
                break
            found = number if head.strip("[] ").replace('"', "") == table else 0
        elif key and (found or not table) and re.match(rf'"?{re.escape(key)}"?\s*[.=]', head):
            return number
    return found
