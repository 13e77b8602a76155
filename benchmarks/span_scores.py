"""How finds are scored against labelled spans.

Rules:
- A gold span is *found* when at least 60 % of its characters are masked by finds of its own kind;
  *masked* when by finds of any type. Kinds: sources draw the border between some types elsewhere
  (a street address is a LOCATION to some), so such types form one kind (`_KINDS`).
- A find is *right* when at least 60 % of it, or of a gold span of its kind that it touches, is in
  both. Precision counts finds only where a row labels the kind.
- F2 weighs recall four times as much as precision: what is missed has leaked.
- Leaked characters are gold characters that no find covers, per 1,000 characters of text.
- A person is *invented* where one is found in a text that has none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.span_files import Labelled
from memory.core.values import Span

FOUND: Final = 0.6

_GROUPS: Final = {
    "place": ("LOCATION", "STREET_ADDRESS", "ADDRESS", "UK_POSTCODE"),
    "time": ("DATE_TIME", "DATE_OF_BIRTH", "TIMESTAMP", "DATE", "TIME"),
    "person": ("PERSON", "USERNAME"),
    "iban": ("IBAN_CODE", "IBAN"),
    "number": (
        *("ID_NUMBER", "MEDICAL_RECORD_NUMBER", "EMPLOYEE_ID", "NATIONAL_ID_NUMBER", "TAX_ID"),
        *("INVOICE_NUMBER", "INSURANCE_POLICY_NUMBER", "BANK_ACCOUNT_NUMBER", "US_BANK_NUMBER"),
        *("SWIFT_BIC_CODE", "US_PASSPORT", "US_DRIVER_LICENSE", "US_ITIN", "UK_NHS", "UK_NINO"),
    ),
}
_KINDS: Final = {name: kind for kind, names in _GROUPS.items() for name in names}


def kind(entity_type: str) -> str:
    """What a type is compared as."""
    return _KINDS.get(entity_type, entity_type)


@dataclass
class Tally:
    """Counts for one gold type."""

    gold: int = 0
    found: int = 0
    masked: int = 0
    finds: int = 0
    right: int = 0

    def figures(self) -> dict[str, float | int | None]:
        """Precision is None where nothing was found; recall is over `support` gold spans."""
        recall = self.found / self.gold
        precision = self.right / self.finds if self.finds else None
        both = 4 * (precision or 0.0) + recall
        return {
            "precision": precision,
            "recall": recall,
            "f2": 5 * (precision or 0.0) * recall / both if both else 0.0,
            "masked": self.masked / self.gold,
            "support": self.gold,
        }


@dataclass
class Scores:
    """Adds up over the texts of one file."""

    types: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    kinds: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    characters: int = 0
    leaked: int = 0
    nameless: int = 0
    invented_in: int = 0

    def add(self, row: Labelled, finds: Sequence[Span]) -> None:
        """Score the finds of one text."""
        self.characters += len(row.text)
        if all(gold.entity_type != "PERSON" for gold in row.gold):
            self.nameless += 1
            self.invented_in += any(find.entity_type == "PERSON" for find in finds)
        by_kind: dict[str, set[int]] = defaultdict(set)
        covered: set[int] = set()
        for find in finds:
            by_kind[kind(find.entity_type)].update(range(find.start, find.end))
            covered.update(range(find.start, find.end))
        for gold in row.gold:
            places = range(gold.start, gold.end)
            tally = self.types[gold.entity_type]
            tally.gold += 1
            own = by_kind[kind(gold.entity_type)]
            tally.found += sum(p in own for p in places) >= FOUND * len(places)
            masked = sum(p in covered for p in places)
            tally.masked += masked >= FOUND * len(places)
            self.leaked += len(places) - masked
        labelled = {kind(entity_type) for entity_type in row.annotated}
        for find in finds:
            of = kind(find.entity_type)
            right = any(kind(g.entity_type) == of and _same(find, g) for g in row.gold)
            # Few sources label handles, and those that do call them PERSON.
            unlabelled = find.entity_type == "USERNAME" and "USERNAME" not in row.annotated
            if of in labelled and (right or not unlabelled):
                self.kinds[of].finds += 1
                self.kinds[of].right += right

    def figures(self) -> dict[str, dict[str, float | int | None]]:
        """Per gold type; types of one kind share the precision of the kind."""
        for name, tally in self.types.items():
            tally.finds = self.kinds[kind(name)].finds
            tally.right = self.kinds[kind(name)].right
        return {name: self.types[name].figures() for name in sorted(self.types)}

    def leaked_per_1000(self) -> float:
        """Gold characters left in the open, per 1,000 characters of text."""
        return 1000 * self.leaked / self.characters if self.characters else 0.0

    def invented(self) -> float:
        """Share of the texts without a person in which one is found."""
        return self.invented_in / self.nameless if self.nameless else 0.0

    def masked(self) -> float | None:
        """Share of gold spans masked under any type; None without gold."""
        gold = sum(t.gold for t in self.types.values())
        return sum(t.masked for t in self.types.values()) / gold if gold else None


def _same(find: Span, gold: Span) -> bool:
    shared = min(find.end, gold.end) - max(find.start, gold.start)
    return shared >= FOUND * min(find.end - find.start, gold.end - gold.start)
