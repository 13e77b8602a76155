"""The keys in use: unwrapped when first needed, kept for a while, dropped on Forget.

Rules:
- The deployment's root is made once, on a store that never had one; a store with a root that
  does not unwrap refuses to open.
- At most `MAX_PEOPLE` people's keys are held at a time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Final, Generic, TypeVar

from memory.core.keys import DEPLOYMENT_AAD, KEY_BYTES, DeploymentKeys, PersonKeys, root_aad
from memory.core.values import PersonId, PersonRef, Secret, SubjectId, TenantId
from memory.errors import KeyFileError, SealError
from memory.ports import KeyProvider, PersonRow, PersonState, RandomBytes, Store

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_PEOPLE: Final = 4096
"""Bounds the keys that are held unwrapped."""


class Keyring:
    """Opens people's keys and looks people up."""

    def __init__(self, store: Store, provider: KeyProvider, random: RandomBytes) -> None:
        self._provider = provider
        self._random = random
        self.deployment = DeploymentKeys(_deployment_root(store, provider, random))
        self._people = _Cache[SubjectId, PersonKeys](MAX_PEOPLE)

    def ref(self, tenant: TenantId, person: PersonId) -> PersonRef:
        """What SQL knows this person by."""
        return self.deployment.person_ref(tenant, person)

    def new_person(self, tenant: TenantId, ref: PersonRef, now: datetime) -> PersonRow:
        """A row with a fresh subject, root key and collection name; nothing is stored yet."""
        subject = SubjectId(self._random(16))
        root = Secret(self._random(KEY_BYTES))
        return PersonRow(
            subject=subject,
            tenant=tenant,
            ref=ref,
            state=PersonState.ACTIVE,
            key_version=1,
            wrapped_key=self._provider.wrap(root, root_aad(tenant, ref, subject, 1)),
            collection=f"p{self._random(16).hex()}",
            created_at=now,
        )

    def keys(self, person: PersonRow) -> PersonKeys:
        """The person's keys.

        Raises:
            SealError: the wrapped key was changed or belongs to another row.
            KeyUnavailableError: the provider does not answer, or the epoch is gone.
        """

        def unwrap() -> PersonKeys:
            aad = root_aad(person.tenant, person.ref, person.subject, person.key_version)
            root = self._provider.unwrap(person.wrapped_key, aad)
            return PersonKeys(person.tenant, person.subject, person.key_version, root)

        keys = self._people.get(person.subject, unwrap)
        return keys if keys.version == person.key_version else unwrap()

    def forget(self, subject: SubjectId) -> None:
        """Drops what is held of this person."""
        self._people.drop(subject)


class _Cache(Generic[K, V]):
    """Least recently used goes first. Two threads may make the same value; one of them stays."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._items: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K, make: Callable[[], V]) -> V:
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
                return self._items[key]
        value = make()
        with self._lock:
            self._items[key] = value
            if len(self._items) > self._limit:
                self._items.popitem(last=False)
        return value

    def drop(self, key: K) -> None:
        with self._lock:
            self._items.pop(key, None)


def _deployment_root(store: Store, provider: KeyProvider, random: RandomBytes) -> Secret:
    wrapped = store.root_key()
    if wrapped is None:
        root = Secret(random(KEY_BYTES))
        store.set_root_key(provider.wrap(root, DEPLOYMENT_AAD))
        wrapped = store.root_key()
        assert wrapped is not None
    try:
        return provider.unwrap(wrapped, DEPLOYMENT_AAD)
    except SealError:
        raise KeyFileError(
            "the key does not open this data; point `key_file` at the one it was made with"
        ) from None
