"""The outside world on one page: what the use cases need, and nothing of how it is done.

Rules:
- Everything that leaves through a port is already safe for where it goes: the encoder gets
  `PseudonymizedText`, the index gets `VeiledVector`, the store gets sealed bytes.
- A `UnitOfWork` is one SQL transaction. Leaving its block without `commit()` undoes all of it.
- Adapters raise the errors of `memory.errors`, never their libraries' own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from memory.core.consent import Consent
from memory.core.erasure import (  # noqa: F401 (as below)
    ErasureCall,
    ErasureRow,
    ErasureState,
    Scope,
)
from memory.core.pseudonyms import Entity, Replacement
from memory.core.residue import Needles, Report
from memory.core.rows import (  # noqa: F401 (to be had from here, with the ports they pass)
    AccessAction,
    AccessEvent,
    AccessFilter,
    IndexOp,
    IndexTask,
    KeyEpoch,
    MemoryFilter,
    MemoryHead,
    MemoryRow,
    OperatorAction,
    OperatorEvent,
    PersonRow,
    PersonState,
    RotationRow,
    RotationState,
    VersionHead,
    VersionRow,
    WrappedKey,
)
from memory.core.segment import SegmentHead
from memory.core.values import (
    PersonRef,
    PseudonymizedText,
    PurposeId,
    RawText,
    RecordId,
    SealedRecord,
    Secret,
    Span,
    SubjectId,
    TenantId,
    Vector,
    VeiledVector,
)
from memory.ports_erasure import (  # noqa: F401 (as above)
    ErasureRecords,
    Intent,
    Intents,
)
from memory.ports_keys import KeyWork
from memory.ports_ledger import CheckpointFile, LedgerWork  # noqa: F401 (as above)
from memory.ports_observe import NOBODY, CacheUse, ModelUse, Observer, Step  # noqa: F401 (as above)
from memory.ports_rights import EndsMemories, KeepsRequests, KeepsVersions, Spool, Tally  # noqa: F401 (as above)

Clock = Callable[[], datetime]
"""Now, in UTC, with a time zone."""

RandomBytes = Callable[[int], bytes]
"""That many bytes from the system's generator."""


class Detector(Protocol):
    """Finds personal data."""

    def detect(self, text: RawText, known_names: Sequence[RawText] = ()) -> list[Span]:
        """Sorted spans without overlap, in characters of `text`.

        `known_names` are names the caller gave, such as the speakers'.
        """
        ...


class Anonymizer(Protocol):
    """Puts pseudonyms where personal data was."""

    def replace(self, text: RawText, spans: Sequence[Span], names: Sequence[str]) -> Replacement:
        """The text with `names[i]` in place of `spans[i]`, and what was where."""
        ...


class Encoder(Protocol):
    """Turns a text into a unit vector of its meaning."""

    name: str
    dimensions: int

    def encode(self, texts: Sequence[PseudonymizedText]) -> Vector:
        """Shape (n, dimensions), float32, unit rows; a row depends on its own text alone."""
        ...

    def encode_query(self, text: PseudonymizedText) -> Vector:
        """Shape (dimensions,), of length 1: what is asked, to compare with what is kept."""

    def count_tokens(self, text: str) -> int:
        """How many tokens the whole text has, special ones apart. Nothing is embedded or kept."""

    def close(self) -> None: ...


class KeyProvider(Protocol):
    """Holds the key-encryption keys (KEK), one an epoch: a key file, a PKCS#11 token, a KMS.

    Calls that need another machine are bounded in time. `KeyUnavailableError` is raised for
    everything that a repetition may cure, and for an epoch that is unknown or destroyed.
    """

    def epochs(self) -> Sequence[int]:
        """Those alive, ascending; the last one is the newest. Empty before the first."""
        ...

    def wrap(self, key: Secret, aad: bytes, epoch: int) -> WrappedKey:
        """Under one epoch; `aad` is authenticated with it."""
        ...

    def unwrap(self, wrapped: WrappedKey, aad: bytes) -> Secret:
        """Raises `SealError` on a wrong key or aad, `KeyUnavailableError` on a dead epoch."""
        ...

    def new_epoch(self) -> int:
        """Makes the next key; returns its number, higher than any before."""
        ...

    def destroy_epoch(self, number: int) -> None:
        """As far as the provider can: nothing wrapped under it opens again.

        Destroying twice, or what was never there, is fine. Raises `ConfigurationError` for the
        newest.
        """
        ...

    def close(self) -> None: ...


