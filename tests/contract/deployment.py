"""A store and a key provider with people whose keys can be rotated."""

from __future__ import annotations

import os
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime

from memory.adapters.sql.store import SqlStore, open_store
from memory.app.keyring import Keyring
from memory.app.ledger import Ledger
from memory.app.recorder import Recorder
from memory.app.refusals import Refusals
from memory.app.rotate import Rotate
from memory.core.keys import PersonKeys, root_aad
from memory.core.record_format import Place, seal
from memory.core.values import AssistantId, Caller, PersonId, TenantId
from memory.ports import KeyProvider, PersonRow
from tests.contract.rows import a_memory

ACME = TenantId("acme")
OPERATOR = Caller(ACME, AssistantId("operator"), frozenset({"operator"}))


def ledger_of(store: SqlStore, keyring: Keyring) -> Ledger:
    """A ledger whose workers were not started: what it writes in a transaction is written."""
    recorder = Recorder(store, lambda: None)
    refusals = Refusals(store, keyring, recorder, os.urandom)
    return Ledger(keyring, recorder, refusals, lambda: datetime.now(UTC), os.urandom, lambda: None)


class Deployment:
    """A store with people and records, a key provider, and rotators: as many as one likes."""

    def __init__(self, url: str, provider: KeyProvider) -> None:
        self.store: SqlStore = open_store(url)
        self.provider = provider
        self.keyring = Keyring(self.store, self.provider, os.urandom, time.monotonic, max_age=60)

    def rotator(self, provider: KeyProvider | None = None) -> Rotate:
        return Rotate(
            self.store,
            provider or self.provider,
            lambda _: None,
            lambda: datetime.now(UTC),
            os.urandom,
            ledger_of(self.store, self.keyring),
        )

    def add(self, count: int) -> list[PersonRow]:
        """People with one record each, sealed under their own key."""
        made = []
        with self.store.write() as uow:
            for _ in range(count):
                ref = self.keyring.ref(ACME, PersonId(uuid.uuid4().hex))
                person = self.keyring.new_person(ACME, ref, datetime.now(UTC))
                keys = self.keyring.keys(person)
                uow.add_person(person)
                record = a_memory(person.subject, uow.next_seq(person.subject, 1))
                body = seal(keys, keys.record, Place(record.id.value, "body"), b"x", os.urandom(32))
                uow.add_memories([replace(record, body=body)])
                made.append(person)
            uow.commit()
        return made

    def keys(self) -> dict[bytes, PersonKeys]:
        """Everyone's keys, unwrapped from what the store holds now."""
        found = {}
        with self.store.read() as uow:
            people = uow.people_after(None, 100_000)
        for person in people:
            aad = root_aad(person.tenant, person.ref, person.subject, person.key_version)
            secret = self.provider.unwrap(person.wrapped_key, aad)
            found[person.subject.value] = PersonKeys.opened(
                person.tenant, person.subject, person.key_version, secret
            )
        return found

    def epochs(self) -> tuple[list[int], dict[int, int]]:
        with self.store.read() as uow:
            return list(self.provider.epochs()), dict(uow.keys_by_epoch())
