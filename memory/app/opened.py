"""What ranking needs of recently recalled memories, kept open in memory.

Opening the candidates costs more than ranking them, and the next recall of the same person wants
mostly the same ones. Of a person with few memories all are kept, laid out for ranking
(`core.corpus`): searching that exactly is faster than asking the index. So is the blind index of
their vault, which every query is matched against, and their feedback. Beside its features a
memory's row is kept, its `body` as it lies in SQL: what is found needs no second query.

Rules:
- An entry is good for one version of one record under one key; a correction simply misses. A
  corpus is good for one revision of the person's memories and one filter, until the first of it
  expires, a blind index for one revision. Where memories were only added since, a corpus grows by
  these, `ROOM` at most; of a blind index, only what it does not know is looked up. Feedback is
  opened again only where what is sealed is another one: most revisions leave it as it is.
- Whole people go at once: the least recently recalled first, past `limit` entries; whoever was not
  recalled for `idle_seconds`; at once who is forgotten.
- It holds vectors and terms in the clear, in this process only; nothing of it is ever written.
  What a memory says stays sealed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, NamedTuple

from memory.app.sealing import open_features, open_feedback
from memory.app.tombstones import Tombstones
from memory.core.content import Features
from memory.core.corpus import Corpus, Layout, in_order
from memory.core.feedback import Feedback
from memory.core.keys import PersonKeys
from memory.core.pseudonyms import Entity
from memory.core.values import RecordId, SealedRecord, SubjectId
from memory.ports import CacheUse, MemoryFilter, MemoryHead, MemoryRow, PersonRow, UnitOfWork

MAX_ENTRIES: Final = 50_000
"""Bounds what lies open in memory: some 4 KB each."""

MAX_FILTERS: Final = 4
"""Corpora of one person; callers of one person mostly filter alike."""

ROOM: Final = 128
"""So many memories are added to a corpus before it is laid out anew."""

Load = Callable[[list[RecordId]], Sequence[MemoryRow]]

_NOTHING: Final = SealedRecord(b"")


class Opened(NamedTuple):
    """A memory as ranking sees it, and its row without what ranking has read or nobody asked for:
    `features` and `originals` are empty.
    """

    features: Features
    row: MemoryRow

    def holds(self, head: MemoryHead, keys: PersonKeys) -> bool:
        """Whether it is this version, told as often, and sealed with these keys."""
        return (self.row.version, self.row.sightings, self.row.key_version) == (
            head.version,
            head.sightings,
            keys.version,
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What the filter lets through of a person, read in one transaction."""

    uow: UnitOfWork
    subject: SubjectId
    filter: MemoryFilter

    def heads(self) -> Sequence[MemoryHead]:
        return self.uow.heads(self.subject, self.filter)

    def load(self, records: Sequence[RecordId]) -> Sequence[MemoryRow]:
        return self.uow.memories(self.subject, records, self.filter)

    def feedback(self) -> SealedRecord | None:
        return self.uow.feedback(self.subject)

    def next_expiry(self) -> datetime | None:
        return self.uow.next_expiry(self.subject, self.filter)

    def added(self, after: int, limit: int) -> Sequence[MemoryRow]:
        """The first `limit` with a higher number than `after`, ascending."""
        return self.uow.page_memories(self.subject, self.filter, after, limit)


@dataclass(frozen=True, slots=True)
class Whole:
    """All memories that one filter lets through, at one revision and before `until`; row i of the
    corpus is `opened[i]`. `feedback` is what the person's ratings say.
    """

    revision: int
    corpus: Corpus
    opened: Sequence[Opened]
    feedback: Feedback
    layout: Layout
    turn: threading.Lock
    """Held by who adds to the layout."""
    until: datetime | None = None

    def holds(self, revision: int, at: datetime | None) -> bool:
        """Whether it is still what SQL would say: nothing has changed, and nothing expired."""
        return self.revision == revision and self._lasts(at)

    def grows(self, person: PersonRow, at: datetime | None) -> bool:
        """Whether what SQL says is this, with some more behind."""
        return person.rearranged <= self.revision < person.revision and self._lasts(at)

    def _lasts(self, at: datetime | None) -> bool:
        return self.until is None or (at is not None and at < self.until)


class _Held(NamedTuple):
    """Feedback, as it was sealed and opened, and the revision at which it was read."""

    revision: int = -1
    sealed: SealedRecord | None = None
    feedback: Feedback = Feedback()


_NOT_HELD: Final = _Held()


class _Aliases(NamedTuple):
    """The blind index of a vault as of a revision, and the last revision at which it was asked."""

    revision: int
    seen: int
    known: Mapping[bytes, Entity]