class UnitOfWork(
    ErasureRecords, LedgerWork, KeyWork, KeepsVersions, KeepsRequests, EndsMemories, Tally, Protocol
):
    """One transaction: snapshot reads, all-or-nothing writes."""

    def commit(self) -> None: ...

    # people
    def person(self, ref: PersonRef, *, lock: bool = False) -> PersonRow | None:
        """`lock` holds the person against other writers until the transaction ends."""
        ...

    def person_by_subject(self, subject: SubjectId) -> PersonRow | None: ...
    def people(self) -> Iterator[PersonRow]:
        """Everybody, of all tenants."""
        ...

    def people_of(self, tenant: TenantId) -> list[SubjectId]:
        """Whoever of a tenant is not being forgotten."""
        ...

    def restrict(self, subject: SubjectId, since: datetime | None) -> None:
        """Keeps what there is from being used; None lifts it."""
        ...

    def hold(self, subject: SubjectId, until: datetime | None, reference: str) -> None:
        """Keeps what there is from being erased; None releases it."""
        ...

    def name_collection(self, subject: SubjectId, collection: str) -> None: ...

    def add_person(self, row: PersonRow) -> None:
        """Raises `KeyMovedError` for a key under an older epoch than the deployment's root."""
        ...

    def next_seq(self, subject: SubjectId, count: int) -> int:
        """Reserves `count` numbers; returns the first.

        Raises `ErasureInProgressError` when the person is fenced or gone.
        """
        ...

    # memories
    def add_memories(self, rows: Sequence[MemoryRow]) -> None: ...
    def replace_memory(self, row: MemoryRow, expected_version: int) -> bool:
        """False when another writer was faster."""
        ...

    def tagged_memories(
        self, subject: SubjectId, tags: Iterable[bytes], filter: MemoryFilter
    ) -> list[MemoryRow]:
        """Those with one of these content tags, ascending by `seq`."""
        ...

    def see_again(self, rows: Sequence[MemoryRow]) -> None:
        """Writes how often and when last each was told, its end and its features."""
        ...

    def untag_memories(self, subject: SubjectId, records: Iterable[RecordId]) -> None:
        """Takes their content tag away: they are not found by it again."""
        ...

    def add_sources(self, subject: SubjectId, made: Mapping[RecordId, Sequence[RecordId]]) -> None:
        """From which memories each of these was derived; all of them are there."""
        ...

    def derived(self, subject: SubjectId, records: Iterable[RecordId]) -> list[RecordId]:
        """What was derived from these, from that, and so on; each once, and none of `records`."""
        ...

    def delete_memory(self, subject: SubjectId, record: RecordId) -> bool: ...
    def memory(self, subject: SubjectId, record: RecordId) -> MemoryRow | None: ...
    def memories(
        self, subject: SubjectId, records: Iterable[RecordId], filter: MemoryFilter
    ) -> list[MemoryRow]: ...
    def heads(
        self,
        subject: SubjectId,
        filter: MemoryFilter,
        records: Iterable[RecordId] | None = None,
    ) -> list[MemoryHead]:
        """Of these records, or of all."""
        ...

    def heads_numbered(
        self, subject: SubjectId, filter: MemoryFilter, seqs: Iterable[int]
    ) -> list[MemoryHead]:
        """Those that were stored under these numbers."""
        ...

    def unindexed_heads(self, subject: SubjectId, filter: MemoryFilter) -> list[MemoryHead]:
        """Committed, but not yet in the index: Recall reads its own writes from here."""
        ...

    def page_memories(
        self, subject: SubjectId, filter: MemoryFilter, after_seq: int, limit: int
    ) -> list[MemoryRow]:
        """Ascending by `seq`, starting behind `after_seq`."""
        ...

    def count_memories(self, subject: SubjectId, filter: MemoryFilter) -> int: ...

    def next_expiry(self, subject: SubjectId, filter: MemoryFilter) -> datetime | None: ...

    # the segments of sealed mode: derived from the memories, each written once
    def segments(self, subject: SubjectId) -> list[SegmentHead]: ...
    def sealed_segments(
        self, subject: SubjectId, segments: Iterable[RecordId]
    ) -> Mapping[RecordId, SealedRecord]: ...
    def add_segment(self, subject: SubjectId, head: SegmentHead, sealed: SealedRecord) -> None: ...
    def drop_segments(self, subject: SubjectId, segments: Iterable[RecordId]) -> None: ...

    # ratings of recalled memories
    def feedback(self, subject: SubjectId) -> SealedRecord | None: ...
    def put_feedback(self, subject: SubjectId, sealed: SealedRecord | None) -> None:
        """In place of what there was; None for nothing. Gives the person a new revision."""
        ...

    # the pseudonym vault
    def entities(
        self, subject: SubjectId, alias_hashes: Iterable[bytes]
    ) -> Mapping[bytes, Entity]: ...
    def next_entity_numbers(self, subject: SubjectId) -> Mapping[str, int]: ...
    def add_entities(
        self,
        subject: SubjectId,
        entities: Sequence[tuple[Entity, SealedRecord]],
        aliases: Mapping[bytes, Entity],
    ) -> None:
        """New entities with their sealed value; new aliases by hash. Neither is given twice."""
        ...

    def vault(self, subject: SubjectId) -> list[tuple[Entity, SealedRecord]]: ...
    def page_vault(
        self, subject: SubjectId, after: Entity, limit: int
    ) -> list[tuple[Entity, SealedRecord]]:
        """Ascending by entity type and number, starting behind `after`."""
        ...

    # idempotency
    def seen_requests(
        self, subject: SubjectId, keys: Iterable[bytes]
    ) -> Mapping[bytes, RecordId]: ...
    def add_requests(self, subject: SubjectId, made: Mapping[bytes, RecordId]) -> None: ...

    # consent
    def consents(self, subject: SubjectId, purpose: PurposeId | None = None) -> list[Consent]: ...
    def put_consent(self, row: Consent) -> None: ...
    def consent(self, subject: SubjectId, id: RecordId) -> Consent | None: ...
    def invalidate_consents(
        self, tenant: TenantId, purpose: PurposeId, notice_version: str, at: datetime
    ) -> int:
        """Every yes in the tenant that rests on this notice; returns how many."""
        ...

    # the index outbox
    def queue_all(self, subject: SubjectId) -> int:
        """Owes the index every memory of this person again."""
        ...

    def claim_index_tasks(self, limit: int) -> list[IndexTask]:
        """The oldest, leased to this worker: commit, do the work, then finish them elsewhere.

        Tasks of one person go to one worker at a time. What is not finished comes again, at once
        if it is released, else when the lease has run out.
        """
        ...

    def release_index_tasks(self, ids: Sequence[int]) -> None: ...
    def finish_index_tasks(self, ids: Sequence[int]) -> None: ...
    def index_backlog(self) -> int: ...
    def oldest_unindexed(self) -> datetime | None:
        """When the memory was stored or changed that the index is owed for longest."""
        ...


