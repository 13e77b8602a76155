"""Reports for who answers for the processing: the record of it, and facts for an assessment.

    ropa    record of processing activities, in the order of GDPR Art. 30(1)
    dpia    what an impact assessment must describe, in the order of GDPR Art. 35(7)

Rules:
- Facts of the live configuration, and nothing of any person. What only the controller knows is
  asked for, never made up.
- One document, two forms: JSON for programs, Markdown for people.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from memory.core.policy import Action, Policy
from memory.core.protection import Mode
from memory.core.purposes import Purposes

TO_COMPLETE: Final = "(to be completed by the controller)"


class ReportKind(StrEnum):
    """Which report."""

    ROPA = "ropa"
    DPIA = "dpia"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the configuration says of one tenant's processing."""

    tenant: str
    deployment: str
    at: datetime
    purposes: Purposes
    policy: Policy
    mode: Mode
    encoder: str
    key_provider: str
    database: str
    index: str
    tls: str
    key_cache_seconds: int
    people: int
    memories: int


Entry = str | Sequence[str]


@dataclass(frozen=True, slots=True)
class Document:
    """A report: sections, each with what stands in it by name."""

    title: str
    about: Mapping[str, str]
    sections: Mapping[str, Mapping[str, Entry]]

    def json(self) -> str:
        """One JSON object."""
        return json.dumps(
            {"title": self.title, **self.about, "sections": self.sections},
            ensure_ascii=False,
            indent=2,
        )

    def markdown(self) -> str:
        """For people."""
        lines = [f"# {self.title}", ""]
        lines += [f"- {name}: {value}" for name, value in self.about.items()]
        for title, entries in self.sections.items():
            lines += ["", f"## {title}", ""]
            for name, value in entries.items():
                if isinstance(value, str):
                    lines.append(f"- **{name}**: {value}")
                else:
                    lines.append(f"- **{name}**:")
                    lines += [f"  - {each}" for each in value]
        return "\n".join(lines) + "\n"


def make_report(kind: ReportKind, facts: Facts) -> Document:
    """The report from the facts."""
    about = {
        "tenant": facts.tenant,
        "deployment": facts.deployment,
        "made": facts.at.isoformat(timespec="seconds"),
    }
    if kind is ReportKind.ROPA:
        return Document("Record of processing activities (GDPR Art. 30)", about, _ropa(facts))
    return Document("Facts for an impact assessment (GDPR Art. 35)", about, _dpia(facts))


def _ropa(facts: Facts) -> Mapping[str, Mapping[str, Entry]]:
    return {
        "Controller (Art. 30(1)(a))": {
            "name and contact": ", ".join(
                filter(None, (facts.purposes.controller.name, facts.purposes.controller.contact))
            )
            or TO_COMPLETE,
            "data protection officer": TO_COMPLETE,
        },
        "Purposes (b)": _purposes(facts),
        "Data subjects and data (c)": _data(facts),
        "Recipients (d)": _recipients(),
        "Third countries (e)": {
            "transfers": f"none by this program; hosting and key provider: {TO_COMPLETE}"
        },
        "Time limits for erasure (f)": _retention(facts),
        "Security measures (g)": _measures(facts),
    }


def _dpia(facts: Facts) -> Mapping[str, Mapping[str, Entry]]:
    return {
        "Description of the processing (Art. 35(7)(a))": {
            **_purposes(facts),
            **_data(facts),
            "extent": f"{facts.people} people and {facts.memories} memories of this tenant",
            "automated logic": f"detection of personal data, embedding ({facts.encoder}), ranking "
            "by likeness; no decision about a person",
            **_recipients(),
            **_retention(facts),
        },
        "Necessity and proportionality (b)": {
            "legal basis": "consent for each purpose and assistant, checked in the transaction "
            "that reads or writes; without it nothing is stored or recalled",
            "data minimisation": "names and identifiers are replaced before a model sees the text",
            "rights": "access, portability, rectification, erasure, restriction, objection and "
            "withdrawal are calls that finish; requests and due dates are in a register",
            "assessment": TO_COMPLETE,
        },
        "Risks to rights and freedoms (c)": {
            "missed names": "detection misses some; what it misses is encrypted, not replaced",
            "search index": "veiled, not encrypted: who has it and many known texts of a person "
            "can tell others of theirs apart"
            if facts.mode is Mode.VEILED
            else "none: no vector leaves the process",
            "keys beside the data": "who has both reads everything"
            if facts.key_provider == "file"
            else f"keys are held by {facts.key_provider}, apart from the data",
            "backups": "those made before an erasure hold what was erased until keys are rotated",
            "assistants": "what an assistant was told is out of reach",
            "assessment": TO_COMPLETE,
        },
        "Measures (d)": _measures(facts),
    }


def _purposes(facts: Facts) -> Mapping[str, Entry]:
    return {
        "purposes": [
            f"{p.id.value}: {p.words.title}. {p.words.description} ({p.dpv}; legal basis: "
            f"{p.legal_basis.value})"
            for p in facts.purposes.by_id.values()
        ]
    }


def _data(facts: Facts) -> Mapping[str, Entry]:
    special = [p.id.value for p in facts.purposes.by_id.values() if p.special_category]
    moody = [p.id.value for p in facts.purposes.by_id.values() if p.affect]
    return {
        "data subjects": "people who talk with the tenant's assistants, and whom they mention",
        "data": [
            "what was said or derived from it, with speaker, session, time and labels, and earlier "
            "versions of it",
            "names and identifiers found in it, in a vault of their own",
            "consents, access events, requests by which rights were exercised",
        ],
        "inferred data": "valence and frustration, under a consent of its own, for: "
        f"{', '.join(moody)}"
        if moody
        else "none",
        "special categories": "may stand in what people say; not sought, not told apart"
        + (f"; expected, and under explicit consent, for: {', '.join(special)}" if special else ""),
    }


def _recipients() -> Mapping[str, Entry]:
    return {"recipients": "assistants of the same tenant that the person consented to; nobody else"}


def _retention(facts: Facts) -> Mapping[str, Entry]:
    return {
        "kept": [
            f"{p.id.value}: until the person or the tenant erases it"
            + ("" if p.retention is None else f", at most {p.retention.days} days")
            for p in facts.purposes.by_id.values()
        ]
    }


def _measures(facts: Facts) -> Mapping[str, Entry]:
    differing = [f"{kind}: {action.value}" for kind, action in sorted(facts.policy.actions.items())]
    return {
        "pseudonymisation": [
            f"found personal data: {Action.PSEUDONYMIZE.value}, but for",
            *(differing or ["nothing"]),
        ],
        "encryption at rest": "AES-256-GCM under a key of each person, bound to tenant, person, "
        "record and field",
        "key-encryption keys": f"{facts.key_provider}; an unwrapped key is used for at most "
        f"{facts.key_cache_seconds} s",
        "vectors": facts.mode.value,
        "database": facts.database,
        "index": facts.index,
        "encryption in transit": facts.tls,
        "access control": "signed tokens with scopes; duties of assistants, people and operators "
        "are separate; consent by person, purpose and assistant",
        "erasure": "destroys the person's key, then every copy; ends in the register of requests",
        "integrity": "archives, receipts and the ledger of accesses are signed; every record is "
        "authenticated",
        "organisational": TO_COMPLETE,
    }