_NO_ALIASES: Final = _Aliases(-1, -1, {})


@dataclass(slots=True)
class _Person:
    used: float = 0.0
    aliases: _Aliases = _NO_ALIASES
    feedback: _Held = _NOT_HELD
    opened: dict[RecordId, Opened] = field(default_factory=dict)
    wholes: OrderedDict[MemoryFilter, Whole] = field(default_factory=OrderedDict)

    def keep(self, filter_: MemoryFilter, whole: Whole, person: PersonRow) -> None:
        """Takes it in, and drops what was opened before something was deleted or changed."""
        others = [
            (f, w)
            for f, w in self.wholes.items()
            if f != filter_ and w.revision >= person.rearranged
        ]
        self.wholes = OrderedDict([*others, (filter_, whole)][-MAX_FILTERS:])
        self.opened = {one.row.id: one for w in self.wholes.values() for one in w.opened}


class OpenedFeatures:
    """Safe to use from several threads."""

    def __init__(
        self, monotonic: Callable[[], float], idle_seconds: float, limit: int = MAX_ENTRIES
    ) -> None:
        """`monotonic` tells seconds that never go back."""
        self._monotonic = monotonic
        self._idle = idle_seconds
        self._limit = limit
        self._lock = threading.Lock()
        self._people: OrderedDict[SubjectId, _Person] = OrderedDict()
        self._count = 0
        self._gone = Tombstones()
        self._evicted = 0

    def open(self, keys: PersonKeys, heads: Sequence[MemoryHead], load: Load) -> list[Opened]:
        """Each head's memory, in order; `load` fetches the rows of those not held."""
        with self._lock:
            held = self._used(keys.subject).opened
            known = {h.id: held[h.id] for h in heads if h.id in held and held[h.id].holds(h, keys)}
        missing = [h.id for h in heads if h.id not in known]
        if missing:
            fresh = {row.id: _opened(keys, row) for row in load(missing)}
            known |= fresh
            with self._changing(keys.subject) as person:
                person.opened |= fresh
        return [known[h.id] for h in heads]

    def whole(self, keys: PersonKeys, person: PersonRow, reading: Reading) -> Whole:
        """All that the filter lets through; read is only what is not held."""
        filter_, at = reading.filter, reading.filter.alive_at
        known = self._known(keys.subject, filter_)
        if known is not None and known.holds(person.revision, at):
            return known
        if known is not None and known.grows(person, at):
            with known.turn:
                grown = self._grown(keys, person, reading)
            if grown is not None:
                return grown
        if person.numbered <= ROOM and not self._holds_any(keys.subject):
            opened = [_opened(keys, row) for row in reading.added(0, ROOM)]
            found = [one.row.head for one in opened]
            until = _first_end(opened)
        else:
            found = in_order(reading.heads())
            opened = self.open(keys, found, reading.load)
            until = reading.next_expiry()
        feedback = self.feedback(keys, person.revision, reading.feedback)
        whole = _whole(person.revision, found, opened, feedback, until)
        with self._changing(keys.subject) as kept:
            kept.keep(filter_, whole, person)
        return whole

    def ready(self, person: PersonRow, filter_: MemoryFilter) -> bool:
        """Whether `whole` has little to do."""
        known, at = self._known(person.subject, filter_), filter_.alive_at
        return known is not None and (known.holds(person.revision, at) or known.grows(person, at))

    def _known(self, subject: SubjectId, filter_: MemoryFilter) -> Whole | None:
        with self._lock:
            return self._used(subject).wholes.get(filter_)

    def _holds_any(self, subject: SubjectId) -> bool:
        with self._lock:
            return bool(self._used(subject).opened)

    def _grown(self, keys: PersonKeys, person: PersonRow, reading: Reading) -> Whole | None:
        """What is held, with what was added since; None where that is not enough."""
        filter_, at = reading.filter, reading.filter.alive_at
        known = self._known(keys.subject, filter_)
        if known is None or not known.corpus.heads or not known.grows(person, at):
            held = known is not None and known.holds(person.revision, at)
            return known if held else None  # somebody else was faster
        rows = reading.added(known.corpus.heads[-1].seq, ROOM + 1)
        if len(rows) > known.layout.room or len(known.layout.features) != len(known.corpus):
            return None
        whole = _grown(known, person.revision, [_opened(keys, row) for row in rows])
        with self._changing(keys.subject) as kept:
            if kept.wholes.get(filter_) is known:
                kept.wholes[filter_] = whole
                kept.opened |= {one.row.id: one for one in whole.opened[len(known.opened) :]}
        return whole

    def aliases(
        self,
        person: PersonRow,
        hashes: Collection[bytes],
        load: Callable[[], Mapping[bytes, Entity]],
        look_up: Callable[[Collection[bytes]], Mapping[bytes, Entity]],
    ) -> Mapping[bytes, Entity]:
        """Which of these aliases the person's vault knows. All of it is fetched by `load` when it
        is not held; of what only memories were added to since, the first time by `look_up` alone.
        """
        with self._lock:
            held = self._used(person.subject).aliases
        new: Mapping[bytes, Entity] = {}
        if held.revision < person.rearranged or held.seen == person.revision != held.revision:
            held = _Aliases(person.revision, person.revision, load())
        elif held.revision != person.revision:
            held = held._replace(seen=person.revision)
            new = look_up([alias for alias in hashes if alias not in held.known])
        with self._lock:
            self._used(person.subject).aliases = held
        return {a: held.known[a] for a in hashes if a in held.known} | dict(new)

    def feedback(
        self, keys: PersonKeys, revision: int, load: Callable[[], SealedRecord | None]
    ) -> Feedback:
        """The person's ratings; `load` fetches them, sealed, when they may be others than held."""
        with self._lock:
            held = self._used(keys.subject).feedback
        if held.revision != revision:
            sealed = load()
            same = sealed == held.sealed
            opened = held.feedback if same else open_feedback(keys, sealed)
            held = _Held(revision, sealed, opened)
            with self._lock:
                self._used(keys.subject).feedback = held
        return held.feedback

    @contextmanager
    def _changing(self, subject: SubjectId) -> Iterator[_Person]:
        """One person to add to; makes room afterwards."""
        with self._lock:
            person = self._used(subject)
            before = len(person.opened)
            yield person
            if subject in self._gone:
                return
            self._count += len(person.opened) - before
            while self._count > self._limit and self._people:
                _, dropped = self._people.popitem(last=False)
                self._count -= len(dropped.opened)
                self._evicted += len(dropped.opened)

    def _used(self, subject: SubjectId) -> _Person:
        if subject in self._gone:
            return _Person()
        person = self._people.setdefault(subject, _Person())
        person.used = self._monotonic()
        self._people.move_to_end(subject)
        return person

    def evict_idle(self) -> None:
        """Drops the memories of whoever was not recalled for a while."""
        limit = self._monotonic() - self._idle
        with self._lock:
            for subject in [s for s, person in self._people.items() if person.used <= limit]:
                self._evicted += len(self._people[subject].opened)
                self._drop(subject)

    def forget(self, subject: SubjectId) -> None:
        """Drops what is held of this person, and keeps nothing of them again."""
        with self._lock:
            self._gone.add(subject)
            self._drop(subject)

    def drop(self, subject: SubjectId) -> None:
        """Drops what is held of this person: some of it is erased."""
        with self._lock:
            self._drop(subject)

    def held(self) -> set[SubjectId]:
        """Whose memories lie open."""
        with self._lock:
            return set(self._people)

    def use(self) -> CacheUse:
        """How many memories lie open."""
        with self._lock:
            return CacheUse(self._count, self._evicted)

    def _drop(self, subject: SubjectId) -> None:
        if person := self._people.pop(subject, None):
            self._count -= len(person.opened)