class Store(Protocol):
    """The truth: SQL."""

    def read(self) -> AbstractContextManager[UnitOfWork]: ...
    def write(self) -> AbstractContextManager[UnitOfWork]: ...
    def append_events(self, events: Sequence[tuple[AccessEvent, bytes]]) -> None:
        """A transaction with `add_access_events` and nothing else, and faster than that."""
        ...

    def root_key(self) -> WrappedKey | None:
        """The deployment's own wrapped root; None on a store that was never used."""
        ...

    def set_root_key(self, wrapped: WrappedKey) -> None:
        """Once: the first one stays. Read it again to see whose that was."""
        ...

    def scrub(self) -> bool:
        """Rewrites the files so that freed pages hold nothing (SQLite: VACUUM, checkpoint); False
        where only what was deleted is overwritten, for the file is too large, or not ours.
        """
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the index found: an id and how near it looked (cosine, -1..1)."""

    record: RecordId
    score: float


class VectorIndex(Protocol):
    """Chroma: derived from SQL, rebuildable, knows veiled vectors and random ids only."""

    def upsert(
        self, collection: str, records: Sequence[RecordId], vectors: Sequence[VeiledVector]
    ) -> None: ...
    def delete(self, collection: str, records: Sequence[RecordId]) -> None: ...
    def query(self, collection: str, vector: VeiledVector, limit: int) -> list[Candidate]:
        """Best first. A collection that does not exist has no candidates."""
        ...

    def count(self, collection: str) -> int:
        """How many vectors it holds; 0 if there is none."""
        ...

    def collections(self) -> Mapping[str, int]:
        """Name and number of vectors of each readable collection."""
        ...

    def drop(self, collection: str) -> None:
        """The collection and its files; no error if there is none."""
        ...

    def scrub(self) -> None:
        """Purges what dropped and deleted vectors left in the index's own files."""
        ...

    def written(self, vectors: Sequence[VeiledVector]) -> list[list[Vector]]:
        """For each vector, every form (d,) in which the index may write it to its files."""
        ...

    def close(self) -> None: ...


class ResidueScanner(Protocol):
    """Reads every byte that Tacit may have written, wherever it lies."""

    def scan(self, needles: Needles) -> Report:
        """Looks for all of them; raises `StorageUnavailableError` if it could not finish."""
        ...
