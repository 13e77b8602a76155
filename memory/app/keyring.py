"""The keys in use: unwrapped when first needed, kept for a while, dropped on Forget.

Rules:
- The deployment's root is made once, on a store that never had one; a store with a root that
  does not unwrap refuses to open.
- At most `MAX_PEOPLE` people's keys are held at a time.
- A person's unwrapped key is used for `max_age` seconds; then the provider is asked again. Until
  then a provider that is down stops nobody; from then on, calls that need the key.
- A key whose epoch died since its row was read is read again: rotation has moved it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

from memory.app.lru import Lru
from memory.core.keys import DEPLOYMENT_AAD, KEY_BYTES, DeploymentKeys, PersonKeys, root_aad
from memory.core.values import PersonId, PersonRef, Secret, SubjectId, TenantId
from memory.errors import (
    ErasureInProgressError,
    KeyFileError,
    KeyUnavailableError,
    SealError,
)
from memory.ports import (
    CacheUse,
    KeyProvider,
    PersonRow,
    PersonState,
    RandomBytes,
    Store,
    WrappedKey,
)

MAX_PEOPLE: Final = 4096
"""Bounds the keys that are held unwrapped."""


class Keyring:
    """Opens people's keys and looks people up."""

    def __init__(
        self,
        store: Store,
        provider: KeyProvider,
        random: RandomBytes,
        monotonic: Callable[[], float],
        *,
        max_age: float,
    ) -> None:
        self._store = store
        self._provider = provider
        self._random = random
        self._monotonic = monotonic
        self._max_age = max_age
        self.deployment = DeploymentKeys(_deployment_root(store, provider, random))
        self._fenced: set[PersonRef] = set()
        self._people = Lru[SubjectId, _Held](MAX_PEOPLE)

    def ref(self, tenant: TenantId, person: PersonId) -> PersonRef:
        """What SQL knows this person by. Raises `ErasureInProgressError` for one fenced here."""
        ref = self.deployment.person_ref(tenant, person)
        if ref in self._fenced:
            raise ErasureInProgressError("this person is being forgotten; nothing can be used")
        return ref

    def fence(self, ref: PersonRef) -> None:
        """Lets nobody look this person up, before SQL knows that they are to be forgotten."""
        self._fenced.add(ref)

    def unfence(self, ref: PersonRef) -> None:
        """SQL knows it."""
        self._fenced.discard(ref)

    def new_person(self, tenant: TenantId, ref: PersonRef, now: datetime) -> PersonRow:
        """A row with a fresh subject, root key and collection name; nothing is stored yet."""
        root = Secret(self._random(KEY_BYTES))
        keys = PersonKeys(tenant, SubjectId(self._random(16)), 1, root)
        return PersonRow(
            subject=keys.subject,
            tenant=tenant,
            ref=ref,
            state=PersonState.ACTIVE,
            key_version=1,
            wrapped_key=self.wrap(keys, ref),
            collection=self.new_collection(),
            created_at=now,
        )

    def new_collection(self) -> str:
        """A name in the index that says nothing."""
        return f"p{self._random(16).hex()}"

    def keys(self, person: PersonRow) -> PersonKeys:
        """The person's keys.

        Raises:
            SealError: the wrapped key was changed or belongs to another row.
            KeyUnavailableError: the provider does not answer, or the epoch is gone.
        """
        held = self._people.get(person.subject)
        now = self._monotonic()
        if held and held.keys.version == person.key_version and now < held.until:
            return held.keys
        keys = self._unwrap(person)
        self._people.put(person.subject, _Held(keys, now + self._max_age))
        return keys

    def _unwrap(self, person: PersonRow) -> PersonKeys:
        aad = root_aad(person.tenant, person.ref, person.subject, person.key_version)
        try:
            root = self._provider.unwrap(person.wrapped_key, aad)
        except KeyUnavailableError:
            with self._store.read() as uow:
                now = uow.person_by_subject(person.subject)
            if now is None or now.key_version != person.key_version:
                raise
            if now.wrapped_key == person.wrapped_key:
                raise
            root = self._provider.unwrap(now.wrapped_key, aad)
        return PersonKeys.opened(person.tenant, person.subject, person.key_version, root)

    def wrap(self, keys: PersonKeys, ref: PersonRef) -> WrappedKey:
        """A person's keys, ready for the store, and seen to open again.

        Wrap before a transaction that writes: a provider may be slow. If the epoch is left behind
        meanwhile, the store says so (`KeyMovedError`).
        """
        aad = root_aad(keys.tenant, ref, keys.subject, keys.version)
        wrapped = self._provider.wrap(keys.to_wrap(), aad, self._epoch())
        if self._provider.unwrap(wrapped, aad) != keys.to_wrap():
            raise KeyUnavailableError("the key provider gave back another key than it was given")
        return wrapped

    def _epoch(self) -> int:
        """What new keys are wrapped under: the epoch of the deployment's root."""
        wrapped = self._store.root_key()
        assert wrapped is not None
        return wrapped.epoch

    def drop(self, subject: SubjectId) -> None:
        """Drops what is held of this person; what is needed is unwrapped again."""
        self._people.drop(subject)

    def forget(self, subject: SubjectId) -> None:
        """Drops what is held of this person, and keeps nothing of them again."""
        self._people.forget(subject)

    def use(self) -> CacheUse:
        """How many people's keys lie unwrapped."""
        return self._people.use()

    def held(self) -> set[SubjectId]:
        """Whose keys lie unwrapped."""
        return self._people.keys()


class _Held(NamedTuple):
    """A person's keys, and until when they may be used."""

    keys: PersonKeys
    until: float


def _deployment_root(store: Store, provider: KeyProvider, random: RandomBytes) -> Secret:
    wrapped = store.root_key()
    if wrapped is None:
        root = Secret(random(KEY_BYTES))
        store.set_root_key(provider.wrap(root, DEPLOYMENT_AAD, provider.epochs()[-1]))
        wrapped = store.root_key()
        assert wrapped is not None
    try:
        return provider.unwrap(wrapped, DEPLOYMENT_AAD)
    except SealError:
        raise KeyFileError(
            "the key does not open this data; point `kek` at the one it was made with"
        ) from None