def _opened(keys: PersonKeys, row: MemoryRow) -> Opened:
    return Opened(open_features(keys, row), replace(row, features=_NOTHING, originals=_NOTHING))


def _whole(
    revision: int,
    heads: Sequence[MemoryHead],
    opened: Sequence[Opened],
    feedback: Feedback,
    until: datetime | None,
) -> Whole:
    layout = Layout(ROOM)
    made = layout.add(heads, [one.features for one in opened], feedback.doubted(heads))
    moved = _moved(opened, layout.features)
    return Whole(revision, made, moved, feedback, layout, threading.Lock(), until)


def _grown(known: Whole, revision: int, added: Sequence[Opened]) -> Whole:
    """Nothing new was rated yet: that would have been another change."""
    layout, heads = known.layout, [one.row.head for one in added]
    made = layout.add(heads, [one.features for one in added])
    opened = [*known.opened, *_moved(added, layout.features[len(known.opened) :])]
    until = _first_end(added, known.until)
    return replace(known, revision=revision, corpus=made, opened=opened, until=until)


def _first_end(opened: Iterable[Opened], other: datetime | None = None) -> datetime | None:
    """When the first of these expires, or `other` if that is sooner."""
    ends = [end for end in (other, *(one.row.expires_at for one in opened)) if end is not None]
    return min(ends, default=None)


def _moved(opened: Sequence[Opened], features: Sequence[Features]) -> list[Opened]:
    """With features whose vectors are rows of one matrix."""
    return [one._replace(features=f) for one, f in zip(opened, features, strict=True)]
