"""Veils people's vectors: which veil is whose, and the secret subspaces in use.

Rules:
- A person's collection is named for the veil it was made with. One that was made with another is
  not searched: it is made anew.
- At most `MAX_SUBSPACES` are held at a time, none of someone forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from memory.app.lru import Lru
from memory.core.keys import PersonKeys
from memory.core.protection import Mode, Protection
from memory.core.tenants import PerTenant
from memory.core.values import RecordId, SubjectId, TenantId, Vector, VeiledVector
from memory.core.veil import Basis, Matrix, Veil
from memory.ports import CacheUse, PersonRow

MAX_SUBSPACES: Final = 512
"""A 768 x 64 float32 matrix is 200 KB."""


class Veils:
    """Safe to use from several threads."""

    def __init__(self, basis: Basis, protections: PerTenant[Protection]) -> None:
        self._protections = protections
        self._default = protections.default.veil(basis)
        self._own = {t: p.veil(basis) for t, p in protections.by_tenant.items()}
        self._subspaces = Lru[SubjectId, tuple[int, Matrix]](MAX_SUBSPACES)

    def mode(self, tenant: TenantId) -> Mode:
        """Where this tenant's vectors are searched."""
        return self._protections.of(tenant).mode

    def collection(self, person: PersonRow) -> str:
        """What the person's collection must be called; a sealed one is nowhere in the index."""
        name = person.collection.partition(".")[0]
        if self.mode(person.tenant) is Mode.SEALED:
            return f"{name}.sealed"
        return f"{name}.{self._veil(person.tenant).version}"

    def records(
        self, keys: PersonKeys, records: Sequence[RecordId], vectors: Vector
    ) -> list[VeiledVector]:
        """The vectors of these records, shape (n, d), as the index may know them."""
        return self._veil(keys.tenant).records(keys.veil, self._subspace(keys), records, vectors)

    def query(self, keys: PersonKeys, vector: Vector) -> VeiledVector:
        """What to ask the index for."""
        return self._veil(keys.tenant).query(self._subspace(keys), vector)

    def drop(self, subject: SubjectId) -> None:
        """Drops what is held of this person; what is needed is made again."""
        self._subspaces.drop(subject)

    def forget(self, subject: SubjectId) -> None:
        """Drops what is held of this person, and keeps nothing of them again."""
        self._subspaces.forget(subject)

    def held(self) -> set[SubjectId]:
        """Whose subspace is held."""
        return self._subspaces.keys()

    def use(self) -> CacheUse:
        """How many subspaces are held."""
        return self._subspaces.use()

    def _veil(self, tenant: TenantId) -> Veil:
        return self._own.get(tenant, self._default)

    def _subspace(self, keys: PersonKeys) -> Matrix:
        version, held = self._subspaces.get(keys.subject) or (0, None)
        if held is not None and version == keys.version:
            return held
        made = self._veil(keys.tenant).subspace(keys.veil)
        self._subspaces.put(keys.subject, (keys.version, made))
        return made
