"""What holds no more: which memory replaced which, and since when.

    8 January   "I live in Leeds."        replaced on 3 May by
    3 May       "We moved to Bristol."    what holds

Rules:
- Computed from the memories at hand, never stored: once the newer one is deleted, corrected or out
  of the caller's sight, the older one holds again.
- A memory is replaced by the first later one that contradicts one of its claims (`core.facts`), or
  that whoever stored it named as superseding it. Later is by time, then by number.
- One that was given an end stops to hold then, replaced or not.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from memory.core.content import Features
from memory.core.facts import SAYS, Claim
from memory.core.rows import MemoryHead

NEAR: Final = 0.5
"""The least cosine of a sentence that something has changed with what it changes."""

FEW: Final = 3
"""A word in more statements than these tells not what has changed."""

MAX_OPEN: Final = 64
"""Claims under one key that a newer one is compared with: the latest; bounds hostile input."""

_ASKS_OF_BEFORE: Final = re.compile(
    r"\b(?:used to|before|previous|previously|former|formerly|originally|in the past|at first|"
    r"once|no longer)\b",
    re.IGNORECASE,
)


def asks_of_before(query: str) -> bool:
    """Whether the query is about what held before: then nothing replaces anything."""
    return _ASKS_OF_BEFORE.search(query) is not None


@dataclass(frozen=True, slots=True, eq=False)
class Validity:
    """For n memories: `by` is the row that replaced each, -1 for none, `holds` the row that holds
    in its place in the end (itself where none), and `ends` until when it held, in seconds since
    1970, infinite where it holds. All of shape (n,). `replaced` are the claims of a row that a
    later one contradicts; all of them where it is replaced without that.
    """

    by: NDArray[np.int64]
    holds: NDArray[np.int64]
    ends: NDArray[np.float64]
    replaced: Mapping[int, Set[Claim]]
    topics: Set[str]
    """Words of sentences that say that something has changed."""

    def over(self, at: datetime) -> NDArray[np.int64]:
        """The rows that hold no more."""
        return np.flatnonzero(self.ends <= at.timestamp())

    def followed_by(self, features: Sequence[Features]) -> Validity | None:
        """The same with these memories behind; None where one of them could replace another, or be
        replaced: then it takes all of them to tell.
        """
        if any(f.supersedes or not all(map(self._inert, f.claims)) for f in features):
            return None
        rows = np.arange(len(self.by), len(self.by) + len(features))
        return replace(
            self,
            by=np.concatenate([self.by, np.full(len(features), -1, np.int64)]),
            holds=np.concatenate([self.holds, rows]),
            ends=np.concatenate([self.ends, _ends(features)]),
        )

    def _inert(self, claim: Claim) -> bool:
        return claim.slot == SAYS and self.topics.isdisjoint(claim.value)


def validity(heads: Sequence[MemoryHead], features: Sequence[Features]) -> Validity:
    """Of memories, each with its features."""
    count = len(heads)
    by = np.full(count, -1, np.int64)
    ends = _ends(features)
    named = any(f.supersedes for f in features)
    rows = {head.id: row for row, head in enumerate(heads)} if named else {}
    telling = [row for row, f in enumerate(features) if f.claims or f.supersedes]
    telling.sort(key=lambda row: (features[row].time, heads[row].seq))
    told = _Told(features)
    for row in telling:
        replaced = [rows[record] for record in features[row].supersedes if record in rows]
        replaced += told.changed(row)
        told.over_whole(replaced)
        for older in (*told.replaced(row), *replaced):
            if by[older] < 0 and older != row:
                by[older] = row
                ends[older] = min(ends[older], features[row].time.timestamp())
        told.add(row)
    holds = np.arange(count)
    for row in reversed(telling):
        if by[row] >= 0:
            holds[row] = holds[by[row]]
    return Validity(by, holds, ends, told.over, told.topics)


def _ends(features: Sequence[Features]) -> NDArray[np.float64]:
    """Until when each said that it holds."""
    ends = (np.inf if f.until is None else f.until.timestamp() for f in features)
    return np.fromiter(ends, np.float64, len(features))


@dataclass(slots=True, eq=False)
class _Open:
    """A claim that nothing has replaced yet, and whose."""

    row: int
    claim: Claim
    over: bool = False


_Key = tuple[str, str, str]
"""Whose claim, which slot or its base name, and a term or noun; empty where any will do."""


class _Told:
    """The claims so far, by what could replace them."""

    def __init__(self, features: Sequence[Features]) -> None:
        self.over: dict[int, set[Claim]] = {}
        self._features = features
        self._place: dict[int, int] = {}
        self._by_key: defaultdict[_Key, list[_Open]] = defaultdict(list)
        self.topics = {
            term for f in features for claim in f.claims if claim.is_topic for term in claim.value
        }

    def add(self, row: int) -> None:
        self._place[row] = len(self._place)
        for claim in self._features[row].claims:
            one = _Open(row, claim)
            for key in self._keys(claim):
                told = self._by_key[key]
                told.append(one)
                if len(told) > MAX_OPEN:
                    del told[0]

    def replaced(self, row: int) -> list[int]:
        """The rows of the claims that those of this row replace; these are told no more."""
        found = {
            one: None
            for newer in self._features[row].claims
            if not newer.is_topic
            for key in _sought(newer)
            for one in self._by_key.get(key, ())
            if not one.over and newer.replaces(one.claim)
        }
        for one in found:
            one.over = True
            self.over.setdefault(one.row, set()).add(one.claim)
        return [one.row for one in found]

    def changed(self, row: int) -> list[int]:
        """The row that means most nearly what a sentence of this one says has changed, if any."""
        near = {
            one.row: float(self._features[one.row].vector @ self._features[row].vector)
            for newer in self._features[row].claims
            if newer.is_topic
            for key in _sought(newer)
            if len(self._by_key.get(key, ())) <= FEW
            for one in self._by_key.get(key, ())
            if newer.replaces(one.claim)
        }
        best = max(near, key=lambda older: (near[older], self._place[older]), default=row)
        return [best] if near.get(best, 0.0) >= NEAR else []

    def over_whole(self, rows: Sequence[int]) -> None:
        """These are replaced as they are."""
        for row in rows:
            self.over.setdefault(row, set()).update(self._features[row].claims)

    def _keys(self, claim: Claim) -> list[_Key]:
        """Under what a claim is found: nothing replaces what only says that something is over."""
        subject, slot = claim.subject, claim.slot
        if slot == SAYS:
            if self.topics.isdisjoint(claim.value):
                return []
            return [(subject, SAYS, term) for term in claim.value if term in self.topics]
        if not claim.is_fact:
            return []
        base, _, noun = slot.partition(":")
        keys = {(subject, slot, ""), (subject, base, "")}
        keys |= {(subject, of, term) for term in claim.value for of in (slot, "")}
        return sorted(keys | ({(subject, "", noun)} if noun else set()))


def _sought(claim: Claim) -> list[_Key]:
    """Under what is looked for what a claim replaces."""
    subject, ending = claim.subject, claim.ending
    if claim.slot == SAYS:
        return []
    if claim.is_topic:
        return [(subject, SAYS, term) for term in claim.value]
    if ending is not None and ending.every:
        return [(subject, base, "") for base in sorted(ending.slots)]
    if ending is not None:
        return [(subject, "", term) for term in claim.value]
    if claim.one_value:
        return [(subject, claim.slot, "")]
    return [(subject, claim.slot, term) for term in claim.value]
