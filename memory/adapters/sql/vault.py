"""The pseudonym vault and the requests that were answered: both small, keyed and per person.

Rules:
- An alias is given once and never moves; a request is answered once. A second writer of the same
  key loses the race (`StorageUnavailableError`: the call may be repeated).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import bindparam, delete, func, insert, select, tuple_

from memory.adapters.sql.tables import requests, vault_aliases, vault_entities
from memory.adapters.sql.transaction import Transaction, batches
from memory.core.pseudonyms import Entity
from memory.core.values import RecordId, SealedRecord, SubjectId

_ENTITIES: Final = select(
    vault_aliases.c.hash, vault_aliases.c.entity_type, vault_aliases.c.number
).where(
    vault_aliases.c.subject == bindparam("of"),
    vault_aliases.c.hash.in_(bindparam("hashes", expanding=True)),
)
_NEXT_NUMBERS: Final = (
    select(vault_entities.c.entity_type, func.max(vault_entities.c.number) + 1)
    .where(vault_entities.c.subject == bindparam("of"))
    .group_by(vault_entities.c.entity_type)
)
_VAULT: Final = (
    select(vault_entities.c.entity_type, vault_entities.c.number, vault_entities.c.value)
    .where(vault_entities.c.subject == bindparam("of"))
    .order_by(vault_entities.c.entity_type, vault_entities.c.number)
)
_VAULT_PAGE: Final = (
    select(vault_entities.c.entity_type, vault_entities.c.number, vault_entities.c.value)
    .where(
        vault_entities.c.subject == bindparam("of"),
        tuple_(vault_entities.c.entity_type, vault_entities.c.number)
        > tuple_(bindparam("after_type"), bindparam("after_number")),
    )
    .order_by(vault_entities.c.entity_type, vault_entities.c.number)
    .limit(bindparam("page"))
)
_ALIASES: Final = select(
    vault_aliases.c.hash, vault_aliases.c.entity_type, vault_aliases.c.number
).where(vault_aliases.c.subject == bindparam("of"))
_FORGET_ALIASES: Final = delete(vault_aliases).where(vault_aliases.c.subject == bindparam("of"))
_FORGET_ENTITIES: Final = delete(vault_entities).where(vault_entities.c.subject == bindparam("of"))
_ADD_ENTITIES: Final = insert(vault_entities)
_ADD_ALIASES: Final = insert(vault_aliases)
_SEEN: Final = select(requests.c.key, requests.c.record).where(
    requests.c.subject == bindparam("of"),
    requests.c.key.in_(bindparam("keys", expanding=True)),
)
_ADD_REQUESTS: Final = insert(requests)


class Vault(Transaction):
    """The part of a unit of work that keeps pseudonyms and answered requests."""

    def entities(self, subject: SubjectId, alias_hashes: Iterable[bytes]) -> Mapping[bytes, Entity]:
        return {
            hash_: Entity(entity_type, number)
            for batch in batches(alias_hashes)
            for hash_, entity_type, number in self._rows(
                _ENTITIES, {"of": subject.value, "hashes": batch}
            )
        }

    def next_entity_numbers(self, subject: SubjectId) -> Mapping[str, int]:
        rows = self._rows(_NEXT_NUMBERS, {"of": subject.value})
        return {entity_type: number for entity_type, number in rows}  # noqa: C416 (rows, typed)

    def add_entities(
        self,
        subject: SubjectId,
        entities: Sequence[tuple[Entity, SealedRecord]],
        aliases: Mapping[bytes, Entity],
    ) -> None:
        if entities:
            self._change(
                _ADD_ENTITIES,
                [_named(subject, entity) | {"value": value.value} for entity, value in entities],
            )
        if aliases:
            self._change(
                _ADD_ALIASES,
                [_named(subject, entity) | {"hash": hash_} for hash_, entity in aliases.items()],
            )

    def vault(self, subject: SubjectId) -> list[tuple[Entity, SealedRecord]]:
        return [
            (Entity(entity_type, number), SealedRecord(value))
            for entity_type, number, value in self._rows(_VAULT, {"of": subject.value})
        ]

    def page_vault(
        self, subject: SubjectId, after: Entity, limit: int
    ) -> list[tuple[Entity, SealedRecord]]:
        named = {
            "of": subject.value,
            "after_type": after.entity_type,
            "after_number": after.number,
            "page": limit,
        }
        return [
            (Entity(entity_type, number), SealedRecord(value))
            for entity_type, number, value in self._rows(_VAULT_PAGE, named)
        ]

    def aliases(self, subject: SubjectId) -> Mapping[bytes, Entity]:
        return {
            hash_: Entity(entity_type, number)
            for hash_, entity_type, number in self._rows(_ALIASES, {"of": subject.value})
        }

    def replace_vault(
        self,
        subject: SubjectId,
        entities: Sequence[tuple[Entity, SealedRecord]],
        aliases: Mapping[bytes, Entity],
    ) -> None:
        self._change(_FORGET_ALIASES, {"of": subject.value})
        self._change(_FORGET_ENTITIES, {"of": subject.value})
        self.add_entities(subject, entities, aliases)

    def seen_requests(self, subject: SubjectId, keys: Iterable[bytes]) -> Mapping[bytes, RecordId]:
        return {
            key: RecordId(record)
            for batch in batches(keys)
            for key, record in self._rows(_SEEN, {"of": subject.value, "keys": batch})
        }

    def add_requests(self, subject: SubjectId, made: Mapping[bytes, RecordId]) -> None:
        if made:
            self._change(
                _ADD_REQUESTS,
                [
                    {"subject": subject.value, "key": key, "record": record.value}
                    for key, record in made.items()
                ],
            )


def _named(subject: SubjectId, entity: Entity) -> dict[str, object]:
    return {
        "subject": subject.value,
        "entity_type": entity.entity_type,
        "number": entity.number,
    }
