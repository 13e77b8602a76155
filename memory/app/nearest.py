"""Which memories could fit a query: from the veiled index, or from the opened matrix.

Rules:
- Proposals only: what may be seen is decided in SQL, what is best by the exact ranking.
- A collection that was made under another protection than the person's is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from memory.app.matrices import Matrices
from memory.app.veiling import Veils
from memory.core.keys import PersonKeys
from memory.core.protection import Mode
from memory.core.values import Vector
from memory.errors import IndexUnavailableError
from memory.ports import Candidate, PersonRow, UnitOfWork, VectorIndex

BLUR: Final = 3
"""The veil blurs the order: so many times as many are proposed, and their exact vectors choose."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest memories of a person, in either mode."""

    index: VectorIndex
    veils: Veils
    matrices: Matrices

    def propose(
        self, uow: UnitOfWork, person: PersonRow, keys: PersonKeys, vector: Vector, limit: int
    ) -> list[Candidate]:
        """Best first: fewer than `limit` when there are no more, and more where order is blurred.

        Raises:
            IndexUnavailableError: it does not answer, or is being made anew.
        """
        if person.collection != self.veils.collection(person):
            raise IndexUnavailableError("this person's vectors are being protected in another way")
        if self.veils.mode(person.tenant) is Mode.SEALED:
            return self.matrices.query(uow, keys, vector, limit)
        return self.index.query(person.collection, self.veils.query(keys, vector), BLUR * limit)
