"""The part of the ports about keys: epochs that rotate, and a new key for one person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from memory.core.pseudonyms import Entity
from memory.core.rows import KeyEpoch, MemoryRow, PersonRow, RotationRow, WrappedKey
from memory.core.values import RecordId, SealedRecord, SubjectId


class KeyWork(Protocol):
    """What a `UnitOfWork` can do with keys."""

    def keys_by_epoch(self) -> Mapping[int, int]:
        """How many keys lie under each epoch: active people's, and the deployment's root."""
        ...

    def people_after(
        self, after: SubjectId | None, limit: int, *, below_epoch: int | None = None
    ) -> list[PersonRow]:
        """Active people, ascending by subject; all, or those under an older epoch."""
        ...

    def replace_key(self, person: PersonRow, wrapped: WrappedKey) -> bool:
        """False when the person's wrapped key is not the one in `person` any more."""
        ...

    def replace_root_key(self, old: WrappedKey, new: WrappedKey) -> bool:
        """False when the root's is not `old` any more. From then on older keys are refused."""
        ...

    def rotation(self, id: RecordId) -> RotationRow | None: ...
    def unfinished_rotation(self) -> RotationRow | None: ...
    def add_rotation(self, row: RotationRow) -> None:
        """At most one may be unfinished."""
        ...

    def put_rotation(self, row: RotationRow) -> None: ...
    def claim_rotation(self, worker: bytes) -> RotationRow | None:
        """The unfinished one, leased to this worker; None if there is none or another leads it."""
        ...

    def key_epochs(self) -> Sequence[KeyEpoch]: ...
    def add_key_epoch(self, epoch: KeyEpoch) -> None:
        """One that is known already stays as it is."""
        ...

    def key_epoch_destroyed(self, number: int, at: datetime) -> None: ...

    # a new key for one person
    def rekey_person(self, row: PersonRow) -> None:
        """Their key version, wrapped key and collection. Raises `KeyMovedError` as above."""
        ...

    def reseal_memories(self, rows: Sequence[MemoryRow]) -> None:
        """New sealed fields and tags of rows whose version is still the same."""
        ...

    def aliases(self, subject: SubjectId) -> Mapping[bytes, Entity]: ...
    def replace_vault(
        self,
        subject: SubjectId,
        entities: Sequence[tuple[Entity, SealedRecord]],
        aliases: Mapping[bytes, Entity],
    ) -> None: ...
    def retire_collection(self, collection: str, at: datetime) -> None:
        """Owes the index that this collection goes."""
        ...

    def retired_collections(self) -> Mapping[str, datetime]: ...
    def collection_is_gone(self, collection: str) -> None: ...
